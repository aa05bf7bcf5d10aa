package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/job"
)

func TestPollsOfASourceHaveStatesOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	shop := w.sources["shop"]
	second := shop.Poll[0]
	second.Name = "orders"
	shop.Poll = append(slices.Clone(shop.Poll), second)
	w.sources["shop"] = shop
	w.happen(3)
	w.tick(t)
	var keys []string
	for _, m := range w.sent {
		j, err := job.Parse(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, j.Key())
	}
	if diff := cmp.Diff([]string{"shop", "shop.orders"}, keys); diff != "" {
		t.Fatal(diff)
	}
	orders := w.sent[1].Body
	w.sent = nil
	if !deliver(t.Context(), t, w.handler, orders, 1) {
		t.Fatal("the job failed")
	}
	if a, b := w.load(t, "shop"), w.load(t, "shop.orders"); !a.Checkpoint.IsZero() || b.Last.Records != 3 {
		t.Errorf("the states are %+v and %+v", a, b)
	}
	w.do(t, job.Job{Source: "shop", Poll: "gone", Reason: job.Manual}) // taken out of the configuration
	if len(w.dead) > 0 {
		t.Errorf("dead letters: %v", w.dead)
	}
}

func TestAPollThatWillNotHealIsStoppedAndNotAStorm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	w.happen(1)
	w.fail = 401
	w.do(t, scheduled(w.at))
	s := w.status(t)
	if !strings.Contains(s.Stopped, "refused the credential") || s.Config == "" || !strings.Contains(s.Why, "stopped") {
		t.Errorf("the status is %+v", s)
	}
	for range 3 { // by hand: the pause gets no longer
		w.do(t, job.Job{Source: "shop", Reason: job.Manual})
	}
	if s := w.status(t); s.Due.Sub(w.at) > time.Hour {
		t.Errorf("tried by hand, it rests until %s", s.Due)
	}
	const days = 4
	asked := w.requests()
	for range days * 24 {
		w.pass(time.Hour)
		w.tick(t)
		w.drain(t)
	}
	// Tried again after 1, 1, 2, 4, 8 and 16 hours, then once a day; its owner is told once, besides who tried.
	if n := w.requests() - asked; n != 8 || len(w.dead) != 1+3 {
		t.Errorf("in %d days %d requests and %d dead letters", days, n, len(w.dead))
	}
	if err := w.metricsFlushed(); err != nil || !strings.Contains(w.metrics.String(), `"PollsStopped":1}`) {
		t.Errorf("the alarm is not told: %s (%v)", w.metrics.String(), err)
	}

	w.fail = 0
	shop := w.sources["shop"]
	shop.Poll = slices.Clone(shop.Poll)
	shop.Poll[0].Token = config.Secrets{"ssm:/another"}
	w.sources["shop"] = shop
	w.happen(1)
	w.tick(t)
	w.drain(t)
	if s := w.status(t); s.Stopped != "" || s.Error != "" || s.Last.Records != 1 {
		t.Errorf("mended, the status is %+v", s)
	}
}

func TestAPollThatIsStoppedIsMadeByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	w.happen(1)
	w.fail = 404
	w.do(t, scheduled(w.at))
	w.fail = 0
	redrive(t, w, w.dead[0])
	if s := w.status(t); s.Stopped != "" || s.Last.Records != 1 {
		t.Errorf("the status is %+v", s)
	}
}

func TestAMistakeInTheConfigurationIsShownWithThePoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	w.sources["shop"].Poll[0].BaseURL = "nowhere"
	w.do(t, scheduled(w.at))
	if s := w.status(t); !strings.Contains(s.Error, "base_url") || s.Stopped == "" || !s.LeaseUntil.IsZero() {
		t.Errorf("the status is %+v", s)
	}
}

