package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"pushpull/events"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/event"
	"pushpull/shared/webhook"
)

// A sample is a provider's request, kept as the invocation that API Gateway makes of it.
type sample struct {
	Version string            `json:"version"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
}

// samples are those there are for a source's provider, by type.
func samples(hook config.Webhook) (map[string]sample, error) {
	identify, err := event.Compile(*hook.Event)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(events.Files, hook.Provider+"-*.json")
	if err != nil {
		return nil, err
	}
	// The plain one of several for a type has the shortest name.
	slices.SortFunc(files, func(a, b string) int { return len(a) - len(b) })
	found := map[string]sample{}
	for _, file := range files {
		text, err := fs.ReadFile(events.Files, file)
		if err != nil {
			return nil, err
		}
		var s sample
		if json.Unmarshal(text, &s) != nil || s.Version != "2.0" || s.Base64 {
			continue // an invocation of another kind
		}
		typ := identify.Identify(s.input()).Type
		if _, ok := found[typ]; !ok {
			found[typ] = s
		}
	}
	return found, nil
}

func (s sample) input() event.Input {
	return event.Input{Body: []byte(s.Body), Header: func(name string) string { return s.Headers[strings.ToLower(name)] }}
}

// choose finds the sample of a type, or says which there are.
func choose(c *cobra.Command, source, typ string, found map[string]sample) (sample, error) {
	if s, ok := found[typ]; ok {
		return s, nil
	}
	if len(found) == 0 {
		return sample{}, fmt.Errorf("there is no sample for %s: send a body of your own with `pushpull send %s FILE`", source, source)
	}
	types := slices.Sorted(maps.Keys(found))
	if typ == "" {
		return sample{}, usage(c, "TYPE is missing: there are %s", strings.Join(types, ", "))
	}
	if near, ok := load.Nearest(typ, types); ok {
		return sample{}, usage(c, "there is no sample of type %q: did you mean %q?", typ, near)
	}
	return sample{}, usage(c, "there is no sample of type %q: there are %s", typ, strings.Join(types, ", "))
}

// what a provider makes anew for each event: UUIDs and commit ids.
var fresh = regexp.MustCompile(`\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{40})\b`)

// anew makes a new event of the sample: its identity, and whatever in it a
// provider never uses twice, are replaced, the same by the same.
func (s sample) anew(hook config.Webhook) (sample, error) {
	identify, err := event.Compile(*hook.Event)
	if err != nil {
		return sample{}, err
	}
	id := identify.Identify(s.input()).ID
	replaced := map[string]string{id: similar(id)}
	replace := func(text string) string {
		text = strings.ReplaceAll(text, id, replaced[id])
		return fresh.ReplaceAllStringFunc(text, func(old string) string {
			if strings.Trim(old, "0") == "" || old == replaced[id] {
				return old // all zeros mean that there is none
			}
			if replaced[old] == "" {
				replaced[old] = similar(old)
			}
			return replaced[old]
		})
	}
	anew := sample{Headers: map[string]string{}, Body: replace(s.Body)}
	for name, value := range s.Headers {
		anew.Headers[name] = replace(value)
	}
	return anew, nil
}

// similar is a new id in the manner of an old one: a UUID, a commit id, or the
// same prefix with another end.
func similar(old string) string {
	if _, err := uuid.Parse(old); err == nil {
		return uuid.NewString()
	}
	b := make([]byte, 20)
	_, _ = rand.Read(b) // it never fails
	text := hex.EncodeToString(b)
	if len(old) == len(text) && fresh.MatchString(old) {
		return text
	}
	prefix := old[:strings.LastIndexAny(old, "_-")+1]
	return prefix + text[:24]
}

// gatewayHeaders are those that the sample's gateway added, not its provider.
var gatewayHeaders = []string{"host", "content-length", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"}

// header is the sample's header as its provider sent it.
func (s sample) header() webhook.Header {
	var h webhook.Header
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if !slices.Contains(gatewayHeaders, name) {
			h.Set(name, s.Headers[name])
		}
	}
	return h
}
