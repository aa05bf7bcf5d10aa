import { WebhookReceiver } from 'livekit-server-sdk'

export default {
  preset: 'livekit',
  sdk: 'livekit-server-sdk',
  timed: true,
  message: { headers: { 'content-type': 'application/webhook+json' }, body: '{"event":"room_started","id":"EV_1029","createdAt":"1764064800"}' },
  verify: (m, secret) => new WebhookReceiver('api_key', secret).receive(m.body, m.headers.authorization),
  with: { api_key: 'api_key' },
}
