package webhook_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// A greeting is a handshake of a preset.
type greeting struct {
	name      string
	config    config.Handshake
	handshake *webhook.Handshake
}

// handshakes are those of all presets.
func handshakes(tb testing.TB) []greeting {
	tb.Helper()
	var all []greeting
	for _, name := range provider.Names() {
		p, err := provider.Load(name)
		if err != nil {
			tb.Fatal(err)
		}
		if p.Webhook == nil {
			continue
		}
		for _, one := range p.Webhook.Handshakes {
			one = filledIn(tb, one, p.Parameters)
			made, err := webhook.CompileHandshake(one)
			if err != nil {
				tb.Fatalf("%s: %v", name, err)
			}
			all = append(all, greeting{name, one, made})
		}
	}
	if len(all) < 20 {
		tb.Fatalf("%d handshakes", len(all))
	}
	return all
}

// filledIn is a handshake with a value for each parameter of its preset.
func filledIn(tb testing.TB, one config.Handshake, parameters map[string]string) (filled config.Handshake) {
	tb.Helper()
	with := map[string]string{}
	for name := range parameters {
		with[name] = "sample"
	}
	text, err := json.Marshal(one)
	if err != nil {
		tb.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		tb.Fatal(err)
	}
	provider.FillIn(raw, with)
	if text, err = json.Marshal(raw); err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(text, &filled); err != nil {
		tb.Fatal(err)
	}
	return filled
}

// request is one that the handshake is about, with the value where any is
// taken; where there is a body of its own, that.
func (g greeting) request(value string, body []byte) webhook.Request {
	r := webhook.Request{Method: "POST", Path: "/webhooks/" + g.name, URL: "https://hooks.example.com/webhooks/" + g.name}
	r.Header.Set("Content-Type", "application/json")
	query, document := url.Values{}, map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(g.config.When)) {
		want := strings.ReplaceAll(g.config.When[name], `\`, "")
		if strings.ContainsAny(want, "[*+|(^") {
			want = value
		}
		root, arg, _ := strings.Cut(name, ".")
		switch root {
		case "method":
			r.Method = want
		case "header":
			r.Header.Set(arg, want)
		case "query":
			query.Set(arg, want)
		case "body":
			object := document
			path := strings.Split(arg, ".")
			for _, step := range path[:len(path)-1] {
				inner, ok := object[step].(map[string]any)
				if !ok {
					inner = map[string]any{}
					object[step] = inner
				}
				object = inner
			}
			if want != "" {
				object[path[len(path)-1]] = want
			}
		}
	}
	r.RawQuery = query.Encode()
	r.Body = body
	if len(body) == 0 && len(document) > 0 {
		r.Body, _ = json.Marshal(document) // texts in maps always can be
	}
	return r
}
