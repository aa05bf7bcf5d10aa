// Standard Webhooks, and the providers whose own SDK checks it under their name.
import Anthropic from '@anthropic-ai/sdk'
import { verifyWebhook } from '@clerk/backend/webhooks'
import { WebhookHandler } from '@liveblocks/node'
import { validateEvent, WebhookVerificationError } from '@polar-sh/sdk/webhooks'
import DodoPayments from 'dodopayments'
import OpenAI from 'openai'
import { validateWebhook } from 'replicate'
import { Resend } from 'resend'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { whsec } from '../secrets.mjs'

const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'
const standard = { timed: true, secrets: whsec, message: { headers: { 'webhook-id': id } } }
const svix = { timed: true, secrets: whsec, message: { headers: { 'svix-id': id } } }
const seconds = at => new Date(Math.floor(at / 1000) * 1000)

const dodo = new DodoPayments({ bearerToken: 'x' })
const anthropic = new Anthropic({ apiKey: 'x' })
const openai = new OpenAI({ apiKey: 'x' })
const resend = new Resend('re_x')

export default [
  {
    ...standard,
    preset: 'standard-webhooks',
    sdk: 'standardwebhooks',
    sign: (m, secret, at) => ({
      headers: { 'webhook-timestamp': Math.floor(at / 1000), 'webhook-signature': new StandardWebhook(secret).sign(id, seconds(at), m.body) },
    }),
    verify: (m, secret) => new StandardWebhook(secret).verify(m.body, m.headers),
  },
  {
    ...svix,
    preset: 'svix',
    sdk: 'svix',
    sign: (m, secret, at) => ({
      headers: { 'svix-timestamp': Math.floor(at / 1000), 'svix-signature': new SvixWebhook(secret).sign(id, seconds(at), m.body) },
    }),
    verify: (m, secret) => new SvixWebhook(secret).verify(m.body, m.headers),
  },
  { ...standard, preset: 'anthropic', sdk: '@anthropic-ai/sdk', verify: (m, key) => anthropic.beta.webhooks.unwrap(m.body, { headers: m.headers, key }) },
  {
    ...svix,
    preset: 'clerk',
    sdk: '@clerk/backend',
    verify: (m, signingSecret) => verifyWebhook(new Request(m.url, { method: 'POST', headers: m.headers, body: m.body }), { signingSecret }),
  },
  { ...standard, preset: 'dodo-payments', sdk: 'dodopayments', verify: (m, key) => dodo.webhooks.unwrap(m.body, { headers: m.headers, key }) },
  {
    ...standard,
    preset: 'liveblocks',
    sdk: '@liveblocks/node',
    message: { ...standard.message, body: '{"type":"userEntered","data":{"projectId":"p1","roomId":"r1","connectionId":4,"numActiveUsers":8}}' },
    verify: (m, secret) => new WebhookHandler(secret).verifyRequest({ headers: m.headers, rawBody: m.body }),
  },
  { ...standard, preset: 'openai', sdk: 'openai', verify: (m, secret) => openai.webhooks.unwrap(m.body, m.headers, secret) },
  {
    ...standard,
    preset: 'polar',
    sdk: '@polar-sh/sdk',
    // Polar's key is the text as it is, with whatever stands before it.
    secrets: ['polar_whs_9Xc2ZpT0qLr5', 'polar_whs_another'],
    // The SDK reads the body by its schema after it has checked the signature:
    // what it thinks of that is no refusal.
    verify: (m, secret) => {
      try {
        validateEvent(m.body, m.headers, secret)
      } catch (error) {
        return !(error instanceof WebhookVerificationError)
      }
    },
  },
  {
    ...standard,
    preset: 'replicate',
    sdk: 'replicate',
    timed: 'engine',
    verify: (m, secret) => validateWebhook({
      id: m.headers['webhook-id'],
      timestamp: m.headers['webhook-timestamp'],
      signature: m.headers['webhook-signature'],
      body: m.body,
      secret,
    }),
  },
  {
    ...svix,
    preset: 'resend',
    sdk: 'resend',
    verify: (m, webhookSecret) => resend.webhooks.verify({
      payload: m.body,
      headers: { id: m.headers['svix-id'], timestamp: m.headers['svix-timestamp'], signature: m.headers['svix-signature'] },
      webhookSecret,
    }),
  },
]
