package provider_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// A vector is a signature that a provider published, or tests its own SDK with.
type vector struct {
	Name    string            `json:"name"` // where it is published
	Preset  string            `json:"preset"`
	Secret  string            `json:"secret"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	At      time.Time         `json:"at"`
}

func (v vector) request() webhook.Request {
	r := webhook.Request{Method: "POST", URL: v.URL, Body: []byte(v.Body)}
	if v.Method != "" {
		r.Method = v.Method
	}
	_, r.RawQuery, _ = strings.Cut(v.URL, "?")
	for name, value := range v.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
		t.Fatalf("%d vectors: %v", len(all), err)
	}
	return all
}

func TestWhatProvidersPublishVerifies(t *testing.T) {
	t.Parallel()
	for _, one := range vectors(t) {
		t.Run(one.Preset+", "+one.Name, func(t *testing.T) {
			t.Parallel()
			c := load(t, one.Preset)
			v, err := webhook.Compile(*c.hook.Auth)
			if err != nil {
				t.Fatal(err)
			}
			if one.At.IsZero() {
				one.At = noon
			}
			known := webhook.Credentials{Secrets: []string{one.Secret}}
			if err := v.Verify(t.Context(), known, one.request(), one.At); err != nil {
				t.Fatalf("as published: %v", err)
			}
			changed := one.request()
			changed.Body = append(changed.Body, ' ')
			if err := v.Verify(t.Context(), known, changed, one.At); err == nil && v.Covers("") {
				t.Error("with another body, and taken")
			}
			if err := v.Verify(t.Context(), c.other, one.request(), one.At); err == nil {
				t.Error("with another secret, and taken")
			}
		})
	}
}

// A preset that says so has its vector here.
func TestEveryPresetVerifiedByAVectorHasOne(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	for _, name := range provider.Names() {
		p, err := provider.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		has := slices.ContainsFunc(all, func(v vector) bool { return v.Preset == name })
		if p.Verified.By == provider.ByVector && !has {
			t.Errorf("%s is verified by a vector that is not in testdata/vectors.json", name)
		}
	}
}
