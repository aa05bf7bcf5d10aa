package ledgertest

import (
	"fmt"
	"testing"
	"time"
)

// arrivals: an event is noticed in any shard, up to its own time and no further.
func arrivals(t *testing.T, open Open) {
	t.Helper()
	d := newDesk(t, open)
	now := d.clock.Now()
	for i := range 6 { // they fall in several shards
		d.mine(Event(fmt.Sprint("s", i), fmt.Sprint(i), now.Add(-time.Duration(i)*40*time.Minute)), "m")
	}
	for i := range 6 {
		ago := time.Duration(i) * 40 * time.Minute
		for _, tt := range []struct {
			since time.Duration
			want  bool
		}{{ago, true}, {ago + 2*time.Hour, true}, {ago - time.Second, false}} {
			got, err := d.Arrived(t.Context(), fmt.Sprint("s", i), now.Add(-tt.since))
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("an event of %v ago, asked since %v ago: %v", ago, tt.since, got)
			}
		}
	}
	if got, err := d.Arrived(t.Context(), "none", now.Add(-3*time.Hour)); got || err != nil {
		t.Errorf("of a source without events: %v, %v", got, err)
	}
}