// adaptive is a world whose poll was made once, with an interval that adapts.
func adaptive(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 100)
	p := &w.sources["shop"].Poll[0]
	p.Adapt, p.Min, p.Max = "misses", config.Duration(time.Minute), config.Duration(time.Hour)
	w.happen(1)
	w.do(t, scheduled(w.at))
	return w
}

func TestTheIntervalGrowsWhilePushIsSoundAndShrinksAtAMiss(t *testing.T) {
	t.Parallel()
	w := adaptive(t)
	var got []string
	step := func() {
		s := w.status(t)
		w.pass(s.Due.Sub(w.at))
		w.do(t, scheduled(w.at))
		s = w.status(t)
		got = append(got, s.Why)
		if s.Due.Sub(w.at) != s.Every {
			t.Errorf("due in %v with an interval of %v", s.Due.Sub(w.at), s.Every)
		}
	}
	step()
	w.happen(2)
	step()
	step()
	want := []string{
		"every 33m45s: push is sound",
		"every 8m26s: push missed 2",
		"every 12m39s: push missed 2 within a day",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s := w.status(t); s.Missed != 2 || s.MissedSince(w.at.Add(-24*time.Hour)) != 2 {
		t.Errorf("the misses are %d and %v", s.Missed, s.Recent)
	}
}

func TestAPushThatFallsSilentIsNoticedBeforeThePollIsDue(t *testing.T) {
	t.Parallel()
	w := adaptive(t)
	w.sources["shop"].Poll[0].Max = config.Duration(8 * time.Hour)
	for range 4 { // push is sound, with one event in a minute
		s := w.status(t)
		for w.at.Before(s.Due) {
			w.records = append(w.records, record{fmt.Sprint("e", len(w.records)), w.at})
			w.seen[fmt.Sprint("shop/e", len(w.records)-1)] = true
			w.pass(time.Minute)
		}
		w.pushed = w.at
		w.do(t, scheduled(s.Due))
	}
	s := w.status(t)
	if s.Every < time.Hour {
		t.Fatalf("the interval is %v", s.Every)
	}
	w.pushed = time.Time{}
	w.pass(8 * time.Minute)
	w.tick(t)
	if len(w.sent) > 0 {
		t.Fatalf("asked although the poll was made just now: %v", w.sent)
	}
	w.pass(2 * time.Minute)
	w.pushed = w.at
	w.pass(7 * time.Minute)
	w.tick(t)
	if len(w.sent) > 0 {
		t.Fatalf("asked after seven minutes: %v", w.sent)
	}
	w.happen(1)
	w.pass(2 * time.Minute)
	w.tick(t)
	if len(w.sent) != 1 || !strings.Contains(w.sent[0].Body, job.Silence) {
		t.Fatalf("queued after nine: %v", w.sent)
	}
	w.drain(t)
	if s := w.status(t); s.Every > 15*time.Minute || !strings.Contains(s.Why, "silent") && !strings.Contains(s.Why, "missed") {
		t.Errorf("the interval is %v: %s", s.Every, s.Why)
	}
}

func TestAPollByHandDoesNotMakeTheIntervalLonger(t *testing.T) {
	t.Parallel()
	w := adaptive(t)
	before := w.status(t).Every
	w.pass(time.Minute)
	w.do(t, job.Job{Source: "shop", Reason: job.Manual})
	if s := w.status(t); s.Every != before {
		t.Errorf("from %v to %v", before, s.Every)
	}
}

func TestLimitsAreKnownAsTheAPITells(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	w.happen(1)
	w.header = http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"73"}, "X-Ratelimit-Reset": {fmt.Sprint(w.at.Add(time.Minute).Unix())}}
	w.do(t, scheduled(w.at))
	want := &checkpoint.Limits{Remaining: 73, Limit: 100, At: w.at}
	if diff := cmp.Diff(want, w.status(t).Limits); diff != "" {
		t.Error(diff)
	}
}

