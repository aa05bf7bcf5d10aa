import '@shopify/shopify-api/adapters/web-api'
import { ApiVersion, shopifyApi } from '@shopify/shopify-api'

const api = apiSecretKey => shopifyApi({
  apiKey: 'key',
  apiSecretKey,
  apiVersion: Object.values(ApiVersion).at(-1),
  hostName: 'example.com',
  isEmbeddedApp: false,
  logger: { log() {} },
})

export default {
  preset: 'shopify',
  sdk: '@shopify/shopify-api',
  message: {
    headers: {
      'X-Shopify-Topic': 'orders/create',
      'X-Shopify-Shop-Domain': 'shop.example.com',
      'X-Shopify-API-Version': '2026-10',
      'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    },
  },
  verify: async (m, secret) => {
    const rawRequest = new Request(m.url, { method: m.method, headers: m.headers, body: m.body })
    return (await api(secret).webhooks.validate({ rawBody: m.body, rawRequest })).valid
  },
}
