import bolt from '@slack/bolt'

const slack = {
  sdk: '@slack/bolt',
  timed: true,
  verify: (m, signingSecret) => bolt.verifySlackRequest({
    signingSecret,
    body: m.body,
    headers: {
      'x-slack-signature': m.headers['x-slack-signature'],
      'x-slack-request-timestamp': Number(m.headers['x-slack-request-timestamp']),
    },
  }),
}
const form = {
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'token=x&team_id=T1DC2JH3J&command=%2Fweather&text=94070&user_name=zo%C3%AB',
}

export default [
  { ...slack, preset: 'slack' },
  { ...slack, preset: 'slack-interactivity', message: form },
]
