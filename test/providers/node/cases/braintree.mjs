import braintree from 'braintree'

const gateway = privateKey => new braintree.BraintreeGateway({
  environment: braintree.Environment.Sandbox,
  merchantId: 'merchant',
  publicKey: 'public_key',
  privateKey,
})
const form = fields => new URLSearchParams(fields).toString()
const sample = gateway('any').webhookTesting.sampleNotification(braintree.WebhookNotification.Kind.SubscriptionWentPastDue, 'sub_1029')

export default {
  preset: 'braintree',
  sdk: 'braintree',
  with: { public_key: 'public_key' },
  message: {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form({ bt_payload: sample.bt_payload }),
  },
  sign: (m, privateKey) => {
    const signed = gateway(privateKey).webhookTesting.sampleNotification(braintree.WebhookNotification.Kind.SubscriptionWentPastDue, 'sub_1029')
    return { body: form(signed) }
  },
  verify: (m, privateKey) => {
    const fields = Object.fromEntries(new URLSearchParams(m.body))
    return gateway(privateKey).webhookNotification.parse(fields.bt_signature, fields.bt_payload)
  },
  change: m => {
    const fields = Object.fromEntries(new URLSearchParams(m.body))
    const xml = Buffer.from(fields.bt_payload, 'base64').toString().replace('sub_1029', 'sub_1028')
    return { ...m, body: form({ ...fields, bt_payload: Buffer.from(xml).toString('base64') + '\n' }) }
  },
}
