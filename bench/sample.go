package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// The source that the receiver is given, and the secret of both functions.
const (
	sourceName   = "github"
	secretName   = "GITHUB_WEBHOOK_SECRET"
	secretValue  = "a secret of the bench's own"
	sourceConfig = `{"webhook":{"provider":"github","secret":["env:` + secretName + `"],` +
		`"auth":{"scheme":"hmac","algorithm":"sha256","signature":{"header":"X-Hub-Signature-256","prefix":"sha256="},"encoding":"hex","signed":"{body}"},` +
		`"event":{"identity":[{"value":"{header.X-GitHub-Delivery}"}],"type":[{"value":"{header.X-GitHub-Event}"}],` +
		`"entity":[{"value":"{body.repository.full_name}"}]},"max_body":6291456}}`
)

// sampleBody returns a GitHub push of about five kilobytes.
func sampleBody() string {
	const commit = `{"id":"%040x","tree_id":"f9d2a07e9488b91af2641b26b9407fe22a451433","distinct":true,` +
		`"message":"Update README.md\n\nSay what it does and \"how\" to run it","timestamp":"2026-11-23T08:00:00Z",` +
		`"url":"https://github.com/octo/hello/commit/%040x","author":{"name":"Octo Cat","email":"octo@example.com","username":"octo"},` +
		`"committer":{"name":"GitHub","email":"noreply@github.com","username":"web-flow"},"added":[],"removed":[],"modified":["README.md"]}`
	commits := make([]string, 7)
	for i := range commits {
		commits[i] = fmt.Sprintf(commit, i+1, i+1)
	}
	return `{"ref":"refs/heads/main","before":"` + strings.Repeat("0", 40) + `","after":"` + strings.Repeat("7", 40) + `",` +
		`"repository":{"id":186853002,"node_id":"MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=","name":"hello","full_name":"octo/hello","private":false,` +
		`"owner":{"name":"octo","login":"octo","id":21031067,"type":"User","site_admin":false},"html_url":"https://github.com/octo/hello",` +
		`"url":"https://github.com/octo/hello","default_branch":"main","pushed_at":1790000000,"size":0,"language":"Go","archived":false},` +
		`"pusher":{"name":"octo","email":"octo@example.com"},"created":false,"deleted":false,"forced":false,"base_ref":null,` +
		`"compare":"https://github.com/octo/hello/compare/000000000000...777777777777","commits":[` + strings.Join(commits, ",") + `],` +
		`"head_commit":` + commits[len(commits)-1] + `}`
}

func sign(body string) string {
	mac := hmac.New(sha256.New, []byte(secretValue))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// samplePayload returns the push as API Gateway's HTTP API hands it to a function.
func samplePayload() ([]byte, error) {
	body := sampleBody()
	path := "/webhooks/" + sourceName
	return json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "POST /webhooks/{source}", "rawPath": path, "rawQueryString": "",
		"headers": map[string]string{
			"accept": "*/*", "content-length": fmt.Sprint(len(body)), "content-type": "application/json",
			"host": "abc123.execute-api.eu-central-1.amazonaws.com", "user-agent": "GitHub-Hookshot/044aadd",
			"x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "x-forwarded-for": "192.0.2.1",
			"x-forwarded-port": "443", "x-forwarded-proto": "https", "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
			"x-github-event": "push", "x-github-hook-id": "292430182", "x-github-hook-installation-target-id": "79929171",
			"x-github-hook-installation-target-type": "repository", "x-hub-signature-256": sign(body),
		},
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "abc123", "domainName": "abc123.execute-api.eu-central-1.amazonaws.com",
			"domainPrefix": "abc123", "requestId": "Ez5YujtuDoEEM9Q=", "routeKey": "POST /webhooks/{source}", "stage": "$default",
			"time": "23/Nov/2026:08:00:00 +0000", "timeEpoch": 1795420800000,
			"http": map[string]string{
				"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "GitHub-Hookshot/044aadd",
			},
		},
		"pathParameters": map[string]string{"source": sourceName}, "body": body, "isBase64Encoded": false,
	})
}
