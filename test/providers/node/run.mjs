// Each provider's own SDK against the engine, and the engine against the SDK.
// Usage: BRIDGE=<program> node run.mjs RESULTS [part of a preset's name]
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from './bridge.mjs'
import { check } from './checks.mjs'

// What SDKs print when they refuse is not our output.
for (const level of ['log', 'info', 'warn', 'debug', 'error']) console[level] = () => {}
process.removeAllListeners('warning')
process.on('warning', () => {})

const [results, part = ''] = process.argv.slice(2)
const bridge = connect(process.env.BRIDGE)
const here = new URL('.', import.meta.url)
const version = name => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, here))).version

for (const file of readdirSync(new URL('cases', here)).sort()) {
  const module = await import(`./cases/${file}`)
  for (const case_ of [module.default].flat()) {
    if (!case_.preset.includes(part)) continue
    const done = await check(case_, bridge.ask)
    const failures = done.filter(c => !c.ok)
    const result = {
      preset: case_.preset,
      sdk: `${case_.sdk}@${version(case_.sdk)}`,
      language: 'node',
      ...(case_.about && { about: case_.about }),
      sdk_signs: Boolean(case_.sign),
      sdk_verifies: Boolean(case_.verify),
      passed: done.length - failures.length,
      failed: failures.length,
      checks: done.map(c => c.name),
      ...(failures.length && { failures: failures.map(({ name, error }) => ({ check: name, error })) }),
    }
    appendFileSync(results, JSON.stringify(result) + '\n')
  }
}
bridge.close()
// Some SDKs keep timers or sockets of their own.
process.exit(0)
