package job_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/job"
)

func TestAJobComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		job  job.Job
		key  string
	}{
		{"of the only poll", job.Job{Source: "stripe", Reason: job.Manual}, "stripe"},
		{"of a named one", job.Job{Source: "stripe", Poll: "charges", Reason: job.Hinted, Due: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}, "stripe.charges"},
		{"of a backfill", job.Job{Source: "stripe", Poll: "charges", Reason: job.Backfills, Backfill: "b1", Continuation: true}, "stripe.charges/b1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := job.Parse(tt.job.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.job, got); diff != "" {
				t.Error(diff)
			}
			if got.Key() != tt.key {
				t.Errorf("its key is %q, want %q", got.Key(), tt.key)
			}
		})
	}
}

func TestWhatIsNoJobSaysSo(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", `{"reason":"manual"}`, `[]`} {
		if _, err := job.Parse(body); err == nil || !strings.Contains(err.Error(), "not a poll job") {
			t.Errorf("%q: %v", body, err)
		}
	}
}
