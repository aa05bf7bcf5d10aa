package main

import (
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	pushSecret = "a secret of the chaos provider"
	apiToken   = "a token of the chaos provider"
)

var signKey = []byte("the key our deliveries are signed")

// parameters make what a crash leaves behind come back soon: a visibility
// timeout of six times a short function timeout.
var parameters = map[string]string{"ProcessorTimeout": "5", "EventVisibility": "30", "PollerTimeout": "10", "PollVisibility": "30"}

// configOf is the stack's config: sources that no preset knows, in full.
func configOf(api, inbox string) string {
	var b strings.Builder
	b.WriteString("sources:\n")
	for i := range sources {
		fmt.Fprintf(&b, `  %s:
    grace: 2s
    webhook:
      secret: ssm:/chaos/push
      auth:
        scheme: hmac
        algorithm: sha256
        signature: { header: X-Chaos-Signature, prefix: "sha256=" }
        encoding: hex
      event:
        identity: "{body.id}"
        type: "{body.type}"
        time: "{body.created}"
        entity: "{body.data.object.id}"
`, name(i))
		if polled(i) {
			fmt.Fprintf(&b, `    poll:
      every: 5s
      base_url: %s
      token: ssm:/chaos/token
      auth: { type: bearer }
      request: { path: /%s/events }
      records: { path: data }
      pagination: { type: cursor, cursor_path: next, cursor_param: cursor }
      incremental: { cursor_path: created, start_param: since, format: unix, order: asc, lookback: 2s }
      event:
        identity: "{body.id}"
        type: "{body.type}"
        time: "{body.created}"
        entity: "{body.data.object.id}"
`, api, name(i))
		}
	}
	fmt.Fprintf(&b, `destinations:
  inbox: { kind: http, url: "%s/in", sign: ssm:/chaos/sign, allow_private: true, retry: { first: 1s, max: 5s, attempts: 50 } }
routes:
  - { from: "*", to: inbox }
`, inbox)
	return b.String()
}

func secretsOf() map[string]string {
	return map[string]string{
		"ssm:/chaos/push":  pushSecret,
		"ssm:/chaos/token": apiToken,
		"ssm:/chaos/sign":  "whsec_" + base64.StdEncoding.EncodeToString(signKey),
	}
}
