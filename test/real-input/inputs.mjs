// The events: every payload of @octokit/webhooks-examples, and Stripe events in
// the shapes of Stripe's API, each signed by its provider's own library, with
// what an independent reading of the provider's documentation says the type and
// the entity are.
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { sign } from '@octokit/webhooks-methods'
import Stripe from 'stripe'

const require = createRequire(import.meta.url)

export async function githubInputs(secret) {
  const package_ = dirname(require.resolve('@octokit/webhooks-examples/package.json'))
  const inputs = []
  for (const folder of readdirSync(package_, { withFileTypes: true }).filter((d) => d.isDirectory() && d.name !== 'node_modules')) {
    for (const { name, examples } of require(join(package_, folder.name, 'index.json'))) {
      for (const [n, payload] of examples.entries()) {
        const body = JSON.stringify(payload, null, n % 3) // pretty ones too: bytes must survive
        const id = randomUUID()
        inputs.push({
          name: `${folder.name} ${name} ${n}`,
          source: 'github',
          id,
          body,
          type: payload.action ? `${name}.${payload.action}` : name,
          entity: githubEntity(name, payload),
          headers: {
            'content-type': 'application/json',
            'user-agent': 'GitHub-Hookshot/044aadd',
            'x-github-event': name,
            'x-github-delivery': id,
            'x-hub-signature-256': await sign(secret, body),
          },
        })
      }
    }
  }
  return inputs
}

const stripeObjects = {
  'charge.succeeded': { id: 'ch_1', object: 'charge', amount: 2000, currency: 'usd' },
  'customer.created': { id: 'cus_1', object: 'customer', email: 'a@example.com', name: 'Zoë “Z” O\u2019Neill' },
  'customer.subscription.updated': { id: 'sub_1', object: 'subscription', status: 'active' },
  'invoice.paid': { id: 'in_1', object: 'invoice', total: 1999, lines: { object: 'list', data: [{ id: 'il_1' }] } },
  'payment_intent.succeeded': { id: 'pi_1', object: 'payment_intent', metadata: { note: '</script>\u2028\u0000' } },
  'checkout.session.completed': { id: 'cs_test_1', object: 'checkout.session' },
}

export function stripeInputs(secret, each = 20) {
  const stripe = new Stripe('sk_test_unused')
  const inputs = []
  for (const [type, object] of Object.entries(stripeObjects)) {
    for (let n = 0; n < each; n++) {
      const id = `evt_${randomUUID().replaceAll('-', '')}`
      const body = JSON.stringify({
        id, object: 'event', api_version: '2025-09-30.clover', created: Math.floor(Date.now() / 1000) - n, livemode: false,
        pending_webhooks: 1, request: { id: null, idempotency_key: null }, type, data: { object: { ...object, id: `${object.id}${n}` } },
      }, null, 2)
      inputs.push({
        name: `stripe ${type} ${n}`,
        source: 'stripe',
        id,
        body,
        type,
        entity: `${object.id}${n}`,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload: body, secret }),
        },
      })
    }
  }
  return inputs
}

// githubEntity is what an event is about, by the object its event's page names
// first; where that has no name of its own, the repository, organization or account.
export function githubEntity(name, p) {
  const repository = p.repository?.full_name
  const numbered = (object) => (repository && object ? `${repository}#${object.number}` : undefined)
  const byName = {
    issues: () => numbered(p.issue),
    issue_comment: () => numbered(p.issue),
    pull_request: () => numbered(p.pull_request),
    pull_request_review: () => numbered(p.pull_request),
    pull_request_review_comment: () => numbered(p.pull_request),
    pull_request_review_thread: () => numbered(p.pull_request),
    discussion: () => numbered(p.discussion),
    discussion_comment: () => numbered(p.discussion),
    push: () => `${repository}:${p.ref}`,
    create: () => `${repository}:${p.ref}`,
    delete: () => `${repository}:${p.ref}`,
    workflow_dispatch: () => `${repository}:${p.ref}`,
    release: () => `${repository}/releases/${p.release.tag_name}`,
    check_run: () => p.check_run.node_id,
    check_suite: () => p.check_suite.node_id,
    workflow_job: () => p.workflow_job.node_id,
    workflow_run: () => p.workflow_run.node_id,
    deployment: () => p.deployment.node_id,
    deployment_status: () => p.deployment.node_id,
    deployment_review: () => p.workflow_run?.node_id, // it may also be of no run
    milestone: () => p.milestone.node_id,
    label: () => p.label.node_id,
  }
  return byName[name]?.() ?? repository ?? p.organization?.login ?? p.installation?.account?.login ?? p.sender?.login
}
