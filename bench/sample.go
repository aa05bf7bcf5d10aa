package main

import (
	"fmt"
	"strings"
	"time"

	"pushpull/shared/webhook"
)

// The source that both functions have, and its secret.
const (
	sourceName  = "github"
	secretName  = "GITHUB_WEBHOOK_SECRET"
	secretValue = "a secret of the bench's own"
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

// samplePush is that push as GitHub sends it, not signed yet.
func samplePush() webhook.Request {
	r := newRequest(sourceName, "application/json", []byte(sampleBody()))
	for _, f := range []webhook.Field{
		{Name: "User-Agent", Value: "GitHub-Hookshot/044aadd"},
		{Name: "X-GitHub-Delivery", Value: "72d3162e-cc78-11e3-81ab-4c9367dc0958"},
		{Name: "X-GitHub-Event", Value: "push"},
		{Name: "X-GitHub-Hook-ID", Value: "292430182"},
		{Name: "X-GitHub-Hook-Installation-Target-ID", Value: "79929171"},
		{Name: "X-GitHub-Hook-Installation-Target-Type", Value: "repository"},
	} {
		r.Header.Set(f.Name, f.Value)
	}
	return r
}

// samplePayload returns the push, signed, as a function is handed it.
func (s setting) samplePayload() ([]byte, error) {
	r := samplePush()
	if err := s.sign(sourceName, &r, time.Now()); err != nil {
		return nil, err
	}
	return payload(r)
}
