package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSecretsAreMaskedByTheNameOfTheirKey(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := NewLogger(&out, "info")
	log.Info(MsgRejected,
		"secret", "hunter2", "githubToken", "hunter2", "X-Hub-Signature-256", "hunter2", "Authorization", []byte("hunter2"),
		"api_key", "hunter2", "PASSWORD", errors.New("hunter2"), "Set-Cookie", "hunter2", "private-key", 7,
		slog.Group("credentials", "user", "hunter2"), slog.Group("request", "token", "hunter2", "path", "/webhooks/github"),
		"source", "github", "correlationid", "c", "reference", "ssm:/a", "key", "github/1", "transport", "webhook")
	log.With("secret", "hunter2").WithGroup("signature").Info("more", "a", "hunter2")
	log.Debug("not written")
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "not written") {
		t.Errorf("log %s", out.String())
	}
	var got map[string]any
	if err := json.NewDecoder(&out).Decode(&got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	want := map[string]any{
		"level": "INFO", "msg": MsgRejected,
		"secret": masked, "githubToken": masked, "X-Hub-Signature-256": masked, "Authorization": masked,
		"api_key": masked, "PASSWORD": masked, "Set-Cookie": masked, "private-key": masked,
		"credentials": map[string]any{"user": masked},
		"request":     map[string]any{"token": masked, "path": "/webhooks/github"},
		"source":      "github", "correlationid": "c", "reference": "ssm:/a", "key": "github/1", "transport": "webhook",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoKeyOfOursIsMasked(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		KeySource, KeyTransport, KeyDestination, KeyIdentity, KeyType, KeyEntity, KeyCorrelation, KeyReason, KeyAttempt,
		KeyMissed, KeyReplay, slog.TimeKey, slog.LevelKey, slog.MessageKey, "error", "reference", "status", "duration", "cursor", "page",
	} {
		if secretKey(key) {
			t.Errorf("%s is masked", key)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]slog.Level{
		"": slog.LevelInfo, "DEBUG": slog.LevelDebug, "warn": slog.LevelWarn, "ERROR": slog.LevelError, "loud": slog.LevelInfo,
	} {
		if got := ParseLevel(name); got != want {
			t.Errorf("%q is %v, want %v", name, got, want)
		}
	}
}

func at() time.Time { return time.UnixMilli(1_790_000_000_123) }

func TestFlushWritesALineForEachCombinationOfDimensions(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := NewMetrics(&out, at)
	m.Count(EventsReceived, 1, "github", "webhook")
	m.Count(EventsReceived, 2, "github", "webhook")
	m.Count(EventsReceived, 1, "stripe", "poll")
	m.Duration(DeliveryTime, 1500*time.Microsecond, "github", "crm \"1\"")
	m.Duration(DeliveryTime, 2*time.Second, "github", "crm \"1\"")
	m.Count(EventsDelivered, 2, "github", "crm \"1\"")
	m.Count(PollsFailed, 1, "")
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `{"_aws":{"Timestamp":1790000000123,"CloudWatchMetrics":[{"Namespace":"Pushpull","Dimensions":[["source","transport"]],"Metrics":[{"Name":"EventsReceived","Unit":"Count"}]}]},"source":"github","transport":"webhook","EventsReceived":3}
{"_aws":{"Timestamp":1790000000123,"CloudWatchMetrics":[{"Namespace":"Pushpull","Dimensions":[["source","transport"]],"Metrics":[{"Name":"EventsReceived","Unit":"Count"}]}]},"source":"stripe","transport":"poll","EventsReceived":1}
{"_aws":{"Timestamp":1790000000123,"CloudWatchMetrics":[{"Namespace":"Pushpull","Dimensions":[["source","destination"]],"Metrics":[{"Name":"DeliveryTime","Unit":"Milliseconds"},{"Name":"EventsDelivered","Unit":"Count"}]}]},"source":"github","destination":"crm \"1\"","DeliveryTime":[1.5,2000],"EventsDelivered":2}
{"_aws":{"Timestamp":1790000000123,"CloudWatchMetrics":[{"Namespace":"Pushpull","Dimensions":[["source"]],"Metrics":[{"Name":"PollsFailed","Unit":"Count"}]}]},"source":"unknown","PollsFailed":1}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := m.Flush(); err != nil || out.Len() != 0 {
		t.Errorf("nothing was collected and %q was written, %v", out.String(), err)
	}
}

func TestEveryLineIsUnderTheLimitsOfTheFormat(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := NewMetrics(&out, at)
	for range 2 { // the second time with what the first has left to be used again
		var wait sync.WaitGroup
		for range 5 {
			wait.Go(func() {
				for range 50 {
					m.Duration(DeliveryTime, time.Millisecond, "github", "crm")
					m.Count(EventsDelivered, 1, "github", "crm")
				}
			})
		}
		wait.Wait()
		out.Reset()
		if err := m.Flush(); err != nil {
			t.Fatal(err)
		}
		samples, delivered, lines := 0, 0, 0
		for decoder := json.NewDecoder(&out); decoder.More(); lines++ {
			var line struct {
				DeliveryTime    []float64
				EventsDelivered int
			}
			if err := decoder.Decode(&line); err != nil {
				t.Fatal(err)
			}
			if len(line.DeliveryTime) > maxValues {
				t.Errorf("%d values in a line", len(line.DeliveryTime))
			}
			samples += len(line.DeliveryTime)
			delivered += line.EventsDelivered
		}
		if samples != 250 || delivered != 250 || lines != 3 {
			t.Errorf("%d samples, %d delivered, %d lines", samples, delivered, lines)
		}
	}
}

func TestEveryMetricIsDefinedOnce(t *testing.T) {
	t.Parallel()
	seen := map[Metric]bool{}
	for _, d := range Definitions() {
		if seen[d.Name] || d.Doc == "" || len(d.Dimensions) > maxDimensions {
			t.Errorf("%+v", d)
		}
		seen[d.Name] = true
	}
	names, err := os.ReadFile("names.go")
	if err != nil {
		t.Fatal(err)
	}
	if declared := strings.Count(string(names), " Metric = "); declared != len(seen) {
		t.Errorf("%d are declared, %d defined", declared, len(seen))
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\\n\x00", "é😀\u2028", "\xff\xc3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); len(got) < len(want) {
			t.Errorf("%q came back as %q", s, got)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	log := NewLogger(io.Discard, "INFO")
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(b.Context(), slog.LevelInfo, MsgReceived,
			slog.String(KeySource, "github"), slog.String(KeyTransport, "webhook"), slog.String(KeyIdentity, "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
			slog.String(KeyType, "push"), slog.String(KeyEntity, "octo/hello"), slog.String(KeyCorrelation, "0af7651916cd43dd8448eb211c80319c"))
	}
}

func BenchmarkMetrics(b *testing.B) {
	m := NewMetrics(io.Discard, at)
	b.ReportAllocs()
	for b.Loop() {
		m.Count(EventsReceived, 1, "github", "webhook")
		m.Duration(ReceiveTime, time.Millisecond, "github")
		if err := m.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAMetricThatAnAlarmWatchesHasNoDimension(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	m := NewMetrics(&out, func() time.Time { return time.UnixMilli(1700000000000) })
	m.Count(PollsStopped, 2)
	m.Percent(MissedShare, 12.5)
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Pushpull","Dimensions":[[]],"Metrics":[` +
		`{"Name":"PollsStopped","Unit":"Count"},{"Name":"MissedShare","Unit":"Percent"}]}]},"PollsStopped":2,"MissedShare":[12.5]}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
