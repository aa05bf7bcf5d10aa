package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

const host = "abc123.execute-api.eu-central-1.amazonaws.com"

// newRequest is a POST to a source, not signed yet.
func newRequest(source, contentType string, body []byte) webhook.Request {
	path := "/webhooks/" + source
	r := webhook.Request{Method: "POST", Path: path, URL: "https://" + host + path, Body: body}
	r.Header.Set("Content-Type", contentType)
	return r
}

// sampleRequest is a sample of the preset that has a source's name.
func sampleRequest(name, typ string, with map[string]string, at time.Time) (webhook.Request, error) {
	p, err := provider.Load(name)
	if err != nil {
		return webhook.Request{}, err
	}
	i := slices.IndexFunc(p.Samples, func(s provider.Sample) bool { return s.Type == typ })
	if i < 0 {
		return webhook.Request{}, fmt.Errorf("preset %s has no sample %s", name, typ)
	}
	s := p.Samples[i].Fill(typ, with, at)
	if s.ContentType == "" {
		s.ContentType = "application/json"
	}
	r := newRequest(name, s.ContentType, []byte(s.Body))
	for _, field := range slices.Sorted(maps.Keys(s.Headers)) {
		r.Header.Set(field, s.Headers[field])
	}
	return r, nil
}

// sign signs a request as the provider of its source would.
func (s setting) sign(source string, r *webhook.Request, at time.Time) error {
	hook := s.sources[source].Webhook
	if hook == nil || hook.Auth == nil {
		return fmt.Errorf("source %s has no webhook", source)
	}
	private, err := s.ring.Private(*hook, *r, at)
	if err != nil {
		return fmt.Errorf("sign for %s: %w", source, err)
	}
	known := webhook.Credentials{Private: private}
	for _, ref := range hook.Secret {
		known.Secrets = append(known.Secrets, s.secrets[ref])
	}
	if err := webhook.Sign(*hook.Auth, known, r, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", at); err != nil {
		return fmt.Errorf("sign for %s: %w", source, err)
	}
	return nil
}

// payload is a request as API Gateway's HTTP API hands it to a function. What is
// no text it hands over in base64.
func payload(r webhook.Request) ([]byte, error) {
	body, isBase64 := string(r.Body), false
	contentType := r.Header.Get("Content-Type")
	if r.Header.Get("Content-Encoding") != "" || strings.HasPrefix(contentType, "multipart/") {
		body, isBase64 = base64.StdEncoding.EncodeToString(r.Body), true
	}
	headers := map[string]string{
		"accept": "*/*", "content-length": fmt.Sprint(len(r.Body)), "host": host, "user-agent": "Bench/1",
		"x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "x-forwarded-for": "192.0.2.1",
		"x-forwarded-port": "443", "x-forwarded-proto": "https",
	}
	for _, f := range r.Header {
		headers[strings.ToLower(f.Name)] = f.Value
	}
	source := r.Path[strings.LastIndexByte(r.Path, '/')+1:]
	return json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "POST /webhooks/{source}", "rawPath": r.Path, "rawQueryString": r.RawQuery, "headers": headers,
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "abc123", "domainName": host, "domainPrefix": "abc123",
			"requestId": "Ez5YujtuDoEEM9Q=", "routeKey": "POST /webhooks/{source}", "stage": "$default",
			"time": "23/Nov/2026:08:00:00 +0000", "timeEpoch": 1795420800000,
			"http": map[string]string{
				"method": r.Method, "path": r.Path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": headers["user-agent"],
			},
		},
		"pathParameters": map[string]string{"source": source}, "body": body, "isBase64Encoded": isBase64,
	})
}
