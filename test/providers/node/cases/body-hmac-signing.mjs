// Providers that sign the raw body and nothing else, with SDKs that do so too.
import { signatureHelper } from '@kontent-ai/webhook-helper'
import { signWebhookPayload, verifyWebhookSignature } from '@notionhq/client'
import coinbase from 'coinbase-commerce-node'
import ModernTreasury from 'modern-treasury'
import MessageValidator from 'viber-bot/lib/message/message-validator.js'

const treasury = new ModernTreasury({ apiKey: 'x', organizationID: 'x' })

export default [
  {
    preset: 'coinbase-commerce',
    sdk: 'coinbase-commerce-node',
    sign: (m, secret) => ({ headers: { 'x-cc-webhook-signature': coinbase.Webhook.computeSignature(m.body, secret) } }),
    verify: (m, secret) => coinbase.Webhook.verifySigHeader(m.body, m.headers['x-cc-webhook-signature'], secret),
  },
  {
    preset: 'kontent-ai',
    sdk: '@kontent-ai/webhook-helper',
    sign: (m, secret) => ({ headers: { 'x-kontent-ai-signature': signatureHelper.getHashFromString(m.body, secret) } }),
    verify: (m, secret) => signatureHelper.isValidSignatureFromString(m.body, secret, m.headers['x-kontent-ai-signature']),
  },
  {
    preset: 'modern-treasury',
    sdk: 'modern-treasury',
    sign: (m, key) => ({ headers: { 'x-signature': treasury.webhooks.getSignature(m.body, { key }) } }),
    verify: (m, key) => treasury.webhooks.validateSignature(m.body, m.headers, { key }),
  },
  {
    preset: 'notion',
    sdk: '@notionhq/client',
    sign: async (m, verificationToken) => ({ headers: { 'x-notion-signature': await signWebhookPayload({ body: m.body, verificationToken }) } }),
    verify: (m, verificationToken) => verifyWebhookSignature({ body: m.body, signature: m.headers['x-notion-signature'], verificationToken }),
  },
  {
    preset: 'viber',
    sdk: 'viber-bot',
    verify: (m, token) => new MessageValidator({ debug() {} }, token).validateMessage(m.headers['x-viber-content-signature'], m.body),
  },
]
