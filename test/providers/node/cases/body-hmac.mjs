// Providers that sign the raw body and nothing else. Those whose SDK makes the
// signature too, or that need more words, have files of their own.
import { WebhookEventVerifier } from '@onfido/api'
import { validateSignature } from '@line/bot-sdk'
import EasyPost from '@easypost/api'
import Cronofy from 'cronofy'
import * as gocardless from 'gocardless-nodejs'
import { MailerSendUtils } from 'mailersend/lib/services/mailersend.utils.js'
import { verifyWebhookSignature } from 'mailtrap'
import Pusher from 'pusher'
import Razorpay from 'razorpay'
import { StreamChat } from 'stream-chat'

const easypost = new EasyPost('EZTK_x')

export default [
  { preset: 'cronofy', sdk: 'cronofy', verify: (m, client_secret) => new Cronofy({ client_secret }).hmacValid({ hmac: m.headers['cronofy-hmac-sha256'], body: m.body }) },
  {
    preset: 'easypost',
    sdk: '@easypost/api',
    message: { body: '{"id":"evt_1029","object":"Event","description":"tracker.updated","result":{"id":"trk_1","weight":17.0}}' },
    verify: (m, secret) => easypost.Utils.validateWebhook(Buffer.from(m.body), m.headers, secret),
  },
  { preset: 'gocardless', sdk: 'gocardless-nodejs', verify: (m, secret) => gocardless.verifySignature(m.body, secret, m.headers['webhook-signature']) },
  { preset: 'line', sdk: '@line/bot-sdk', verify: (m, secret) => validateSignature(m.body, secret, m.headers['x-line-signature']) },
  { preset: 'onfido', sdk: '@onfido/api', verify: (m, token) => new WebhookEventVerifier(token).readPayload(m.body, m.headers['x-sha2-signature']) },
  { preset: 'mailersend', sdk: 'mailersend', verify: (m, secret) => MailerSendUtils.verifyWebHook(m.body, m.headers.signature, secret) },
  { preset: 'mailtrap', sdk: 'mailtrap', verify: (m, secret) => verifyWebhookSignature(m.body, m.headers['mailtrap-signature'], secret) },
  {
    preset: 'pusher',
    sdk: 'pusher',
    message: { headers: { 'x-pusher-key': 'key' }, body: '{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"c1"}]}' },
    verify: (m, secret) => new Pusher({ appId: '1', key: 'key', secret }).webhook({ headers: m.headers, rawBody: m.body }).isValid(),
  },
  { preset: 'razorpay', sdk: 'razorpay', verify: (m, secret) => Razorpay.validateWebhookSignature(m.body, m.headers['x-razorpay-signature'], secret) },
  { preset: 'stream', sdk: 'stream-chat', verify: (m, secret) => new StreamChat('key', secret).verifyWebhook(m.body, m.headers['x-signature']) },
]
