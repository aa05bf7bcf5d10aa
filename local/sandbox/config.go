package sandbox

import (
	_ "embed" // for the configuration
	"strings"
)

//go:embed sandbox.yaml
var source string

// The name of the sandbox's source and destination, and where its secrets are.
//
//nolint:gosec // these are references, not values
const (
	Name          = "sandbox"
	WebhookSecret = "ssm:/pushpull/sandbox/webhook" // signs its webhooks
	TokenSecret   = "ssm:/pushpull/sandbox/token"   // reads its API
	InboxSecret   = "ssm:/pushpull/sandbox/inbox"   // signs our deliveries to it
)

// Config is sandbox.yaml with the address of the sandbox's API, such as
// http://127.0.0.1:49152, filled in: a source, a destination and a route.
func Config(apiURL string) []byte {
	return []byte(strings.ReplaceAll(source, "{{url}}", strings.TrimSuffix(apiURL, "/")))
}
