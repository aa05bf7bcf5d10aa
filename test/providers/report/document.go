package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// document is docs/providers.md: every webhook, how it authenticates, and how
// that was verified, by the results where an SDK was there to ask; and every poll.
func document(results []result) (string, error) {
	names := provider.Names()
	bySDK := map[string][]result{}
	passed := 0
	for _, r := range results {
		bySDK[r.Preset] = append(bySDK[r.Preset], r)
		passed += r.Passed
	}
	var rows strings.Builder
	var polls polls
	verified, webhooks := map[string]int{}, 0
	for _, name := range names {
		p, err := provider.Load(name)
		if err != nil {
			return "", err
		}
		if p.Poll != nil {
			polls.add(p)
		}
		if p.Webhook == nil {
			continue
		}
		webhooks++
		verified[p.Verified.By]++
		fmt.Fprintf(&rows, "| %s | `%s` | %s | %s | %s |\n", cell(p.Title), name, authenticates(p), p.Verified.By, proof(bySDK[name]))
	}
	presets, sdks, providers := count(results)
	return fmt.Sprintf(`# Providers

Made from the presets and from test/providers/results.jsonl: do not edit. `+"`pushpull providers NAME`"+`
tells of one: what to type where, what it expects and how long it waits, what was checked and
what was not. There are %d presets: %d have a webhook, and %d a poll.

## Webhooks

%d are verified by a published test vector (shared/provider/testdata/vectors.json), %d by the
provider's own SDK, %d by documentation alone. With `+"`make test-providers`"+` %d SDKs of %d providers
(%d presets) sign and we verify, or we sign and they verify; what was changed, signed with another
secret or too old is refused: %d checks passed.

"body not signed": who saw one request can send others with it; `+"`pushpull check`"+` says so, and
hydrate (docs/webhooks.md) fetches from the API what must be believed.

| provider | preset | authenticates by | verified by | SDKs asked |
|---|---|---|---|---|
%s
%s`, len(names), webhooks, polls.presets, verified[provider.ByVector], verified[provider.BySDK], verified[provider.ByDocumentation],
		sdks, providers, presets, passed, rows.String(), polls.text()), nil
}

// polls are the presets that have a poll, as rows of a table.
type polls struct {
	presets, resources, recalled int
	rows                         strings.Builder
}

func (t *polls) add(p provider.Preset) {
	var shared, own []string
	for _, name := range slices.Sorted(maps.Keys(p.Poll.Resources)) {
		text := "`" + name + "`"
		if inc := p.Poll.Resources[name].Incremental; inc != nil && inc.Retention > 0 {
			text += " (" + inc.Retention.String() + ")"
		}
		if p.Shares(p.Poll.Resources[name]) {
			shared = append(shared, text)
		} else {
			own = append(own, text)
		}
	}
	t.presets++
	t.resources += len(p.Poll.Resources)
	if p.Poll.Verified.By == provider.ByRecalled {
		t.recalled++
	}
	fmt.Fprintf(&t.rows, "| %s | `%s` | %s | %s | %s |\n", cell(p.Title), p.Name, strings.Join(shared, ", "), strings.Join(own, ", "), p.Poll.Verified.By)
}

func (t *polls) text() string {
	return fmt.Sprintf(`## Polls

%d presets read %d resources. "documentation": what was taken from the provider's pages, and what was not,
is said by `+"`pushpull providers NAME`"+`; "recalled" (%d): nothing of it was looked up. None was tried against
the provider itself. Each resource has a fixture in shared/provider/testdata/poll: what is asked, what is
answered, and the events.

What a shared resource brings are the webhook's events, under their identities: a source that has both
delivers each once, and knows what push missed. The others are things of which the webhook tells
differently, or not at all. In brackets: how long the API keeps its history.

| provider | preset | shared with the webhook | others | verified by |
|---|---|---|---|---|
%s`, t.presets, t.resources, t.recalled, t.rows.String())
}

func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// authenticates is the scheme in a few words.
func authenticates(p provider.Preset) string {
	text := words(*p.Webhook.Auth)
	if v, err := webhook.Compile(*p.Webhook.Auth); err == nil && !v.Covers(p.Webhook.ReadField()) && p.Webhook.Auth.Scheme != "none" {
		text += "; body not signed"
	}
	return text
}

func words(a config.Auth) string {
	switch a.Scheme {
	case "all", "any":
		var parts []string
		for _, one := range a.Of {
			if text := words(one); !slices.Contains(parts, text) {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, map[string]string{"all": " and ", "any": " or "}[a.Scheme])
	case "hmac", "digest", "rsa", "ecdsa":
		algorithm := "sha256"
		if len(a.Algorithm) > 0 {
			algorithm = a.Algorithm[0]
		}
		return a.Scheme + " " + algorithm
	case "jwt":
		return "jwt " + strings.Join(a.Algorithm, ", ")
	}
	return a.Scheme
}

// proof is which SDKs were asked, and how.
func proof(results []result) string {
	var parts []string
	for _, r := range results {
		how := "verifies"
		if r.SDKSigns && r.SDKVerifies {
			how = "signs, verifies"
		} else if r.SDKSigns {
			how = "signs"
		}
		text := fmt.Sprintf("%s (%s; %s)", r.SDK, r.Language, how)
		if !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "<br>")
}
