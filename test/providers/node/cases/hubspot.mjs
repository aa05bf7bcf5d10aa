import { Signature } from '@hubspot/api-client'

const message = {
  url: 'https://example.com/webhooks/hubspot?portal=62515',
  body: '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"subscriptionType":"contact.creation","attemptNumber":0}]',
}
const old = version => ({
  preset: `hubspot-${version}`,
  sdk: '@hubspot/api-client',
  message,
  sign: (m, clientSecret) => ({
    headers: {
      'x-hubspot-signature-version': version,
      'x-hubspot-signature': Signature.getSignature(m.method, version, { clientSecret, requestBody: m.body, url: m.url }),
    },
  }),
  verify: (m, clientSecret) => Signature.isValid({
    signatureVersion: version,
    signature: m.headers['x-hubspot-signature'],
    clientSecret,
    requestBody: m.body,
    url: m.url,
    method: m.method,
  }),
})

export default [
  {
    preset: 'hubspot',
    sdk: '@hubspot/api-client',
    message,
    timed: true,
    sign: (m, clientSecret, at) => ({
      headers: {
        'x-hubspot-request-timestamp': +at,
        'x-hubspot-signature-v3': Signature.getSignature(m.method, 'v3', { clientSecret, requestBody: m.body, url: m.url, timestamp: +at }),
      },
    }),
    verify: (m, clientSecret) => Signature.isValid({
      signatureVersion: 'v3',
      signature: m.headers['x-hubspot-signature-v3'],
      clientSecret,
      requestBody: m.body,
      url: m.url,
      method: m.method,
      timestamp: Number(m.headers['x-hubspot-request-timestamp']),
    }),
  },
  old('v1'),
  old('v2'),
]
