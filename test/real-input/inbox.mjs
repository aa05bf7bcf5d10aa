// The destination: verifies each delivery with the standardwebhooks package and
// keeps its bytes.
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'

export function startInbox(secret) {
  const webhook = new Webhook(secret)
  const came = new Map() // source/identity → bodies
  const wrong = []
  const server = createServer((req, res) => {
    const chunks = []
    req.on('data', (c) => chunks.push(c))
    req.on('end', () => {
      const body = Buffer.concat(chunks)
      const key = `${req.headers['ce-source']}/${req.headers['webhook-id']}`
      try {
        // A Buffer: a round trip through a string would hide a changed byte.
        webhook.verify(body, req.headers)
      } catch (e) {
        // Verifying parses the body as JSON too, which all of these are.
        wrong.push(`${key}: ${e.message}`)
        res.writeHead(401).end()
        return
      }
      came.set(key, [...(came.get(key) ?? []), body])
      res.writeHead(204).end()
    })
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    url: `http://127.0.0.1:${server.address().port}/`,
    came,
    wrong,
    close: () => server.close(),
  })))
}
