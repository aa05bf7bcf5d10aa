// What is asked of each case, in both directions, and what must be refused.
//
// A case says
//   preset     its name
//   sdk        the package; its version is read from what is installed
//   secrets    the right one and another
//   keys       instead, of a scheme with a public key: [{ public, private }, another]
//   with       the preset's parameters
//   documents  of a public key that is fetched: what its address answers, by its key
//   about      which part of the preset, where an SDK has several cases of one
//   message    { method, url, headers, body }, or a function of the time
//   sign       of the SDK: (message, secret, at) => { headers, body, url } to put in the message
//   verify     of the SDK: (message, secret) => false, or an error, if it refuses
//   timed      whether the time is signed: true, or 'engine' where only we look at it
//   change     what makes another message of it; by default a digit of the body is another
//   ignores    what the SDK does not look at, though we do: 'body'
import { fromWire, onWire } from './bridge.mjs'

const later = 6 * 24 * 60 * 60 * 1000

// A message has all its parts; the names of headers are in lower case, as Node has them.
function complete(case_, at) {
  const given = typeof case_.message === 'function' ? case_.message(at) : case_.message ?? {}
  const headers = { 'content-type': 'application/json' }
  for (const [name, value] of Object.entries(given.headers ?? {})) headers[name.toLowerCase()] = value
  const body = given.body ?? '{"id":"evt_1029","type":"order.paid","amount":1999,"note":"für Zoë"}'
  return { method: 'POST', url: `https://example.com/webhooks/${case_.preset}`, ...given, headers, body }
}

const merge = (message, signed) => ({
  ...message,
  ...signed,
  headers: {
    ...message.headers,
    ...Object.fromEntries(Object.entries(signed.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)])),
  },
})

const otherDigit = message => ({ ...message, body: message.body.replace(/\d/, d => (d === '9' ? '8' : '9')) })

export async function check(case_, ask) {
  const [right, wrong] = case_.keys ? case_.keys.map(k => k.public) : case_.secrets ?? ['a secret that is shared', 'a secret of somebody else']
  const change = case_.change ?? otherDigit
  const now = new Date()
  const done = []

  const test = async (name, run) => {
    try {
      await run()
      done.push({ name, ok: true })
    } catch (error) {
      done.push({ name, ok: false, error: String(error?.message ?? error).split('\n')[0] })
    }
  }
  const question = (op, message, secret, at) => ({
    op,
    preset: case_.preset,
    secret: [secret].flat(),
    with: case_.with,
    documents: case_.documents?.(secret),
    url: message.url,
    request: onWire(message),
    at: at.toISOString(),
  })
  const engineSigns = async at => {
    const message = complete(case_, at)
    const answer = await ask({ ...question('sign', message, right, at), private: case_.keys?.[0].private })
    if (answer.error) throw new Error(`sign: ${answer.error}`)
    return fromWire(message, answer.request)
  }
  const sdkSigns = async at => {
    const message = complete(case_, at)
    return merge(message, await case_.sign(message, right, at))
  }
  const engineTakes = async (message, secret, at = now) => {
    const answer = await ask(question('verify', message, secret, at))
    if (!answer.ok) throw new Error(answer.error)
  }
  // A request is refused for what it is. An engine that is broken refuses too.
  const engineRefuses = async (message, secret, at, reason) => {
    const answer = await ask(question('verify', message, secret, at))
    if (answer.ok) throw new Error('it was taken')
    if (!reason.includes(answer.reason)) throw new Error(`refused for another reason: ${answer.error}`)
  }
  const sdkTakes = async (message, secret) => {
    if ((await case_.verify(message, secret)) === false) throw new Error('it was refused')
  }
  const sdkRefuses = async (message, secret) => {
    let taken
    try {
      taken = (await case_.verify(message, secret)) !== false
    } catch {
      taken = false
    }
    if (taken) throw new Error('it was taken')
  }

  const signs = case_.sign ? sdkSigns : engineSigns
  const who = case_.sign ? 'SDK' : 'engine'
  await test(`the ${who} signs, the engine verifies`, async () => engineTakes(await signs(now), right))
  if (!case_.documents) {
    await test('the engine takes any of several secrets', async () => engineTakes(await signs(now), [wrong, right]))
  }
  await test('the engine refuses a changed message', async () => engineRefuses(change(await signs(now)), right, now, ['signature', 'missing']))
  await test('the engine refuses another secret', async () => engineRefuses(await signs(now), wrong, now, ['signature']))
  if (case_.timed) {
    await test('the engine refuses a stale message', async () => engineRefuses(await signs(now), right, new Date(+now + later), ['stale']))
  }
  if (case_.verify) {
    await test('the engine signs, the SDK verifies', async () => sdkTakes(await engineSigns(now), right))
    await test('the SDK refuses another secret', async () => sdkRefuses(await engineSigns(now), wrong))
    if (case_.ignores !== 'body') {
      await test('the SDK refuses a changed message', async () => sdkRefuses(change(await engineSigns(now)), right))
    }
    if (case_.timed === true) {
      await test('the SDK refuses a stale message', async () => sdkRefuses(await engineSigns(new Date(now - later)), right))
    }
  }
  return done
}
