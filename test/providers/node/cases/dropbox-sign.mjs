import { EventCallbackHelper, EventCallbackRequest } from '@dropbox/sign'

const multipart = json => [
  '--b', 'Content-Disposition: form-data; name="json"', '', json, '--b--', '',
].join('\r\n')
const json = m => JSON.parse(m.body.match(/\{.*\}/s)[0])

export default {
  preset: 'dropbox-sign',
  sdk: '@dropbox/sign',
  message: at => ({
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: multipart(JSON.stringify({
      event: { event_type: 'signature_request_sent', event_time: String(Math.floor(at / 1000)), event_hash: '', event_metadata: {} },
    })),
  }),
  verify: (m, key) => EventCallbackHelper.isValid(key, EventCallbackRequest.init(json(m))),
  // What is signed is the type and the time, not what the event says.
  change: m => ({ ...m, body: m.body.replace('signature_request_sent', 'signature_request_signed') }),
}
