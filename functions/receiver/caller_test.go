package main

import (
	"fmt"
	"testing"

	"pushpull/shared/config"
)

// Each kind of gateway says in its own place who called. What the caller writes
// himself is no such place.
func TestWhoCalledIsWhatTheGatewaySays(t *testing.T) {
	t.Parallel()
	const (
		ours   = `{"clientCert":{"subjectDN":"CN=webhooks.example.com,O=Example","issuerDN":"CN=Example CA","serialNumber":"1"}}`
		theirs = `{"clientCert":{"subjectDN":"CN=example.org,O=Example","issuerDN":"CN=webhooks.example.com,O=Example"}}`
	)
	http2 := func(source, authentication, ip string) string { // an HTTP API, or a function URL
		return fmt.Sprintf(`{"version":"2.0","rawPath":"/webhooks/%s","headers":{"content-type":"application/json","clientcert":"CN=webhooks.example.com,O=Example","x-forwarded-for":"198.51.100.1"},`+
			`"requestContext":{"http":{"method":"POST","sourceIp":%q},"authentication":%s},"body":"{\"requestContext\":{\"identity\":%s}}"}`,
			source, ip, authentication, `{\"clientCert\":{\"subjectDN\":\"CN=webhooks.example.com,O=Example\"},\"sourceIp\":\"198.51.100.1\"}`)
	}
	rest := func(source, identity string) string { // a REST API, or an HTTP API with the payload 1.0
		return fmt.Sprintf(`{"version":"1.0","path":"/webhooks/%s","httpMethod":"POST","multiValueHeaders":{"content-type":["application/json"],"x-forwarded-for":["198.51.100.1"]},"requestContext":{"identity":%s},"body":"{}"}`, source, identity)
	}
	for _, tt := range []struct {
		name    string
		payload string
		want    int
	}{
		{"an HTTP API, the certificate", http2("shown", ours, "192.0.2.7"), 202},
		{"an HTTP API, another certificate", http2("shown", theirs, "192.0.2.7"), 401},
		{"an HTTP API, no certificate", http2("shown", "null", "192.0.2.7"), 401},
		{"a REST API, the certificate", rest("shown", ours), 202},
		{"a REST API, another certificate", rest("shown", theirs), 401},
		{"a REST API, no certificate", rest("shown", `{"clientCert":null}`), 401},
		{"a REST API, a certificate that is no object", rest("shown", `{"clientCert":"CN=webhooks.example.com,O=Example"}`), 401},
		{"an HTTP API, the address", http2("called", "null", "198.51.100.1"), 202},
		{"an HTTP API, another address", http2("called", "null", "192.0.2.7"), 401},
		{"an HTTP API, no address", http2("called", "null", ""), 401},
		{"a REST API, the address", rest("called", `{"sourceIp":"198.51.100.1"}`), 202},
		{"a REST API, another address", rest("called", `{"sourceIp":"192.0.2.7"}`), 401},
		{"a REST API, no address", rest("called", `{}`), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add("shown", config.Webhook{Auth: &config.Auth{Scheme: "mtls", Subject: `CN=webhooks\.example\.com,.*`}})
			w.add("called", config.Webhook{Auth: &config.Auth{Scheme: "ip", CIDRs: config.Names{"198.51.100.0/24"}}})
			if got := w.invoke(t.Context(), t, []byte(tt.payload)); got.Status != tt.want {
				t.Errorf("answered %d, want %d: %s", got.Status, tt.want, w.logged)
			}
		})
	}
}
