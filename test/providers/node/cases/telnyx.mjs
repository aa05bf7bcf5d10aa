import Telnyx from 'telnyx'
import { pairs, raw } from '../secrets.mjs'

const telnyx = new Telnyx({ apiKey: 'x' })

export default {
  preset: 'telnyx',
  sdk: 'telnyx',
  keys: pairs('ed25519', {}, key => raw(key).toString('base64')),
  timed: true,
  verify: (m, key) => telnyx.webhooks.unwrap(m.body, { headers: m.headers, key }),
}
