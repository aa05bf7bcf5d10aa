package presets

// parameters are the values that a source gives in webhook.with, by preset and name.
var parameters = map[string]string{ //nolint:gochecknoglobals // a table
	"adobe-io.client_id":             "0123456789abcdef0123456789abcdef",
	"adobe-io-cloudevents.client_id": "0123456789abcdef0123456789abcdef",
	"airship.confirmation_code":      "a-confirmation-code",
	"atlassian-connect.client_key":   "a-client-key",
	"braintree.public_key":           "a_public_key",
	"confluence.client_key":          "a-client-key",
	"fal.user_id":                    "1234567",
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
// reason: those with a client certificate (mtls), which the local gateway does not
// ask for, or that are told by the address that calls (ip). There are none.
var unsendable = map[string]string{} //nolint:gochecknoglobals // a table

// batches are the samples with more events than one, by preset and type: what
// was counted in their texts, not by the reader.
var batches = map[string]int{ //nolint:gochecknoglobals // a table
	"ably channel.presence:presence.message":                    2,
	"adyen AUTHORISATION":                                       2,
	"airship push":                                              2,
	"amplitude purchase":                                        2,
	"asana story.added":                                         2,
	"asana task.changed":                                        2,
	"auth0 s":                                                   2,
	"bamboohr employee.updated":                                 2,
	"bandwidth message-delivered":                               2,
	"brevo opened":                                              2,
	"cloudevents-batch com.example.order.paid":                  2,
	"cloudflare-logpush http_requests":                          2,
	"event-grid Microsoft.Storage.BlobCreated":                  2,
	"fitbit activities":                                         2,
	"github-secret-scanning example_api_token":                  2,
	"gocardless payments.confirmed":                             2,
	"grafana firing":                                            2,
	"hubspot contact.propertyChange":                            2,
	"hubspot-v1 contact.creation":                               2,
	"instagram comments":                                        2,
	"instagram message":                                         2,
	"klaviyo event:klaviyo.opened_email":                        2,
	"kontent-ai content_item.published":                         2,
	"line message":                                              2,
	"linkedin ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS.COMMENT": 2,
	"mailjet sent":                                              2,
	"mailtrap delivery":                                         2,
	"mandrill send":                                             2,
	"messenger message":                                         2,
	"messenger postback":                                        2,
	"meta feed":                                                 2,
	"meta leadgen":                                              2,
	"microsoft-graph missed":                                    2,
	"microsoft-graph updated":                                   2,
	"okta user.lifecycle.create":                                2,
	"pandadoc document_state_changed":                           2,
	"pusher channel_occupied":                                   2,
	"pusher member_added":                                       2,
	"quickbooks Customer.Create":                                2,
	"quickbooks qbo.invoice.created.v1":                         2,
	"salesforce-marketing-cloud TransactionalSendEvents.EmailSent": 2,
	"salesforce sf:Account":          2,
	"segment identify":               2,
	"sendgrid click":                 2,
	"sendgrid delivered":             2,
	"smartsheet row.updated":         2,
	"sparkpost delivery":             2,
	"statsig statsig::config_change": 2,
	"tailscale nodeCreated":          2,
	"twilio-event-streams com.twilio.messaging.message.delivered": 2,
	"vercel-log-drain build":  2,
	"vercel-log-drain lambda": 2,
	"x tweet_create_events":   2,
	"xero CONTACT.UPDATE":     2,
}

// hashed are the samples whose identity is, or looks like, a hash of the body, with the reason.
var hashed = map[string]string{ //nolint:gochecknoglobals // a table
	"contentful ContentManagement.Entry.publish": "the idempotency key in its header looks like one",
	"github-secret-scanning example_api_token":   "an alert has no id, and its token is a live secret",
	"merge Employee.changed":                     "the provider's advice: its signature, which is of the body alone",
	"patreon members:pledge:create":              "a member has neither an id of the change nor its time",
	"whatsapp messages.text":                     "a change holds several messages, and the first one's id is not the change's",
	"whatsapp statuses.delivered":                "a change holds several statuses, and the first one's id is not the change's",
	"whatsapp message_template_status_update":    "a change of a template has no id, and a time only around it",
}

// each are the samples that say nothing by which one sent again could be told
// from another event: each request counts, by the number that the gateway gives
// it, which trigger cannot know.
var each = map[string]string{ //nolint:gochecknoglobals // a table
	"dropbox list_folder":    "which accounts have changes, no more: they are listed",
	"prismic api-update":     "a test is the same bytes each time",
	"storyblok published":    "a story that is published twice is the same bytes twice",
	"supabase DELETE":        "a row that comes and goes is the same bytes again",
	"microsoft-graph missed": "a notice of the subscription has neither an id nor a time",
	"fitbit activities":      "what changed is fetched: the same notice comes for each change of a day",
	"mollie-classic updated": "the body is the payment's id alone, whatever happened to it",
	"quay repo_push":         "two pushes of a tag are the same bytes",
}

// nameless are the samples that say no type, so that the source's name is it, with the reason.
var nameless = map[string]string{ //nolint:gochecknoglobals // a table
	"wix wix": "what happened is text of JSON within text of JSON in the token",
}

// unsigned are the presets whose providers do not sign every byte of the body.
var unsigned = map[string]part{ //nolint:gochecknoglobals // a table
	"adyen":             {"of each item what its text for signing lists", `"merchantReference":"`},
	"atlassian-connect": {"the method, the path and the query", ""},
	"braintree":         {"bt_payload, which is all that is read", "bt_payload="},
	"confluence":        {"the method, the path and the query", ""},
	"dropbox-sign":      {"the event's time and type", `"event_type":"`},
	"forgejo":           {"the body, or in a form the payload, which is all that is read", `"ref":"`},
	"gitea":             {"the body, or in a form the payload, which is all that is read", `"ref":"`},
	"gogs":              {"the body, or in a form the payload, which is all that is read", `"ref":"`},
	"google-pubsub":     {"a token for the address", ""},
	"lever":             {"the token and triggeredAt", `"token":"`},
	"mailgun":           {"the timestamp and the token", `"token":"`},
	"mailgun-routes":    {"the timestamp and the token", "&token="},
	"mercado-pago":      {"the id in the address, which data.id must equal", `"data":{"id":"`},
	"microsoft-graph":   {"each item shows clientState", ""},
	"monday":            {"a token for the address", ""},
	"paypal":            {"a CRC-32 of the body, which another body can be made to have", `"id":"WH-`},
	"plivo-sms":         {"the address and a number", ""},
	"signwell":          {"the event's time and type", `"type":"`},
	"sns":               {"all but the addresses of the certificate and for leaving", `"Message":"`},
	"strava":            {"nothing", ""},
}

// A part is what is signed of a body, with the text before a byte of it.
type part struct{ signs, before string }
