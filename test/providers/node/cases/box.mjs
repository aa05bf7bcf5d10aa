import { WebhooksManager } from 'box-node-sdk/managers/webhooks'

export default {
  preset: 'box',
  sdk: 'box-node-sdk',
  timed: true,
  message: {
    headers: { 'box-signature-version': '1', 'box-signature-algorithm': 'HmacSHA256', 'box-delivery-id': 'f96bb54b-ee16-4fc5-aa65-8c2d9e5b546f' },
    body: '{"type":"webhook_event","webhook":{"id":"1234567890"},"trigger":"FILE.UPLOADED","source":{"id":"1234567890","type":"file","name":"Test.txt"}}',
  },
  verify: (m, key) => WebhooksManager.validateMessage(m.body, m.headers, key),
}
