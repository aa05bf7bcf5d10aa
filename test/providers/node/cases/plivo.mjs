import plivo from 'plivo'

const fields = m => Object.fromEntries(new URLSearchParams(m.body))

export default {
  preset: 'plivo',
  sdk: 'plivo',
  message: {
    url: 'https://example.com/webhooks/plivo?b=2&a=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'X-Plivo-Signature-V3-Nonce': '12345678901234567890' },
    body: 'CallUUID=97ceeb52-58b6-11e1-86da-77300b68f8bb&From=14158675309&To=18005551212&CallStatus=completed',
  },
  verify: (m, token) => plivo.validateV3Signature(
    m.method, m.url, m.headers['x-plivo-signature-v3-nonce'], token, m.headers['x-plivo-signature-v3'], fields(m)),
}
