// Sends real events to a running stack and checks that each is accepted, listed
// with its type and entity, and delivered byte for byte, once.
import { randomBytes } from 'node:crypto'
import { startInbox } from './inbox.mjs'
import { githubInputs, stripeInputs } from './inputs.mjs'
import { startStack } from './stack.mjs'

const secrets = {
  'ssm:/real/github': randomBytes(20).toString('hex'),
  'ssm:/real/stripe': `whsec_${randomBytes(24).toString('base64')}`,
  'ssm:/real/sign': `whsec_${randomBytes(32).toString('base64')}`,
}
const inbox = await startInbox(secrets['ssm:/real/sign'])
const stack = await startStack({
  secrets,
  config: `
sources:
  github: { webhook: { provider: github, secret: ssm:/real/github } }
  stripe: { webhook: { provider: stripe, secret: ssm:/real/stripe } }
destinations:
  inbox: { kind: http, url: "${inbox.url}", sign: ssm:/real/sign, allow_private: true }
routes:
  - { from: "*", to: inbox }
`,
})

const inputs = [...await githubInputs(secrets['ssm:/real/github']), ...stripeInputs(secrets['ssm:/real/stripe'])]
for (let i = inputs.length - 1; i > 0; i--) { // in any order
  const j = Math.floor(Math.random() * (i + 1));
  [inputs[i], inputs[j]] = [inputs[j], inputs[i]]
}

const failures = new Map() // input name → what was wrong
const fail = (input, what) => failures.set(input.name, what)

const queue = [...inputs]
await Promise.all(Array.from({ length: 16 }, async () => {
  for (let input; (input = queue.pop());) {
    const res = await fetch(`${stack.url}/webhooks/${input.source}`, { method: 'POST', headers: input.headers, body: input.body })
    if (res.status !== 200 && res.status !== 202) fail(input, `answered ${res.status}: ${await res.text()}`)
  }
}))

for (const deadline = Date.now() + 60_000; inbox.came.size < inputs.length && Date.now() < deadline;) {
  await new Promise((resolve) => setTimeout(resolve, 200))
}

let listed = []
for (const deadline = Date.now() + 20_000; Date.now() < deadline;) { // the last completions follow the last deliveries
  listed = await stack.events()
  if (listed.filter((e) => e.status === 'delivered').length >= inputs.length) break
  await new Promise((resolve) => setTimeout(resolve, 200))
}
const byKey = new Map(listed.map((e) => [`${e.source}/${e.id}`, e]))

for (const input of inputs) {
  if (failures.has(input.name)) continue
  const key = `${input.source}/${input.id}`
  const event = byKey.get(key)
  const bodies = inbox.came.get(key) ?? []
  if (!event) fail(input, `${key} is not in \`pushpull events\``)
  else if (event.type !== input.type) fail(input, `type ${event.type}, want ${input.type}`)
  else if ((event.entity ?? '') !== (input.entity ?? '')) fail(input, `entity ${event.entity}, want ${input.entity}`)
  else if (event.status !== 'delivered') fail(input, `status ${event.status}: ${event.reason}`)
  else if (bodies.length !== 1) fail(input, `delivered ${bodies.length} times`)
  else if (!bodies[0].equals(Buffer.from(input.body))) fail(input, 'delivered with other bytes')
}

for (const w of inbox.wrong.slice(0, 10)) console.log(`signature: ${w}`)
for (const [name, what] of [...failures].slice(0, 20)) console.log(`${name}: ${what}`)
const github = inputs.filter((i) => i.source === 'github').length
console.log(`GitHub payloads: ${github}, Stripe events: ${inputs.length - github}, signatures refused by standardwebhooks: ${inbox.wrong.length}`)
console.log(`${inputs.length - failures.size} passed, ${failures.size} failed`)
if (failures.size > 0 || inbox.wrong.length > 0) console.log(stack.tail().slice(-1500))
inbox.close()
await stack.stop()
process.exit(failures.size === 0 && inbox.wrong.length === 0 && inputs.length > 300 ? 0 : 1)
