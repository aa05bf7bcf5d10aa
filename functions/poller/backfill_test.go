package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/job"
	"pushpull/shared/queue"
)

const backfillKey = "shop/b1"

func backfill() job.Job {
	return job.Job{Source: "shop", Reason: job.Backfills, Backfill: "b1"}
}

// history is a world with 40 records of the last 40 s, of which a poll is to read
// none, and a backfill of the first 30.
func history(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 4)
	shop := w.sources["shop"]
	shop.Poll[0].Incremental.Initial = new(config.Duration(0))
	shop.Poll[0].Incremental.EndParam = "until"
	w.sources["shop"] = shop
	begin := w.at
	w.happen(40)
	w.pass(time.Hour)
	r := checkpoint.Range{From: begin, To: begin.Add(31 * time.Second)}
	if err := w.store().StartBackfill(t.Context(), "shop", "b1", r); err != nil {
		t.Fatal(err)
	}
	return w
}

// read fails the test unless the first n records were queued, and no others.
func (w *world) read(t *testing.T, n int) {
	t.Helper()
	got, repeated := w.ids()
	if len(got) != n || repeated > 0 {
		t.Errorf("%d events, %d repeated, want %d", len(got), repeated, n)
	}
}

func TestABackfillReadsItsRangeBesideTheLivePoll(t *testing.T) {
	t.Parallel()
	w := history(t)
	w.do(t, scheduled(w.at))
	w.read(t, 0)
	live := w.status(t)
	w.do(t, backfill())
	w.happen(2)
	w.do(t, job.Job{Source: "shop", Reason: job.Manual}) // between two jobs of the backfill
	w.drain(t)
	w.read(t, 32)
	backfilled := 0
	for _, e := range w.queued {
		if e.Missed {
			t.Errorf("%s is called missed", e.ID)
		}
		if e.Backfill {
			backfilled++
		}
	}
	if backfilled != 30 {
		t.Errorf("%d events are marked, want 30", backfilled)
	}
	s := w.load(t, backfillKey)
	if s.Last.New != 30 || s.Last.Ended.IsZero() || s.Covered != s.Range.To.Sub(s.Range.From) {
		t.Errorf("the backfill is %+v", s)
	}
	if now := w.status(t); now.Last.New != 2 || now.Missed != 0 || live.Last.New != 0 {
		t.Errorf("the live poll is %+v", now)
	}
	asked := w.requests()
	w.do(t, backfill())
	if w.requests() != asked {
		t.Error("one that has ended was read again")
	}
}

func TestABackfillThatIsKilledGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	for crash := 1; crash <= 12; crash++ {
		t.Run(fmt.Sprint("at write ", crash), func(t *testing.T) {
			t.Parallel()
			w := history(t)
			writes := 0
			w.table.fail = func() error {
				if writes++; writes == crash {
					return errors.New("killed")
				}
				return nil
			}
			w.sent = []queue.Message{message(backfill(), 0)}
			for receives := 1; len(w.sent) > 0; {
				m := w.sent[0]
				if !deliver(t.Context(), t, w.handler, m.Body, receives) {
					receives++
					w.pass(lease + time.Second)
					continue
				}
				w.sent, receives = w.sent[1:], 1
			}
			got, repeated := w.ids()
			if len(got) != 30 || repeated > 4 {
				t.Errorf("%d events, %d repeated: want 30, and no more than a page twice", len(got), repeated)
			}
		})
	}
}

func TestABackfillStopsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		tell func(s *checkpoint.Store) error
		goes bool // on, when it is told to
	}{
		{"paused, it goes on where it stood", func(s *checkpoint.Store) error { return s.Pause(t.Context(), backfillKey, true) }, true},
		{"cancelled, it is over", func(s *checkpoint.Store) error { return s.Cancel(t.Context(), backfillKey) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := history(t)
			pages := 0
			w.beforeSend = func() {
				if pages++; pages == 2 {
					if err := tt.tell(w.store()); err != nil {
						t.Error(err)
					}
				}
			}
			w.do(t, backfill())
			w.drain(t)
			w.read(t, 8)
			if err := w.store().Pause(t.Context(), backfillKey, false); err != nil {
				t.Fatal(err)
			}
			w.do(t, backfill())
			w.drain(t)
			if tt.goes {
				w.read(t, 30)
				return
			}
			w.read(t, 8)
		})
	}
}

func TestABackfillThatTheAPILimitsComesBackByItself(t *testing.T) {
	t.Parallel()
	w := history(t)
	w.beforeSend = func() { w.fail, w.header = 429, http.Header{"Retry-After": {"600"}} }
	w.do(t, backfill())
	if len(w.sent) != 1 || w.sent[0].Delay != 10*time.Minute {
		t.Fatalf("queued: %v", w.sent)
	}
	w.beforeSend, w.fail, w.header = nil, 0, nil
	w.drain(t)
	w.read(t, 30)
}

func TestADeadBackfillGoesOnWhenItIsRedriven(t *testing.T) {
	t.Parallel()
	w := history(t)
	w.beforeSend = func() { w.fail = 403 }
	w.do(t, backfill())
	w.beforeSend, w.fail = nil, 0
	if len(w.dead) != 1 {
		t.Fatalf("%d dead letters", len(w.dead))
	}
	j, err := job.Parse(w.dead[0].Body)
	if err != nil || j.Key() != backfillKey || j.Stopped == "" {
		t.Errorf("the dead letter is %s (%v)", w.dead[0].Body, err)
	}
	if s := w.load(t, backfillKey); !strings.Contains(s.Stopped, "403") || s.Covered == 0 {
		t.Errorf("the backfill is %+v", s)
	}
	redrive(t, w, w.dead[0])
	w.drain(t)
	w.read(t, 30)
}

func TestTwoJobsOfABackfillReadItOnce(t *testing.T) {
	t.Parallel()
	w := history(t)
	w.beforeSend = func() {
		w.beforeSend = nil
		w.do(t, backfill())
	}
	w.do(t, backfill())
	w.drain(t)
	w.read(t, 30)
}
