package main

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
	"pushpull/shared/job"
	"pushpull/shared/queue"
)

// fakeJobs keeps the jobs that it took.
type fakeJobs struct {
	mu     sync.Mutex
	taken  []queue.Message
	broken error
}

func (q *fakeJobs) Send(_ context.Context, messages ...queue.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return q.broken
	}
	q.taken = append(q.taken, messages...)
	return nil
}

func TestAHintPollsEachPollOfItsSourceAndMakesNoEvent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		jobs   *fakeJobs // nil: there is no queue for them
		forged bool
		status int
		want   []string
	}{
		{"an authentic one", &fakeJobs{}, false, 202, []string{"drive", "drive.files"}},
		{"a forged one polls nothing", &fakeJobs{}, true, 401, nil},
		{"a queue that refuses is told, so that the provider comes again", &fakeJobs{broken: errors.New("refused")}, false, 503, nil},
		{"without a queue", nil, false, 503, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			source := preset(t, "github", "ssm:/github")
			source.Webhook.Hint = true
			source.Poll = config.Polls{{}, {Name: "files"}}
			w.config.sources["drive"] = source
			if tt.jobs != nil {
				w.jobs = tt.jobs
			}
			got := w.invoke(t.Context(), t, sample(t, "github-push.json", func(m map[string]any) {
				m["rawPath"] = "/webhooks/drive"
				if tt.forged {
					m["body"] = `{"forged":true}`
				}
			}))
			if got.Status != tt.status || len(w.queue.taken) != 0 {
				t.Errorf("the answer is %d, want %d; %d events", got.Status, tt.status, len(w.queue.taken))
			}
			if tt.jobs == nil {
				return
			}
			var keys []string
			for _, m := range tt.jobs.taken {
				j, err := job.Parse(m.Body)
				if err != nil {
					t.Fatal(err)
				}
				if j.Reason != job.Hinted || !j.Due.Equal(w.now()) || m.Group != "drive" {
					t.Errorf("the job is %+v in group %s", j, m.Group)
				}
				keys = append(keys, j.Key())
			}
			if diff := cmp.Diff(tt.want, keys); diff != "" {
				t.Error(diff)
			}
		})
	}
}
