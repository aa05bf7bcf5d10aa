import { generateWebhookSignature, verifyWebhookSignature } from '@hygraph/utils'

export default {
  preset: 'hygraph',
  sdk: '@hygraph/utils',
  timed: 'engine',
  sign: (m, secret) => ({ headers: { 'gcms-signature': generateWebhookSignature({ rawPayload: m.body, secret, environmentName: 'main' }) } }),
  verify: (m, secret) => verifyWebhookSignature({ rawPayload: m.body, signature: m.headers['gcms-signature'], secret }),
}
