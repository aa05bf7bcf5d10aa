import { WebhooksHelper } from 'square'

export default {
  preset: 'square',
  sdk: 'square',
  verify: (m, signatureKey) => WebhooksHelper.verifySignature({
    requestBody: m.body,
    signatureHeader: m.headers['x-square-hmacsha256-signature'],
    signatureKey,
    notificationUrl: m.url,
  }),
}
