import { verifySignature } from '@vonage/jwt'

export default {
  preset: 'vonage',
  sdk: '@vonage/jwt',
  // The SDK checks the token, and leaves the hash of the body in it to the reader.
  ignores: 'body',
  timed: 'engine',
  verify: (m, secret) => verifySignature(m.headers.authorization.replace('Bearer ', ''), secret),
}
