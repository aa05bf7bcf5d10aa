import { basicAuthValidator } from 'chargebee'

export default {
  preset: 'chargebee',
  sdk: 'chargebee',
  secrets: ['user:pass:word', 'user:another'],
  verify: (m, secret) => basicAuthValidator((user, password) => `${user}:${password}` === secret)(m.headers),
  // Nothing is signed: what can be changed is the credentials.
  change: m => ({ ...m, headers: { ...m.headers, authorization: 'Basic ' + Buffer.from('user:pass').toString('base64') } }),
}
