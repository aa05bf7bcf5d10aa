// A stack of its own for the test: a config, known secrets, `pushpull dev`.
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const exec = promisify(execFile)

const freePort = () => new Promise((resolve) => {
  const s = createServer().listen(0, '127.0.0.1', () => {
    const { port } = s.address()
    s.close(() => resolve(port))
  })
})

export async function startStack({ config, secrets }) {
  const dir = mkdtempSync(join(tmpdir(), 'real-input-'))
  const data = join(dir, 'data')
  mkdirSync(data)
  mkdirSync(join(dir, 'config'))
  writeFileSync(join(dir, 'config', 'sources.yaml'), config)
  writeFileSync(join(data, 'secrets.yaml'), Object.entries(secrets).map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}\n`).join(''), { mode: 0o600 })
  const binary = join(dir, 'pushpull')
  await exec('go', ['build', '-o', binary, './cmd/pushpull'], { cwd: root })

  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const log = join(dir, 'dev.log')
  const out = openSync(log, 'w')
  const dev = spawn(binary, ['dev', '--addr', `127.0.0.1:${port}`, '--data', data, '--config', join(dir, 'config'), '--sandbox=false', '--logs'],
    { cwd: root, stdio: ['ignore', out, out] })
  const ended = new Promise((resolve) => dev.on('exit', resolve))
  const tail = () => readFileSync(log, 'utf8').slice(-4000)
  process.on('exit', () => dev.kill('SIGKILL'))

  for (const deadline = Date.now() + 240_000; ;) {
    if (dev.exitCode !== null) throw new Error(`dev ended:\n${tail()}`)
    if (Date.now() > deadline) throw new Error(`dev was not ready:\n${tail()}`)
    const ready = await fetch(`${url}/healthz`).then((r) => r.ok, () => false)
    if (ready) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    url,
    tail,
    events: async () => {
      const { stdout } = await exec(binary, ['events', '--json', '--limit', '0', '--data', data], { cwd: root, maxBuffer: 1 << 28 })
      return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line))
    },
    stop: async () => {
      dev.kill('SIGTERM')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
