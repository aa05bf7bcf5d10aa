package path

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A filled is what `backfill --json` prints.
type filled struct {
	Key     string
	Paused  bool
	Covered time.Duration
	Last    struct {
		Ended             time.Time
		Records, Requests int
	}
}

func backfilled(t *testing.T, args ...string) filled {
	t.Helper()
	out := command(t, append([]string{"backfill"}, append(args, "--json")...)...)
	var f filled
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatalf("`backfill %s` printed %q: %v", strings.Join(args, " "), out, err)
	}
	return f
}

func TestABackfillRestsAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	f := backfilled(t, "ranged", "--from", "3h", "--to", "10m")
	select {
	case <-api.reached: // its second page
	case <-time.After(time.Minute):
		t.Fatal("the backfill does not ask for its second page")
	}
	if f = backfilled(t, "pause", f.Key); !f.Paused {
		t.Errorf("paused, it is %+v", f)
	}
	close(api.gate)
	if out, err := system.Command(t.Context(), "backfill", "watch", f.Key); err == nil || strings.Contains(string(out), " done ") {
		t.Errorf("paused, it ended: %s", out)
	}
	if f = backfilled(t, "list", "ranged"); f.Covered == 0 || f.Covered > time.Hour+10*time.Minute || !f.Last.Ended.IsZero() {
		t.Errorf("at rest it covers %s of 2h50m, and ended %s", f.Covered, f.Last.Ended)
	}
	backfilled(t, "resume", f.Key)
	f = backfilled(t, "watch", f.Key)
	// Five, and the last of each of three pages again: a page is asked for from there.
	if f.Last.Records != 8 || f.Last.Requests != 4 {
		t.Errorf("it read %d records in %d requests, want 8 in 4", f.Last.Records, f.Last.Requests)
	}
	if out, err := system.Command(t.Context(), "backfill", "cancel", f.Key); err == nil {
		t.Errorf("what is done was cancelled: %s", out)
	}
}
