import { WebhookSignatureValidator } from 'mercadopago'

export default {
  preset: 'mercado-pago',
  sdk: 'mercadopago',
  timed: true,
  message: {
    url: 'https://example.com/webhooks/mercado-pago?data.id=123456&type=payment',
    headers: { 'x-request-id': 'bb56a2f1-6aae-46ac-982e-9dcd3581d08e' },
    body: '{"action":"payment.updated","data":{"id":"123456"},"id":12345,"type":"payment"}',
  },
  verify: (m, secret) => WebhookSignatureValidator.validate({
    xSignature: m.headers['x-signature'],
    xRequestId: m.headers['x-request-id'],
    dataId: new URL(m.url).searchParams.get('data.id'),
    secret,
    toleranceSeconds: 300,
  }),
  // What is signed is the id in the address, not the body.
  change: m => ({ ...m, url: m.url.replace('123456', '123457') }),
}
