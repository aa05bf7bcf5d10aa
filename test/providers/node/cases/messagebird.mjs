import { createSecretKey } from 'node:crypto'
import { verify } from 'messagebird/lib/webhook-signature-jwt.js'

export default {
  preset: 'messagebird',
  sdk: 'messagebird',
  timed: true,
  verify: (m, secret) => verify(m.url, Buffer.from(m.body), m.headers['messagebird-signature-jwt'], createSecretKey(Buffer.from(secret))),
}
