import { hmacValidator as HmacValidator } from '@adyen/api-library'
import { hex } from '../secrets.mjs'

const validator = new HmacValidator()
const item = reference => ({
  NotificationRequestItem: {
    additionalData: {},
    amount: { value: 1130, currency: 'EUR' },
    pspReference: reference,
    eventCode: 'AUTHORISATION',
    eventDate: '2026-11-25T10:00:00+01:00',
    merchantAccountCode: 'TestMerchant',
    merchantReference: 'Payment-1407325143704',
    paymentMethod: 'visa',
    success: 'true',
  },
})
const items = m => JSON.parse(m.body).notificationItems.map(i => i.NotificationRequestItem)

export default [
  {
    preset: 'adyen',
    sdk: '@adyen/api-library',
    secrets: hex,
    message: { body: JSON.stringify({ live: 'false', notificationItems: [item('7914073381342284'), item('7914073381342285')] }) },
    sign: (m, key) => {
      const body = JSON.parse(m.body)
      for (const { NotificationRequestItem: i } of body.notificationItems) i.additionalData.hmacSignature = validator.calculateHmac(i, key)
      return { body: JSON.stringify(body) }
    },
    verify: (m, key) => items(m).every(i => validator.validateHMAC(i, key)),
    // The second item, so that a look at the first alone is found out.
    change: m => {
      const body = JSON.parse(m.body)
      body.notificationItems[1].NotificationRequestItem.amount.value = 113000
      return { ...m, body: JSON.stringify(body) }
    },
  },
  {
    preset: 'adyen-platform',
    sdk: '@adyen/api-library',
    secrets: hex,
    sign: (m, key) => ({ headers: { HmacSignature: validator.calculateHmac(m.body, key), protocol: 'HmacSHA256' } }),
    verify: (m, key) => validator.validateHMACSignature(key, m.headers.hmacsignature, m.body),
  },
]
