package ledgertest

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

func reads(t *testing.T, open Open) {
	t.Helper()
	d := newDesk(t, open)
	if _, err := d.Get(t.Context(), "github/none"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("get what is not there: %v, want ErrNotFound", err)
	}
	// 330 events of three sources in 33 hours, the newest first in want.
	var want, all []string
	base := d.clock.Now()
	for i := range 330 {
		at := base.Add(-time.Duration(i) * 6 * time.Minute).Add(-time.Nanosecond)
		e := Event([]string{"a", "b", "c"}[i%3], fmt.Sprintf("%03d", i), at)
		if i%3 == 1 {
			e.Transport, e.Missed = event.Poll, i%2 == 1
		}
		c := d.mine(e, "m"+e.ID)
		if i%5 == 0 {
			d.do(d.Complete(t.Context(), c, ledger.Dead, "gone", nil, nil))
		}
		all = append(all, e.Key())
	}
	within := func(newest int, keep func(i int) bool) []string {
		want = nil
		for i, key := range all[:newest] {
			if keep(i) {
				want = append(want, key)
			}
		}
		return want
	}
	every := func(int) bool { return true }
	abc := []string{"a", "b", "c"}
	for _, test := range []struct {
		name   string
		filter ledger.Filter
		want   []string
	}{
		{"no source has no records", ledger.Filter{}, nil},
		{"a day, newest first", ledger.Filter{Sources: abc}, within(240, every)},
		{"as far back as is asked", ledger.Filter{Sources: abc, Since: base.AddDate(0, 0, -7)}, within(330, every)},
		{"from since to before until", ledger.Filter{Sources: abc, Since: base.Add(-time.Hour), Until: base.Add(-30 * time.Minute)}, within(10, func(i int) bool { return i >= 5 })},
		{"bounds the wrong way round", ledger.Filter{Sources: abc, Since: base, Until: base.Add(-time.Hour)}, nil},
		{"one source", ledger.Filter{Sources: []string{"b"}}, within(240, func(i int) bool { return i%3 == 1 })},
		{"a source that nobody knows", ledger.Filter{Sources: []string{"x"}}, nil},
		{"dead ones", ledger.Filter{Sources: abc, Status: ledger.Dead}, within(240, func(i int) bool { return i%5 == 0 })},
		{"by transport", ledger.Filter{Sources: abc, Transport: event.Poll}, within(240, func(i int) bool { return i%3 == 1 })},
		{"missed ones", ledger.Filter{Sources: abc, Missed: true}, within(240, func(i int) bool { return i%3 == 1 && i%2 == 1 })},
		{"another type", ledger.Filter{Sources: abc, Type: "pull"}, nil},
		{"another entity", ledger.Filter{Sources: abc, Entity: "issue 18"}, nil},
		{"this type and entity", ledger.Filter{Sources: abc, Entity: "issue 17", Type: "push"}, within(240, every)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, keysOf(t, d.Records(t.Context(), test.filter), 1000)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("only as far as the caller takes", func(t *testing.T) {
		got := keysOf(t, d.Records(t.Context(), ledger.Filter{Sources: abc}), 7)
		if diff := cmp.Diff(all[:7], got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("seen are those that were claimed", func(t *testing.T) {
		asked := append([]string{"a/none", "a/000", "x/000"}, all...)
		seen, err := d.Seen(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) != 330 || seen["a/none"] || !seen["a/000"] {
			t.Errorf("%d are seen, want the 330 that were claimed", len(seen))
		}
	})
}

func keysOf(t *testing.T, records iter.Seq2[ledger.Record, error], most int) []string {
	t.Helper()
	var keys []string
	for r, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, r.Key)
		if len(keys) == most {
			break
		}
	}
	return keys
}
