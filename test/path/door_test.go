package path

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func body(source, id string) string {
	return fmt.Sprintf(`{"id":%q,"type":"thing.changed","entity":"%s-1"}`, id, source)
}

// push sends a signed request and returns the answer.
func push(t *testing.T, source, body string) (int, string) {
	t.Helper()
	res := request(t, source, body)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

func request(t *testing.T, source, body string) *http.Response {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return send(t, source, body, hex.EncodeToString(mac.Sum(nil)))
}

func send(t *testing.T, source, body, signature string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, system.URL+"/webhooks/"+source, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Signature", signature)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// A record is what `events --json` and `show --json` print.
type record struct {
	ID, Source, Type, Entity, Transport, Status, Reason string
	Duplicates                                          map[string]int
	Attempts                                            []struct {
		Destination string
		Status      int
	}
	Replays []struct{ ID, Status string }
	Erasure string
}

func command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := system.Command(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func lookUp(t *testing.T, source, id string) (record, bool) {
	t.Helper()
	out, err := system.Command(t.Context(), "show", source+"/"+id, "--json")
	if err != nil {
		return record{}, false
	}
	var r record
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("`show --json` printed %q: %v", out, err)
	}
	return r, true
}

// until waits for the event to be as wanted.
func until(t *testing.T, source, id string, wanted func(record) bool) record {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last record
	for {
		if r, ok := lookUp(t, source, id); ok {
			if last = r; wanted(r) {
				return r
			}
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s/%s did not become what was wanted, but %+v", source, id, last)
		case <-tick.C:
		}
	}
}

// refuse makes the event queue refuse every message; release ends it.
func refuse(t *testing.T) (release func()) {
	t.Helper()
	var at struct {
		SQS    string
		Queues map[string]string
	}
	b, err := os.ReadFile(filepath.Join(system.Data(), "stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &at); err != nil {
		t.Fatal(err)
	}
	url := at.Queues["EventQueue"]
	fault := func(method string) {
		text, err := json.Marshal(map[string]any{
			"queue": url[strings.LastIndex(url, "/")+1:], "action": "SendMessage*",
			"rate": 1, "status": 503, "code": "ServiceUnavailable",
		})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), method, at.SQS+"/_faults", bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode/100 != 2 {
			t.Fatalf("%s /_faults was answered %s", method, res.Status)
		}
	}
	fault(http.MethodPut)
	return func() { fault(http.MethodDelete) }
}
