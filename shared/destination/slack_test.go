package destination

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
)

func slackRig(t *testing.T) rig {
	var mu sync.Mutex
	var ids []string
	url := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var got struct{ Text string }
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, got.Text)
	})
	d := openTest(t, config.Destination{Kind: "slack", WebhookURL: config.Secrets{"env:hook"}, Message: ".id", AllowPrivate: true}, vault{"env:hook": url})
	return rig{d, func(*testing.T) []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), ids...)
	}}
}

func TestSlackMessages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, message string
		want          string // the body, or a part of the error
		fails         bool
	}{
		{"without an expression the event is named", "", `{"text":"*github* issues: issue 17"}`, false},
		{"a text", `"n is \(.data.n)"`, `{"text":"n is 1"}`, false},
		{"blocks", `{blocks: [{type: "section", text: {type: "mrkdwn", text: .type}}], text: .type}`, `{"blocks":[{"text":{"text":"issues","type":"mrkdwn"},"type":"section"}],"text":"issues"}`, false},
		{"what an event says is no markup", `.data.evil`, `{"text":"&lt;!channel&gt; &lt;http://evil.example|home&gt; &amp;amp;"}`, false},
		{"nor is the name of a key", `.data | keys | map(select(startswith("&lt;"))) | .[0]`, `{"text":"&lt;!here&gt;"}`, false},
		{"what the expression says is", `"<https://example.com|\(.type)>"`, `{"text":"<https://example.com|issues>"}`, false},
		{"a number is no message", `.data.n`, "neither a text nor an object", true},
		{"two messages are not one", `.id, .type`, "2 values", true},
		{"no message", `empty`, "0 values", true},
		{"an expression that does not fit", `.data.n.x`, "message: jq", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url, got := listen(t, nil)
			d := openTest(t, config.Destination{Kind: "slack", WebhookURL: config.Secrets{"env:hook"}, Message: test.message, AllowPrivate: true}, vault{"env:hook": url})
			e := sample("1")
			e.Data = []byte(`{"n":1,"evil":"<!channel> <http://evil.example|home> &amp;","<!here>":0}`)
			_, err := d.Deliver(t.Context(), e)
			if test.fails {
				if o, _ := outcomeOf(err); o != give || !strings.Contains(err.Error(), test.want) {
					t.Errorf("the error is %v, want a *Permanent with %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSlackCutsALongText(t *testing.T) {
	t.Parallel()
	url, got := listen(t, nil)
	d := openTest(t, config.Destination{Kind: "slack", WebhookURL: config.Secrets{"env:hook"}, Message: `"é" * 50000`, AllowPrivate: true}, vault{"env:hook": url})
	if _, err := d.Deliver(t.Context(), sample("1")); err != nil {
		t.Fatal(err)
	}
	var message struct{ Text string }
	if err := json.Unmarshal(got.body, &message); err != nil || len([]rune(message.Text)) != 40_000 || !strings.HasSuffix(message.Text, "…") {
		t.Errorf("%d characters, %v", len([]rune(message.Text)), err)
	}
}

func TestSlackAnswers(t *testing.T) {
	t.Parallel()
	app := config.Destination{Token: config.Secrets{"env:token"}, Channel: "C1"}
	hook := config.Destination{WebhookURL: config.Secrets{"env:hook"}}
	for _, test := range []struct {
		c      config.Destination
		status int
		after  string
		body   string
		want   outcome
		wait   time.Duration
		says   string
	}{
		{hook, 200, "", "ok", done, 0, ""},
		{hook, 400, "", "invalid_blocks", give, 0, "invalid_blocks"},
		{hook, 404, "", "<html>no such page</html>", give, 0, "answered 404"},
		{hook, 410, "", "channel_is_archived", give, 0, "channel_is_archived"},
		{hook, 429, "7", "", retry, 7 * time.Second, "429"},
		{hook, 500, "", "rollup_error", retry, 0, "rollup_error"},
		{app, 200, "", `{"ok":true,"ts":"1"}`, done, 0, ""},
		{app, 200, "", `{"ok":false,"error":"channel_not_found"}`, give, 0, "channel_not_found"},
		{app, 200, "", `{"ok":false,"error":"invalid_auth"}`, give, 0, "invalid_auth"},
		{app, 200, "9", `{"ok":false,"error":"ratelimited"}`, retry, 9 * time.Second, "ratelimited"},
		{app, 200, "", `{"ok":false,"error":"internal_error"}`, retry, 30 * time.Second, "internal_error"},
		{app, 429, "3", `{"ok":false,"error":"ratelimited"}`, retry, 3 * time.Second, "429"},
		{app, 200, "", `<html>`, retry, 0, "not that of Slack's API"},
	} {
		t.Run(fmt.Sprint(test.c.Channel, " ", test.status, " ", test.body), func(t *testing.T) {
			t.Parallel()
			url, got := listen(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.after != "" {
					w.Header().Set("Retry-After", test.after)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			c := test.c
			c.Kind, c.AllowPrivate = "slack", true
			if c.Channel != "" {
				c.URL = url
			}
			r, err := openTest(t, c, vault{"env:hook": url, "env:token": "xoxb-s3cret"}).Deliver(t.Context(), sample("1"))
			o, wait := outcomeOf(err)
			if r.Status != test.status || o != test.want || wait != test.wait || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("status %d, outcome %d after %v (%v); want %d after %v, %q", r.Status, o, wait, err, test.want, test.wait, test.says)
			}
			if auth := got.header.Get("Authorization"); c.Channel != "" && (auth != "Bearer xoxb-s3cret" || !strings.Contains(string(got.body), `"channel":"C1"`)) {
				t.Errorf("the request is %q %s", auth, got.body)
			}
		})
	}
}

func TestSlackFailsForAWhileWithoutItsSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]config.Destination{
		"a webhook that is not there":     {WebhookURL: config.Secrets{"env:none"}},
		"a webhook that is no address":    {WebhookURL: config.Secrets{"env:bad"}},
		"a token with a line break in it": {Token: config.Secrets{"env:bad"}, Channel: "C1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Kind = "slack"
			_, err := openTest(t, c, vault{"env:bad": "s3cret\n:"}).Deliver(t.Context(), sample("1"))
			if o, _ := outcomeOf(err); o != retry || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error is %v, want a *Retryable without the secret", err)
			}
		})
	}
}
