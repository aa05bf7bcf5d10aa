package presets

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var blank = regexp.MustCompile(`\{(url|secret|verify_token)\}`)

// urls wants `pushpull urls` to say of every source what to do at the provider,
// with its own address and the places of its own secrets.
func (s *system) urls(t *testing.T) {
	t.Helper()
	const base = "https://hooks.example.com"
	out, err := s.Command(t.Context(), "urls", "--config", filepath.Join(filepath.Dir(s.Data()), "config"), "--base", base, "--json")
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); told++ {
		var one struct {
			Source, Provider, URL, Expects string
			Secret, Steps                  []string
			VerifyToken                    []string `json:"verify_token"`
		}
		if err := d.Decode(&one); err != nil {
			t.Fatal(err)
		}
		steps := strings.Join(one.Steps, "\n")
		if one.URL != base+"/webhooks/"+one.Source || one.Provider != one.Source || one.Expects == "" {
			t.Errorf("%s: urls printed %+v", one.Source, one)
		}
		for _, place := range append(append([]string{one.URL}, one.Secret...), one.VerifyToken...) {
			if !strings.Contains(steps, place) {
				t.Errorf("%s: no step says where %s goes", one.Source, place)
			}
		}
		if left := blank.FindString(steps); left != "" {
			t.Errorf("%s: a step has %s in it still", one.Source, left)
		}
	}
	if want := len(webhooks(t)); told != want {
		t.Errorf("urls told of %d sources, want %d", told, want)
	}
}
