import { assertValidSignature, encodeSignatureHeader } from '@sanity/webhook'

export default {
  preset: 'sanity',
  sdk: '@sanity/webhook',
  timed: 'engine',
  sign: async (m, secret, at) => ({ headers: { 'sanity-webhook-signature': await encodeSignatureHeader(m.body, +at, secret) } }),
  verify: (m, secret) => assertValidSignature(m.body, m.headers['sanity-webhook-signature'], secret),
}
