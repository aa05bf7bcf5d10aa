// Providers that sign the time with the body.
import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js'
import { LinearWebhookClient } from '@linear/sdk/webhooks'
import Mux from '@mux/mux-node'
import { Paddle } from '@paddle/paddle-node-sdk'
import Finch from '@tryfinch/finch-api'
import { WorkOS } from '@workos-inc/node'
import { Cashfree, CFEnvironment } from 'cashfree-pg'
import { WebflowClient } from 'webflow-api'
import { base64 } from '../secrets.mjs'

const elevenlabs = new ElevenLabsClient({ apiKey: 'x' })
const mux = new Mux({ tokenId: 'x', tokenSecret: 'x' })
const paddle = new Paddle('x')
const finch = new Finch({ accessToken: 'x' })
const workos = new WorkOS('sk_x')
const webflow = new WebflowClient({ accessToken: 'x' })

export default [
  {
    preset: 'cashfree',
    sdk: 'cashfree-pg',
    timed: 'engine',
    verify: (m, secret) => new Cashfree(CFEnvironment.SANDBOX, 'id', secret)
      .PGVerifyWebhookSignature(m.headers['x-webhook-signature'], m.body, m.headers['x-webhook-timestamp']),
  },
  { preset: 'elevenlabs', sdk: '@elevenlabs/elevenlabs-js', timed: true, verify: (m, secret) => elevenlabs.webhooks.constructEvent(m.body, m.headers['elevenlabs-signature'], secret) },
  {
    preset: 'finch',
    sdk: '@tryfinch/finch-api',
    secrets: base64,
    timed: true,
    message: { headers: { 'finch-event-id': 'evt_1029' } },
    verify: (m, secret) => finch.webhooks.verifySignature(m.body, m.headers, secret),
  },
  {
    preset: 'linear',
    sdk: '@linear/sdk',
    timed: true,
    message: at => ({ body: JSON.stringify({ action: 'create', type: 'Issue', data: { id: '2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9' }, webhookTimestamp: +at }) }),
    verify: (m, secret) => new LinearWebhookClient(secret).verify(Buffer.from(m.body), m.headers['linear-signature']),
    change: m => ({ ...m, body: m.body.replace('2174add1', '2174add2') }),
  },
  { preset: 'mux', sdk: '@mux/mux-node', timed: true, verify: (m, secret) => mux.webhooks.verifySignature(m.body, m.headers, secret) },
  { preset: 'paddle', sdk: '@paddle/paddle-node-sdk', timed: true, verify: (m, secret) => paddle.webhooks.isSignatureValid(m.body, secret, m.headers['paddle-signature']) },
  {
    preset: 'webflow',
    sdk: 'webflow-api',
    timed: 'engine',
    verify: (m, secret) => webflow.webhooks.verifySignature({ headers: m.headers, body: m.body, secret }),
  },
  {
    preset: 'workos',
    sdk: '@workos-inc/node',
    timed: true,
    sign: async (m, secret, at) => ({
      headers: { 'workos-signature': `t=${+at}, v1=${await workos.webhooks.computeSignature(+at, JSON.parse(m.body), secret)}` },
    }),
    verify: (m, secret) => workos.webhooks.verifyHeader({ payload: JSON.parse(m.body), sigHeader: m.headers['workos-signature'], secret }),
  },
]
