// The engine, in a process of its own: a line of JSON is asked, a line is answered.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export function connect(program) {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = []
  const closed = new Error('the bridge ended before it answered')
  createInterface({ input: child.stdout }).on('line', line => waiting.shift().resolve(JSON.parse(line)))
  child.on('close', () => waiting.splice(0).forEach(w => w.reject(closed)))
  child.on('error', error => waiting.splice(0).forEach(w => w.reject(error)))
  const ask = question => new Promise((resolve, reject) => {
    waiting.push({ resolve, reject })
    child.stdin.write(JSON.stringify(question) + '\n')
  })
  return { ask, close: () => child.stdin.end() }
}

// onWire is a message as the bridge reads it.
export const onWire = m => ({
  method: m.method,
  headers: Object.entries(m.headers),
  body_base64: Buffer.from(m.body).toString('base64'),
})

// fromWire is the signed request, as an SDK is given it.
export const fromWire = (m, wire) => ({
  method: wire.method,
  url: wire.url,
  headers: Object.fromEntries(wire.headers.map(([name, value]) => [name.toLowerCase(), value])),
  body: Buffer.from(wire.body_base64 ?? '', 'base64').toString(),
})
