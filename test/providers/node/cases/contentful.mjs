import { signRequest, verifyRequest } from '@contentful/node-apps-toolkit'
import { hex } from '../secrets.mjs'

const canonical = m => {
  const { pathname, search } = new URL(m.url)
  return { method: m.method, path: pathname + search, headers: m.headers, body: m.body }
}

export default {
  preset: 'contentful',
  sdk: '@contentful/node-apps-toolkit',
  secrets: hex,
  timed: true,
  message: {
    url: 'https://example.com/webhooks/contentful?space=s1',
    headers: { 'content-type': 'application/vnd.contentful.management.v1+json', 'X-Contentful-Topic': 'ContentManagement.Entry.publish' },
  },
  sign: (m, secret, at) => ({ headers: signRequest(secret, canonical(m), +at) }),
  verify: (m, secret) => verifyRequest(secret, canonical(m), 60),
}
