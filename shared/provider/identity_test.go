package provider_test

import (
	"testing"

	"pushpull/shared/event"
	"pushpull/shared/provider"

	"github.com/google/go-cmp/cmp"
)

func identifiers(t *testing.T, name string) (webhook, poll *event.Identifier) {
	t.Helper()
	p, err := provider.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if webhook, err = event.Compile(p.Webhook.EventFor(true)); err != nil {
		t.Fatal(err)
	}
	if poll, err = event.Compile(*p.Poll.Resources["events"].Event); err != nil {
		t.Fatal(err)
	}
	return webhook, poll
}

// github identifies a webhook's body as GitHub sends it.
func github(id *event.Identifier, kind, delivery, body string) event.Fields {
	header := func(name string) string {
		switch name {
		case "X-GitHub-Event":
			return kind
		case "X-GitHub-Delivery":
			return delivery
		}
		return ""
	}
	return id.Identify(event.Input{Body: []byte(body), Header: header})
}

const repository = `"repository":{"id":7,"full_name":"octo/hello","pushed_at":1763884800}`

func TestGitHubsTwoTransportsAgree(t *testing.T) {
	t.Parallel()
	webhook, poll := identifiers(t, "github")
	const repo = `"repo":{"id":7,"name":"octo/hello"},"id":"999","created_at":"2026-11-23T08:00:00Z"`
	for name, c := range map[string]struct{ kind, pushed, pulled, typ, entity, id string }{
		"a push": {
			"push", `{"ref":"refs/heads/main","before":"aa","after":"bb",` + repository + `}`,
			`{"type":"PushEvent",` + repo + `,"payload":{"push_id":1,"ref":"refs/heads/main","before":"aa","head":"bb"}}`,
			"push", "octo/hello:refs/heads/main", "push:7:refs/heads/main@aa..bb",
		},
		"an issue opened": {
			"issues", `{"action":"opened","issue":{"number":3,"node_id":"I_1","updated_at":"2026-11-23T08:00:00Z"},` + repository + `}`,
			`{"type":"IssuesEvent",` + repo + `,"payload":{"action":"opened","issue":{"number":3,"node_id":"I_1","updated_at":"2026-11-23T08:00:07Z"}}}`,
			"issues.opened", "octo/hello#3", "issues.opened:I_1",
		},
		"an issue closed, with a comment since": {
			"issues", `{"action":"closed","issue":{"number":3,"node_id":"I_1","closed_at":"2026-11-23T08:00:00Z","updated_at":"2026-11-23T08:00:00Z"},` + repository + `}`,
			`{"type":"IssuesEvent",` + repo + `,"payload":{"action":"closed","issue":{"number":3,"node_id":"I_1","closed_at":"2026-11-23T08:00:00Z","updated_at":"2026-11-23T08:00:01Z"}}}`,
			"issues.closed", "octo/hello#3", "issues.closed:I_1@2026-11-23T08:00:00Z",
		},
		"a comment": {
			"issue_comment", `{"action":"created","issue":{"number":3},"comment":{"node_id":"IC_1"},` + repository + `}`,
			`{"type":"IssueCommentEvent",` + repo + `,"payload":{"action":"created","issue":{"number":3},"comment":{"node_id":"IC_1"}}}`,
			"issue_comment.created", "octo/hello#3", "issue_comment.created:IC_1",
		},
		"a pull request opened, trimmed in the list": {
			"pull_request", `{"action":"opened","number":4,"pull_request":{"id":11,"number":4,"node_id":"PR_1","merged":false},` + repository + `}`,
			`{"type":"PullRequestEvent",` + repo + `,"payload":{"action":"opened","number":4,"pull_request":{"id":11,"number":4}}}`,
			"pull_request.opened", "octo/hello#4", "pull_request.opened:11",
		},
		"a pull request merged, which only the list calls so": {
			"pull_request", `{"action":"closed","pull_request":{"id":11,"number":4,"merged":true,"closed_at":"2026-11-23T08:00:00Z"},` + repository + `}`,
			`{"type":"PullRequestEvent",` + repo + `,"payload":{"action":"merged","pull_request":{"id":11,"number":4}}}`,
			"pull_request.closed", "octo/hello#4", "pull_request.merged:11",
		},
		"a pull request merged, in an untrimmed list": {
			"pull_request", `{"action":"closed","pull_request":{"id":11,"number":4,"merged":true,"closed_at":"2026-11-23T08:00:00Z"},` + repository + `}`,
			`{"type":"PullRequestEvent",` + repo + `,"payload":{"action":"closed","pull_request":{"id":11,"number":4,"merged":true,"closed_at":"2026-11-23T08:00:00Z"}}}`,
			"pull_request.closed", "octo/hello#4", "pull_request.merged:11",
		},
		"a review": {
			"pull_request_review", `{"action":"submitted","review":{"node_id":"PRR_1","state":"approved"},"pull_request":{"id":11,"number":4},` + repository + `}`,
			`{"type":"PullRequestReviewEvent",` + repo + `,"payload":{"action":"created","review":{"node_id":"PRR_1","state":"approved"},"pull_request":{"id":11,"number":4}}}`,
			"pull_request_review.submitted", "octo/hello#4", "pull_request_review.submitted:PRR_1",
		},
		"a fork": {
			"fork", `{"forkee":{"id":12},` + repository + `}`,
			`{"type":"ForkEvent",` + repo + `,"payload":{"action":"forked","forkee":{"id":12}}}`,
			"fork", "octo/hello", "fork:12",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pushed := github(webhook, c.kind, "guid", c.pushed)
			pulled := poll.Identify(event.Input{Body: []byte(c.pulled)})
			want := event.Fields{ID: c.id, Type: c.typ, Entity: c.entity}
			for transport, got := range map[string]event.Fields{"webhook": pushed, "poll": pulled} {
				want.Time = got.Time
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s", transport, diff)
				}
			}
		})
	}
}

