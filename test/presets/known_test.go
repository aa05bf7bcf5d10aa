package presets

// parameters are the values that a source gives in webhook.with, by preset and name.
var parameters = map[string]string{ //nolint:gochecknoglobals // a table
	"adobe-io.client_id":             "0123456789abcdef0123456789abcdef",
	"adobe-io-cloudevents.client_id": "0123456789abcdef0123456789abcdef",
	"airship.confirmation_code":      "a-confirmation-code",
	"atlassian-connect.client_key":   "a-client-key",
	"braintree.public_key":           "a_public_key",
	"confluence.client_key":          "a-client-key",
	"fal.user_id":                    "github|1234567",
	"google-pubsub.audience":         "https://hooks.example.com/webhooks/google-pubsub",
	"google-pubsub.service_account":  "push@example.iam.gserviceaccount.com",
	"kinde.domain":                   "example.kinde.com",
	"livekit.api_key":                "APIabcdefghijkl",
	"paypal.webhook_id":              "1JE4291016473214C",
	"salesforce.organization_id":     "00D000000000062EAA",
	"sns.topic_arn":                  "arn:aws:sns:eu-west-1:123456789012:orders",
	"strava.subscription_id":         "120475",
	"tiktok-shop.app_key":            "6abcdefghij",
	"vercel-log-drain.verify":        "0123456789abcdef0123456789abcdef01234567",
	"websub.topic":                   "https://example.com/feed",
	"youtube.channel":                "UCabcdefghijklmnopqrstuv",
}

// unsendable are the presets whose requests this machine cannot make, with the
// reason. A client certificate is shown to the gateway in front of a deployed
// receiver; the local one asks for none.
var unsendable = map[string]string{} //nolint:gochecknoglobals // a table

// batches are the samples with another number of events than one, by preset and type.
var batches = map[string]int{} //nolint:gochecknoglobals // a table

// hashed are the samples that nothing identifies but a hash of the body, with the reason.
var hashed = map[string]string{} //nolint:gochecknoglobals // a table

// nameless are the samples that say no type, so that the source's name is it, with the reason.
var nameless = map[string]string{} //nolint:gochecknoglobals // a table
