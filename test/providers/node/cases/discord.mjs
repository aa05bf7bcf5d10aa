import { verifyKey } from 'discord-interactions'
import { pairs, raw } from '../secrets.mjs'

const discord = {
  sdk: 'discord-interactions',
  keys: pairs('ed25519', {}, key => raw(key).toString('hex')),
  // The SDK does not look at the age.
  timed: 'engine',
  message: { body: '{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"ENTITLEMENT_CREATE"}}' },
  verify: (m, key) => verifyKey(m.body, m.headers['x-signature-ed25519'], m.headers['x-signature-timestamp'], key),
}

export default [
  { ...discord, preset: 'discord' },
  { ...discord, preset: 'discord-interactions' },
]
