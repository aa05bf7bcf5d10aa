import MessageValidator from 'sns-validator'
import { generate } from 'selfsigned'
import { EventEmitter } from 'node:events'
import https from 'node:https'
import { Readable } from 'node:stream'

const address = name => `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${name}.pem`
const key = async name => {
  const { cert, private: private_ } = await generate([{ name: 'commonName', value: 'sns.amazonaws.com' }], { keySize: 2048, algorithm: 'sha256' })
  return { public: cert, private: private_, address: address(name) }
}
const keys = [await key('right'), await key('another')]
const withKey = (m, certificate) => {
  const SigningCertURL = keys.find(k => k.public === certificate).address
  return { ...m, body: JSON.stringify({ ...JSON.parse(m.body), SigningCertURL }) }
}

// The SDK fetches the certificate: it is given it without a network.
const validate = message => new Promise((resolve, reject) => {
  const get = https.get
  https.get = (url, answered) => {
    answered(Object.assign(Readable.from([keys.find(k => k.address === url).public]), { statusCode: 200 }))
    return new EventEmitter()
  }
  new MessageValidator().validate(message, error => (error ? reject(error) : resolve()))
  https.get = get
})

export default {
  preset: 'sns',
  sdk: 'sns-validator',
  keys,
  documents: certificate => ({ [address('right')]: certificate }),
  timed: 'engine',
  message: {
    headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' },
    body: JSON.stringify({
      Type: 'Notification',
      MessageId: 'dc1e94d9-56c5-5e96-808d-cc7f68faa162',
      TopicArn: 'arn:aws:sns:eu-west-1:123456789012:orders',
      Subject: 'Bestellung für Zoë',
      Message: '{"order":1029}',
      Timestamp: '2026-11-25T10:00:00.000Z',
      SignatureVersion: '2',
      Signature: '',
      SigningCertURL: address('right'),
      UnsubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
    }),
  },
  verify: (m, certificate) => validate(withKey(m, certificate).body),
  change: m => ({ ...m, body: m.body.replace('1029', '1030') }),
}
