package webhook_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"pushpull/shared/webhook"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// What the reference library of Standard Webhooks signs verifies here, and what
// Sign signs verifies there.
func TestStandardWebhooksLibraryAgrees(t *testing.T) {
	t.Parallel()
	const secret, id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1"
	body := []byte(`{"type":"user.created"}`)
	library, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	signature, err := library.Sign(id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	theirs := webhook.Request{Body: body, Header: header(
		"webhook-id", id, "webhook-timestamp", strconv.FormatInt(at.Unix(), 10), "webhook-signature", signature)}
	if err := compile(t, standard).Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, theirs, at); err != nil {
		t.Errorf("the library's signature: %v", err)
	}
	ours := webhook.Request{Body: body}
	if err := webhook.Sign(standard, webhook.Credentials{Secrets: []string{secret}}, &ours, id, at); err != nil {
		t.Fatal(err)
	}
	fields := http.Header{}
	for _, f := range ours.Header {
		fields.Set(f.Name, f.Value)
	}
	if err := library.Verify(body, fields); err != nil {
		t.Errorf("our signature, to the library: %v", err)
	}
}
