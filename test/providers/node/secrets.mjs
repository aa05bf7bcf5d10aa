// Secrets of the shapes that providers give out; nobody uses them.
import { generateKeyPairSync } from 'node:crypto'

export const whsec = ['whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', 'whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=']
export const base64 = whsec.map(s => s.slice('whsec_'.length))
export const hex = ['00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100']

// pairs are two new pairs of keys: the right one and another. write makes of a
// public key the text that the provider shows.
export const pairs = (kind, options, write) => [0, 1].map(() => {
  const { publicKey, privateKey } = generateKeyPairSync(kind, options)
  return { public: write(publicKey), private: privateKey.export({ type: 'pkcs8', format: 'pem' }), key: publicKey }
})

export const der = key => key.export({ type: 'spki', format: 'der' })
export const pem = key => key.export({ type: 'spki', format: 'pem' })
export const raw = key => der(key).subarray(-32) // of an Ed25519 key
