import { decodeWebhook } from '@kinde/webhooks'
import { pairs, pem } from '../secrets.mjs'

const domain = 'account.example.com'
const keys = pairs('rsa', { modulusLength: 2048 }, pem)
const set = text => JSON.stringify({
  keys: [{ ...keys.find(k => k.public === text).key.export({ format: 'jwk' }), kid: 'sample', alg: 'RS256', use: 'sig' }],
})

export default {
  preset: 'kinde',
  sdk: '@kinde/webhooks',
  keys,
  documents: text => ({ [`https://${domain}/.well-known/jwks.json`]: set(text) }),
  with: { domain },
  message: { headers: { 'content-type': 'application/jwt' }, body: '{"type":"user.created","event_id":"event_1029","data":{"user":{"id":"kp_1"}}}' },
  // The SDK fetches the keys: it is given them without a network. What it refuses is null.
  verify: async (m, text) => {
    const { fetch } = globalThis
    globalThis.fetch = async () => new Response(set(text))
    try {
      return (await decodeWebhook(m.body, `https://${domain}`)) !== null
    } finally {
      globalThis.fetch = fetch
    }
  },
  // The body is the token.
  change: m => {
    const [head, claims, signature] = m.body.split('.')
    const others = { ...JSON.parse(Buffer.from(claims, 'base64url')), event_id: 'event_1030' }
    return { ...m, body: [head, Buffer.from(JSON.stringify(others)).toString('base64url'), signature].join('.') }
  },
}
