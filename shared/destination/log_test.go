package destination

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
	"pushpull/shared/telemetry"
)

// logged keeps what is written to it.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func openLogTest(t *testing.T, c config.Destination) (Destination, *logged) {
	t.Helper()
	out := &logged{}
	c.Kind = "log"
	d, err := Open(c, NewEnv(Options{Log: telemetry.NewLogger(out, ""), Now: at}))
	if err != nil {
		t.Fatal(err)
	}
	return d, out
}

func logRig(t *testing.T) rig {
	d, out := openLogTest(t, config.Destination{Payload: true})
	return rig{d, func(t *testing.T) []string {
		var ids []string
		for line := range strings.Lines(out.String()) {
			var got struct{ ID string }
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, got.ID)
		}
		return ids
	}}
}

func TestLogWritesTheDataOnlyIfAsked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		payload bool
		data    string
		want    map[string]any
	}{
		{"the attributes alone", false, "{\n \"n\": 1}", map[string]any{}},
		{"JSON as it is", true, "{\n \"n\": 1}", map[string]any{"data": map[string]any{"n": 1.0}}},
		{"other bytes in base64", true, "\x00\n", map[string]any{"data_base64": "AAo="}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, out := openLogTest(t, config.Destination{Payload: test.payload})
			e := sample("1")
			e.Data = []byte(test.data)
			if _, err := d.Deliver(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(out.Bytes(), &got); err != nil || strings.Count(out.String(), "\n") != 1 {
				t.Fatalf("%s: %v", out, err)
			}
			delete(got, slog.TimeKey)
			maps.Copy(test.want, map[string]any{
				slog.LevelKey: "INFO", slog.MessageKey: "event", "source": "github", "id": "1", "type": "issues", "happened": "2026-11-23T11:59:00Z",
				"entity": "issue 17", "version": "3", "transport": "webhook", "bytes": float64(len(test.data)), "correlationid": "c-1",
			})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
