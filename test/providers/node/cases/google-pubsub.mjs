import { OAuth2Client } from 'google-auth-library'
import { pairs, pem } from '../secrets.mjs'

const client = new OAuth2Client()
const audience = 'https://example.com/webhooks/google-pubsub'
const keys = pairs('rsa', { modulusLength: 2048 }, pem)
const kid = 'sample' // of what the engine signs

export default {
  preset: 'google-pubsub',
  sdk: 'google-auth-library',
  keys,
  documents: text => ({
    'https://www.googleapis.com/oauth2/v3/certs': JSON.stringify({
      keys: [{ ...keys.find(k => k.public === text).key.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }],
    }),
  }),
  with: { audience, service_account: 'push@project.iam.gserviceaccount.com' },
  timed: true,
  message: { body: '{"message":{"data":"eyJhIjoxfQ==","messageId":"2070443601311540"},"subscription":"projects/p/subscriptions/s"}' },
  verify: (m, text) => client.verifySignedJwtWithCertsAsync(
    m.headers.authorization.replace('Bearer ', ''), { [kid]: text }, audience, ['https://accounts.google.com', 'accounts.google.com']),
  // The token does not say what the body is: what can be changed is the token.
  change: m => {
    const [head, claims, signature] = m.headers.authorization.split('.')
    const others = { ...JSON.parse(Buffer.from(claims, 'base64url')), sub: 'another' }
    const authorization = [head, Buffer.from(JSON.stringify(others)).toString('base64url'), signature].join('.')
    return { ...m, headers: { ...m.headers, authorization } }
  },
}
