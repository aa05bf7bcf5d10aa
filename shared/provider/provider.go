// Package provider has what is known of each provider: a preset for its
// webhooks, for its API, or for both, each provider one YAML file here.
//
// Its one invariant: a file's presence is its registration, and every file
// loads (a test loads them all), so that no preset can fail at a user's.
package provider

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/event"

	"github.com/goccy/go-yaml"
)

//go:embed *.yaml
var files embed.FS

// ErrUnknown is returned for a provider that has no preset.
var ErrUnknown = errors.New("no such provider")

// A Preset is what is known of one provider.
type Preset struct {
	// Name is what a source says in `provider:`; the file is NAME.yaml.
	Name string `json:"name"`
	// Title is the provider's name for people.
	Title string `json:"title"`
	// Docs are the titles of the provider's own pages on it.
	Docs []string `json:"docs"`
	// Verified says how the rule was checked.
	Verified Verified `json:"verified"`
	// Answer is what the provider makes of our answers.
	Answer Answer `json:"answer,omitzero"`
	// SharedID says that the provider's API lists its events under the ids that its webhooks carry.
	SharedID bool `json:"shared_id,omitempty"`
	// Parameters are what a source must say in webhook.with, by name, in words.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Setup is what to do at the provider, step by step, with {url} for the
	// webhook's address, {secret} and {verify_token} for the places of these.
	Setup []string `json:"setup,omitempty"`
	// Webhook is how its webhooks are authenticated and identified; nil where it has none.
	Webhook *Webhook `json:"webhook,omitempty"`
	// Poll is how its API is read; nil where that is not known.
	Poll *Poll `json:"poll,omitempty"`
	// Samples are requests as it makes them, unsigned.
	Samples []Sample `json:"samples,omitempty"`
}

// Verified is how a preset's rule was checked.
type Verified struct {
	// By is the best there was: a published test vector, the provider's own SDK, its documentation alone, or memory.
	By string `json:"by"`
	// How names the vector, the SDK's package, or the page, and says what of it was not checked.
	How string `json:"how"`
}

// The ways to check a preset, from the best.
const (
	ByVector        = "vector"
	BySDK           = "sdk"
	ByDocumentation = "documentation"
	// ByRecalled is of a poll alone: general knowledge of the API, of which nothing was looked up.
	ByRecalled = "recalled"
)

// Answer is what the provider makes of our answers.
type Answer struct {
	// Expects is what counts as taken, such as "any 2xx".
	Expects string `json:"expects"`
	// Within is how long it waits.
	Within config.Duration `json:"within,omitempty"`
	// Retries is what it does otherwise, in words.
	Retries string `json:"retries,omitempty"`
}

// A Webhook is the webhook half of a preset: what a source may say, without its secret.
type Webhook struct {
	config.Webhook
	// WithPoll replaces fields of Event for a source that polls the provider too:
	// where the two transports share no id, their common identity is made of what
	// both have, which is less exact than the id of one.
	WithPoll *event.Spec `json:"with_poll,omitempty"`
	// HintWithPoll says that the requests carry no data, so that for a source that
	// has a poll, too, they are hints.
	HintWithPoll bool `json:"hint_with_poll,omitempty"`
}

// EventFor is Event as it is for a source with the webhook alone, or with the poll too.
func (w Webhook) EventFor(poll bool) event.Spec {
	var spec event.Spec
	if w.Event != nil {
		spec = *w.Event
	}
	if !poll || w.WithPoll == nil {
		return spec
	}
	for _, f := range []struct{ to, from *event.Choices }{
		{&spec.Identity, &w.WithPoll.Identity},
		{&spec.Type, &w.WithPoll.Type},
		{&spec.Time, &w.WithPoll.Time},
		{&spec.Entity, &w.WithPoll.Entity},
		{&spec.Version, &w.WithPoll.Version},
	} {
		if len(*f.from) > 0 {
			*f.to = *f.from
		}
	}
	if w.WithPoll.Map != nil {
		spec.Map = w.WithPoll.Map
	}
	return spec
}

// A Poll is the API half of a preset.
type Poll struct {
	// Verified says how what it says of the API was checked.
	Verified Verified `json:"verified,omitzero"`
	// Setup is what to do for a credential, with {secret} for its place.
	Setup []string `json:"setup,omitempty"`
	// Resources are what can be read, by name. In the file, what they have in common stands beside them.
	Resources map[string]config.Poll `json:"resources"`
}

// Names are the providers that have a preset, sorted.
func Names() []string {
	entries, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil // only for a bad pattern
	}
	names := make([]string, len(entries))
	for i, name := range entries {
		names[i] = strings.TrimSuffix(name, ".yaml")
	}
	return names
}

// Load reads the preset of a provider. The error is ErrUnknown where there is none.
func Load(name string) (Preset, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return Preset{}, fmt.Errorf("provider %q: %w", name, ErrUnknown)
	}
	p, err := parse(text)
	if err != nil {
		return Preset{}, fmt.Errorf("preset %s.yaml: %w", name, err)
	}
	return p, nil
}

func parse(text []byte) (Preset, error) {
	var raw map[string]any
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return Preset{}, fmt.Errorf("not YAML: %w", err)
	}
	expandAll(raw)
	full, err := json.Marshal(raw)
	if err != nil {
		return Preset{}, fmt.Errorf("not JSON: %w", err)
	}
	var p Preset
	d := json.NewDecoder(bytes.NewReader(full))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Preset{}, fmt.Errorf("not a preset: %w", err)
	}
	return p, nil
}

// expandAll expands the event of the webhook and of each resource.
func expandAll(raw map[string]any) {
	if w, ok := raw["webhook"].(map[string]any); ok {
		Expand(w["event"])
		Expand(w["with_poll"])
		ExpandHydrate(w["hydrate"])
	}
	expandPoll(raw)
}

// expandPoll writes the resources in full: what stands beside them is common to all.
func expandPoll(raw map[string]any) {
	poll, _ := raw["poll"].(map[string]any)
	resources, _ := poll["resources"].(map[string]any)
	common := maps.Clone(poll)
	delete(common, "setup")
	delete(common, "verified")
	delete(common, "resources")
	Expand(common["event"])
	for _, r := range resources {
		if r, ok := r.(map[string]any); ok {
			Expand(r["event"])
			Under(r, clone(common))
		}
	}
	for key := range common {
		delete(poll, key)
	}
}

// clone copies a tree of mappings, so that what two have in common is each one's own.
func clone(m map[string]any) map[string]any {
	out := maps.Clone(m)
	for key, value := range out {
		if inner, ok := value.(map[string]any); ok {
			out[key] = clone(inner)
		}
	}
	return out
}

// Expand writes the short forms of an event.Spec in full, in place: a text
// instead of a list of candidates, and a text instead of {value: …}. What is of
// another shape is left for the decoder to refuse.
func Expand(spec any) {
	expand(spec, "identity", "type", "time", "entity", "version")
}

// ExpandHydrate does the same for the url of a config.Hydrate.
func ExpandHydrate(hydrate any) { expand(hydrate, "url") }

func expand(spec any, names ...string) {
	fields, _ := spec.(map[string]any)
	for _, name := range names {
		value, ok := fields[name]
		if !ok {
			continue
		}
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		full := make([]any, len(list))
		for i, candidate := range list {
			if text, ok := candidate.(string); ok {
				candidate = map[string]any{"value": text}
			}
			full[i] = candidate
		}
		fields[name] = full
	}
}
