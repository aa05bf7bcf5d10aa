import { signRequest, verifyRequest } from '@contentful/node-apps-toolkit'
import { hex } from '../secrets.mjs'

const canonical = m => ({ method: m.method, path: new URL(m.url).pathname, headers: { ...m.headers }, body: m.body })

export default {
  preset: 'contentful',
  sdk: '@contentful/node-apps-toolkit',
  secrets: hex,
  timed: true,
  message: {
    headers: {
      'content-type': 'application/vnd.contentful.management.v1+json',
      'X-Contentful-Topic': 'ContentManagement.Entry.publish',
      'X-Contentful-Signed-Headers': 'content-type,x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic',
    },
  },
  sign: (m, secret, at) => ({ headers: signRequest(secret, canonical(m), +at) }),
  verify: (m, secret) => verifyRequest(secret, canonical(m), 60),
}
