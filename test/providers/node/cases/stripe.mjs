import Stripe from 'stripe'

const stripe = new Stripe('sk_test_0')

export default {
  preset: 'stripe',
  sdk: 'stripe',
  timed: true,
  sign: (m, secret, at) => ({
    headers: {
      'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload: m.body, secret, timestamp: Math.floor(at / 1000) }),
    },
  }),
  verify: (m, secret) => stripe.webhooks.constructEvent(m.body, m.headers['stripe-signature'], secret),
}
