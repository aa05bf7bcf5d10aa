import twilio from 'twilio'
import { createHash } from 'node:crypto'

const url = 'https://example.com/webhooks/twilio?account=7&lang=de'
const fields = m => Object.fromEntries(new URLSearchParams(m.body))
const streams = 'https://example.com/webhooks/streams'
const json = '[{"specversion":"1.0","type":"com.twilio.messaging.message.delivered","id":"EZ19a8ffbf"}]'

export default [
  {
    preset: 'twilio',
    sdk: 'twilio',
    message: {
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'MessageSid=SM1000&From=%2B14158675309&To=%2B18005551212&Body=Gr%C3%BC%C3%9Fe+%26+mehr&NumMedia=0&Empty=',
    },
    sign: (m, token) => ({ headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(token, m.url, fields(m)) } }),
    verify: (m, token) => twilio.validateRequest(token, m.headers['x-twilio-signature'], m.url, fields(m)),
  },
  {
    preset: 'twilio-event-streams',
    sdk: 'twilio',
    // Twilio puts the body's hash into the URL, and signs the URL.
    with: { address: `${streams}?` },
    message: { url: `${streams}?bodySHA256=${createHash('sha256').update(json).digest('hex')}`, body: json },
    sign: (m, token) => ({ headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(token, m.url, {}) } }),
    verify: (m, token) => twilio.validateRequestWithBody(token, m.headers['x-twilio-signature'], m.url, m.body),
  },
]