func TestAPollThatWillLoseHistoryIsAnAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	w.sources["shop"].Poll[0].Incremental.Retention = config.Duration(10 * time.Hour)
	w.happen(1)
	w.do(t, scheduled(w.at))
	w.pass(4 * time.Hour)
	w.tick(t)
	if err := w.metricsFlushed(); err != nil || strings.Contains(w.metrics.String(), "PollHistoryUsed") {
		t.Errorf("told too early (%v): %s", err, w.metrics.String())
	}
	w.pass(4 * time.Hour)
	w.tick(t)
	if err := w.metricsFlushed(); err != nil || !strings.Contains(w.metrics.String(), `"PollHistoryUsed":[80`) {
		t.Errorf("not told (%v): %s", err, w.metrics.String())
	}
	w.pass(8 * time.Hour)
	w.sent = nil
	w.do(t, job.Job{Source: "shop", Reason: job.Manual})
	if s := w.status(t); !s.Gap.Equal(w.at) {
		t.Errorf("what was lost is not shown: %+v", s)
	}
}

// compared is a world whose poll reads everything and compares.
func compared(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 3)
	shop := w.sources["shop"]
	shop.Webhook = nil
	p := &shop.Poll[0]
	p.Incremental = nil
	p.Pagination.MaxPages = 100
	p.Snapshot = &config.Snapshot{Deletes: true}
	p.Event = &event.Spec{Type: event.Choices{{Value: "item"}}, Entity: event.Choices{{Value: "{body.id}"}}}
	w.sources["shop"] = shop
	w.happen(7)
	return w
}

func (w *world) changes() (all []string) {
	for _, e := range w.queued {
		number, _, _ := strings.Cut(strings.TrimPrefix(e.ID, e.Subject+"@"), "-")
		all = append(all, fmt.Sprintf("%s %s %s %s", e.Subject, number, e.Version, e.Type))
	}
	slices.Sort(all)
	w.queued = nil
	return all
}

func TestAPollThatComparesBringsChangesAndDeletes(t *testing.T) {
	t.Parallel()
	w := compared(t)
	poll := job.Job{Source: "shop", Reason: job.Manual}
	w.do(t, poll)
	if n := len(w.changes()); n != 7 {
		t.Fatalf("%d at first, want 7", n)
	}
	w.do(t, poll)
	if got := w.changes(); len(got) != 0 {
		t.Errorf("unchanged: %v", got)
	}
	before := w.records[2].At
	w.records[2].At = before.Add(time.Hour)
	w.records = slices.Delete(w.records, 4, 6)
	w.do(t, poll)
	w.records[2].At = before
	w.do(t, poll)
	want := []string{"e2 2 2 item", "e2 3 3 item", "e4 2 2 item.deleted", "e5 2 2 item.deleted"}
	if diff := cmp.Diff(want, w.changes()); diff != "" {
		t.Error(diff)
	}
}

func TestAPollThatComparesAndIsKilledBringsEachChangeUnderOneIdentity(t *testing.T) {
	t.Parallel()
	for crash := range 16 {
		t.Run(fmt.Sprint("at call ", crash), func(t *testing.T) {
			t.Parallel()
			w := compared(t)
			poll := job.Job{Source: "shop", Reason: job.Manual}
			w.do(t, poll)
			w.queued = nil
			w.records[0].At = w.records[0].At.Add(time.Hour)
			w.records[6].At = w.records[6].At.Add(time.Hour)
			w.records = slices.Delete(w.records, 3, 4)
			w.table.killAt(crash)
			deliver(t.Context(), t, w.handler, poll.Encode(), 1)
			w.table.killAt(-1)
			w.pass(lease + time.Second)
			for range 2 { // two runs must miss an entity
				w.do(t, poll)
			}
			got, _ := w.ids()
			var short []string
			for _, id := range got {
				name, number, _ := strings.Cut(id, "-")
				short = append(short, name+strings.TrimLeft(number, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"))
			}
			if diff := cmp.Diff([]string{"e0@2", "e3@2", "e6@2"}, short); diff != "" {
				t.Error(diff)
			}
		})
	}
}
