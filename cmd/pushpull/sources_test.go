package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/pull"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

func TestAPollHasOneState(t *testing.T) {
	t.Parallel()
	read := checkpoint.Tally{Started: noon.Add(-time.Hour), Ended: noon.Add(-time.Hour)}
	for _, tt := range []struct {
		name   string
		status checkpoint.Status
		want   string
	}{
		{"of one that was never polled", checkpoint.Status{}, "new"},
		{"while it is being read", checkpoint.Status{LeaseUntil: noon.Add(time.Second), Paused: true}, "polling"},
		{"while nothing but a person polls it", checkpoint.Status{Paused: true, Stopped: "no", Error: "no"}, "paused"},
		{"of one that does not heal", checkpoint.Status{Stopped: "status 401", Error: "status 401"}, "stopped"},
		{"of one that may", checkpoint.Status{Error: "status 503", Last: read}, "failing"},
		{"of one that is due later", checkpoint.Status{Last: read, Due: noon.Add(time.Minute)}, "ok"},
		{"of one that is due since a moment", checkpoint.Status{Last: read, Due: noon.Add(-time.Minute)}, "ok"},
		{"of one that is due since long", checkpoint.Status{Last: read, Due: noon.Add(-16 * time.Minute)}, "behind"},
		{"of one that was reset", checkpoint.Status{Last: read}, "ok"},
		{"of a first run that was cut short", checkpoint.Status{Run: &checkpoint.Tally{}, Due: noon}, "ok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := pollState(tt.status, 15*time.Minute, noon); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestWhatPushBroughtLaterIsNotMissed(t *testing.T) {
	t.Parallel()
	both, alone := []string{"webhook", "poll"}, []string{"poll"}
	one := pollView{MissedDay: 5, Status: checkpoint.Status{Missed: 20}}
	for _, tt := range []struct {
		name string
		view sourceView
		want string
	}{
		{"of the only poll", sourceView{Transports: both, Late: 3, Polls: []pollView{one}}, "5 / 17"},
		{"of one of several, of which it is not known whose it was", sourceView{Transports: both, Late: 3, Polls: []pollView{one, one}}, "5 / 20"},
		{"where all of it came later", sourceView{Transports: both, Late: 25, Polls: []pollView{one}}, "0 / 0"},
		{"where there is no push", sourceView{Transports: alone, Polls: []pollView{one}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.view.missedText(tt.view.Polls[0]); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestAPollIsToldInFull(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	v := sourceView{
		Source: "shop", Transports: []string{"webhook", "poll"}, LastWebhook: at(-time.Minute), Late: 2,
		Polls: []pollView{{
			State: "failing", Every: 15 * time.Minute, MissedDay: 1, retention: 30 * 24 * time.Hour,
			Status: checkpoint.Status{
				Key: "shop.orders", Checkpoint: pull.State{Watermark: "2026-11-23T11:00:00Z", Settled: at(-2 * time.Hour), Skew: time.Minute},
				Due: at(90 * time.Second), Why: "backoff after 3 failures", Every: time.Hour,
				Run:    &checkpoint.Tally{Started: at(-time.Minute), Pages: 1, Requests: 2, Records: 3, New: 1},
				Last:   checkpoint.Tally{Started: at(-2 * time.Hour), Ended: at(-2*time.Hour + time.Second), Pages: 2, Requests: 3, NotModified: 1, Bytes: 2500, Records: 1, New: 1, Missed: 1},
				Missed: 9, Limits: &checkpoint.Limits{Remaining: 7, Limit: -1, At: at(-time.Minute)}, Gap: at(-3 * time.Hour),
				Error: "status 503\x1b[31m", ErrorSince: at(-time.Hour), Failures: 3, Backfills: []string{"k3f9q2"},
			},
		}},
	}
	want := strings.ReplaceAll(`source        shop
transports    webhook, poll
last pushed   T-1m
late          2 webhooks came after a poll had counted their events as missed

poll          shop.orders
state         failing
error         status 503·[31m
failing since T-1h, 3 failures
every         1h now, 15m as configured
next poll     in 1m30s (backoff after 3 failures)
checkpoint    2026-11-23T11:00:00Z
its age       2h1m of 30d that the api keeps
gap           history may have been lost at T-3h: the api no longer had what followed the checkpoint
run under way T-1m: 3 records, 1 new, 0 missed, 1 page in 2 requests, 0 B
last run      T-2h: 1 record, 1 new, 1 missed, 2 pages in 3 requests, 2.5 kB, 1 not modified, took 1s
missed        1 in 24 hours, 9 in all
limit         7 left as told at T-1m
backfills     k3f9q2: 'pushpull backfill list' shows how they go
`, "'", "`")
	for text, ago := range map[string]time.Duration{"T-1m": time.Minute, "T-1h": time.Hour, "T-2h": 2 * time.Hour, "T-3h": 3 * time.Hour} {
		want = strings.ReplaceAll(want, text, clock(at(-ago), noon))
	}
	var got strings.Builder
	if err := printSource(&got, v, noon); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestABackfillIsHeldToWhatThereIs(t *testing.T) {
	t.Parallel()
	of := target{
		source: "shop", of: config.Source{Window: config.Duration(30 * 24 * time.Hour)},
		poll: config.Poll{Incremental: &config.Incremental{Retention: config.Duration(60 * 24 * time.Hour)}},
	}
	days := func(n int) checkpoint.Range { return checkpoint.Range{From: noon.AddDate(0, 0, -n), To: noon} }
	for _, tt := range []struct {
		name             string
		days             int
		warning, refusal string
	}{
		{"within both", 29, "", ""},
		{"beyond what the ledger remembers", 59, "the ledger remembers 30d of shop", ""},
		{"beyond what the api keeps", 61, "the ledger remembers 30d of shop", "the api of shop keeps 60d, nothing from before 2026-09-24T12:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			warning, refusal := of.reach(days(tt.days), noon)
			for _, check := range []struct{ got, want string }{{warning, tt.warning}, {refusal, tt.refusal}} {
				if !strings.HasPrefix(check.got, check.want) || (check.got == "") != (check.want == "") {
					t.Errorf("%q, want %q…", check.got, check.want)
				}
			}
		})
	}
}

func TestABackfillTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	ranged := &checkpoint.Range{From: noon.Add(-10 * time.Hour), To: noon}
	run := &checkpoint.Tally{Started: noon.Add(-time.Minute), Records: 600}
	for _, tt := range []struct {
		name               string
		status             checkpoint.Status
		state, left, error string
		share              float64
	}{
		{"before it began", checkpoint.Status{Range: ranged}, "waiting", "", "", 0},
		{"while it reads", checkpoint.Status{Range: ranged, Run: run, Covered: 150 * time.Minute, LeaseUntil: noon}, "reading", "3m0s", "", 0.25},
		{"between two jobs", checkpoint.Status{Range: ranged, Run: run, Covered: 5 * time.Hour}, "waiting", "1m0s", "", 0.5},
		{"while it fails", checkpoint.Status{Range: ranged, Run: run, Error: "503", ErrorSince: noon}, "failing since " + clock(noon, noon), "", "", 0},
		{"while it rests", checkpoint.Status{Range: ranged, Run: run, Paused: true, Covered: 5 * time.Hour}, "paused", "", "", 0.5},
		{"when it does not heal", checkpoint.Status{Range: ranged, Stopped: "401", Error: "401"}, "stopped", "", "", 0},
		{"at its end", checkpoint.Status{Range: ranged, Last: checkpoint.Tally{Ended: noon}}, "done", "", "is done: start another", 1},
		{"when it was cancelled", checkpoint.Status{Range: ranged, Cancelled: true}, "cancelled", "", "is cancelled: start another", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := backfillState(tt.status, noon); got != tt.state {
				t.Errorf("state %q, want %q", got, tt.state)
			}
			if got := leftText(tt.status, noon); got != tt.left {
				t.Errorf("left %q, want %q", got, tt.left)
			}
			if got := share(tt.status); got != tt.share {
				t.Errorf("share %v, want %v", got, tt.share)
			}
			if err := over(tt.status); (err == nil) != (tt.error == "") || err != nil && !strings.Contains(err.Error(), tt.error) {
				t.Errorf("to do something with it: %v, want %q", err, tt.error)
			}
		})
	}
}
