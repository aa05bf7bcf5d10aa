import plivo from 'plivo'

const fields = m => Object.fromEntries(new URLSearchParams(m.body))

const url = 'https://example.com/webhooks/plivo?b=2&a=1'
const type = 'application/x-www-form-urlencoded'

export default [
  {
    preset: 'plivo',
    sdk: 'plivo',
    message: {
      url,
      headers: { 'content-type': type, 'X-Plivo-Signature-V3-Nonce': '12345678901234567890' },
      body: 'CallUUID=97ceeb52-58b6-11e1-86da-77300b68f8bb&From=14158675309&To=18005551212&CallStatus=completed',
    },
    verify: (m, token) => plivo.validateV3Signature(
      m.method, m.url, m.headers['x-plivo-signature-v3-nonce'], token, m.headers['x-plivo-signature-v3'], fields(m)),
  },
  {
    preset: 'plivo-sms',
    sdk: 'plivo',
    message: {
      url,
      headers: { 'content-type': type, 'X-Plivo-Signature-V2-Nonce': '12345678901234567890' },
      body: 'MessageUUID=97ceeb52-58b6-11e1-86da-77300b68f8bb&From=14158675309&To=18005551212&Text=hello',
    },
    verify: (m, token) => plivo.validateSignature(m.url, m.headers['x-plivo-signature-v2-nonce'], m.headers['x-plivo-signature-v2'], token),
    // What is signed is the address, not the body.
    change: m => ({ ...m, url: m.url.replace('webhooks', 'webhook') }),
  },
]
