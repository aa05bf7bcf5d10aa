import { sign, verify } from '@octokit/webhooks-methods'

export default {
  preset: 'github',
  sdk: '@octokit/webhooks-methods',
  sign: async (m, secret) => ({ headers: { 'x-hub-signature-256': await sign(secret, m.body) } }),
  verify: (m, secret) => verify(secret, m.body, m.headers['x-hub-signature-256']),
}
