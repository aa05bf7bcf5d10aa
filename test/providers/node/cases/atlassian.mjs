import * as jwt from 'atlassian-jwt'

const qsh = m => jwt.createQueryStringHash(jwt.fromMethodAndUrl(m.method, m.url), false)

export default {
  preset: 'atlassian-connect',
  sdk: 'atlassian-jwt',
  with: { client_key: 'client_key' },
  timed: 'engine',
  message: { url: 'https://example.com/webhooks/atlassian-connect?user=zo%C3%AB&a=1&a=0' },
  sign: (m, secret, at) => {
    const iat = Math.floor(at / 1000)
    return { headers: { authorization: `JWT ${jwt.encodeSymmetric({ iss: 'client_key', iat, exp: iat + 180, qsh: qsh(m) }, secret)}` } }
  },
  verify: (m, secret) => jwt.decodeSymmetric(m.headers.authorization.replace('JWT ', ''), secret, 'HS256').qsh === qsh(m),
  // What is signed is the method and the address, not the body.
  change: m => ({ ...m, url: m.url.replace('a=1', 'a=2') }),
}
