import { EventWebhook } from '@sendgrid/eventwebhook'
import { der, pairs } from '../secrets.mjs'

const sdk = new EventWebhook()

export default {
  preset: 'sendgrid',
  sdk: '@sendgrid/eventwebhook',
  keys: pairs('ec', { namedCurve: 'P-256' }, key => der(key).toString('base64')),
  timed: 'engine',
  message: { body: '[{"email":"zoë@example.com","event":"delivered","sg_event_id":"ZHJvcC0xMDk5","timestamp":1600112492}]\r\n' },
  verify: (m, key) => sdk.verifySignature(
    sdk.convertPublicKeyToECDSA(key),
    m.body,
    m.headers['x-twilio-email-event-webhook-signature'],
    m.headers['x-twilio-email-event-webhook-timestamp'],
  ),
}
