package config_test

import (
	"encoding/json"
	"testing"
	"time"

	"pushpull/shared/config"

	"github.com/google/go-cmp/cmp"
)

func TestADurationIsReadAndWrittenTheSame(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"30d": 30 * 24 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "5s": 5 * time.Second, "0s": 0,
	} {
		d, err := config.ParseDuration(text)
		if err != nil || d.Std() != want {
			t.Errorf("%s: got %v, %v", text, d.Std(), err)
		}
		again, err := config.ParseDuration(d.String())
		if err != nil || again != d {
			t.Errorf("%s: written as %s, read as %v, %v", text, d, again, err)
		}
	}
	for _, text := range []string{"", "5", "d", "-1d", "-5s", "1w", "99999999d", "1d12h"} {
		if d, err := config.ParseDuration(text); err == nil {
			t.Errorf("%q is taken as %v", text, d)
		}
	}
}

func TestOneTextMayStandForAList(t *testing.T) {
	t.Parallel()
	var got struct{ A, B config.Names }
	if err := json.Unmarshal([]byte(`{"A":"x","B":["y","z"]}`), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]config.Names{{"x"}, {"y", "z"}}, []config.Names{got.A, got.B}); diff != "" {
		t.Error(diff)
	}
	var s config.Secrets
	if err := json.Unmarshal([]byte(`7`), &s); err == nil {
		t.Error("a number is no reference")
	}
}