func TestTwoHappeningsAtGitHubNeverShareAnIdentity(t *testing.T) {
	t.Parallel()
	webhook, poll := identifiers(t, "github")
	zeros := `"0000000000000000000000000000000000000000"`
	for name, c := range map[string]struct{ kind, body string }{
		"two labels added within a second":                {"issues", `{"action":"labeled","label":{"name":"a"},"issue":{"number":3,"node_id":"I_1","updated_at":"2026-11-23T08:00:00Z"},` + repository + `}`},
		"two edits of a comment":                          {"issue_comment", `{"action":"edited","comment":{"node_id":"IC_1","updated_at":"2026-11-23T08:00:00Z"},` + repository + `}`},
		"a branch created twice":                          {"push", `{"ref":"refs/heads/x","before":` + zeros + `,"after":"bb",` + repository + `}`},
		"a branch deleted twice":                          {"push", `{"ref":"refs/heads/x","before":"bb","after":` + zeros + `,` + repository + `}`},
		"a star given, taken, given":                      {"watch", `{"action":"started",` + repository + `}`},
		"two checks":                                      {"check_run", `{"action":"created","check_run":{"node_id":"CR_1"},` + repository + `}`},
		"a pull request closed unmerged without its time": {"pull_request", `{"action":"closed","pull_request":{"id":11,"merged":false},` + repository + `}`},
		"two pings":                                       {"ping", `{"zen":"x"}`},
	} {
		if a, b := github(webhook, c.kind, "one", c.body), github(webhook, c.kind, "two", c.body); a.ID == b.ID {
			t.Errorf("%s: both are %s", name, a.ID)
		}
	}
	closed := func(id string) event.Fields {
		return poll.Identify(event.Input{Body: []byte(`{"id":"` + id + `","type":"PullRequestEvent","payload":{"action":"closed","pull_request":{"id":11,"number":4}}}`)})
	}
	if a, b := closed("1"), closed("2"); a.ID == b.ID || a.Type != "pull_request.closed" {
		t.Errorf("a pull request closed twice, trimmed: both are %s", a.ID)
	}
	updated := poll.Identify(event.Input{Body: []byte(`{"id":"1","type":"PullRequestReviewEvent","payload":{"action":"updated","review":{"node_id":"PRR_1","state":"approved"}}}`)})
	if updated.Type != "pull_request_review.edited" || updated.ID != "event:1" {
		t.Errorf("a review's edit is not its submission: %+v", updated)
	}
}

func TestStripesTwoTransportsAgree(t *testing.T) {
	t.Parallel()
	webhook, poll := identifiers(t, "stripe")
	in := event.Input{Body: []byte(`{"id":"evt_1","object":"event","type":"invoice.paid","created":1763884800,"api_version":"2026-01-01","data":{"object":{"id":"in_1"}}}`)}
	pushed, pulled := webhook.Identify(in), poll.Identify(in)
	if diff := cmp.Diff(pushed, pulled); diff != "" {
		t.Error(diff)
	}
	if pushed.ID != "evt_1" || pushed.Type != "invoice.paid" || pushed.Entity != "in_1" || pushed.Version != "" || pushed.Time.Unix() != 1763884800 {
		t.Errorf("%+v", pushed)
	}
}
