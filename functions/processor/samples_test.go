package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"pushpull/events"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file string
		want map[string]ledger.Status
		dead int
	}{
		{"sqs-batch.json", map[string]ledger.Status{
			"github/72d3162e-cc78-11e3-81ab-4c9367dc0958": ledger.Delivered, "stripe/evt_1NG8Du2eZvKYlo2CUI79vXWy": ledger.Delivered,
		}, 0},
		{"sqs-batch-with-a-bad-message.json", map[string]ledger.Status{
			"github/72d3162e-cc78-11e3-81ab-4c9367dc0958": ledger.Delivered,
		}, 1},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			out, err := w.handler.handle(t.Context(), sampleBatch(t, test.file))
			if err != nil || len(out.BatchItemFailures) != 0 {
				t.Errorf("%+v, %v; want all acknowledged", out, err)
			}
			for key, status := range test.want {
				if r := w.record(key); r.Status != status {
					t.Errorf("%s is %s, want %s", key, r.Status, status)
				}
			}
			letters := w.receive(deadQueue)
			if len(letters) != test.dead {
				t.Errorf("%d dead letters, want %d", len(letters), test.dead)
			}
			for _, m := range letters {
				if m.MessageAttributes[queue.AttributeReason].StringValue == nil {
					t.Error("a dead letter has no reason")
				}
			}
		})
	}
}

func targetsOf(h *handler, e event.Event) []target {
	targets, _ := h.catalog.plan(context.Background(), e)
	return targets
}

func sampleBatch(t *testing.T, file string) (batch lambdaevents.SQSEvent) {
	t.Helper()
	b, err := events.Files.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &batch); err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestWire(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	text := config.Header + "test\n" + "route 0000 {\"from\":[\"*\"],\"to\":[\"archive\"]}\n"
	if err := os.WriteFile(filepath.Join(folder, config.CompiledFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"PUSHPULL_CONFIG": folder, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"EVENTS_TABLE": "events", "EVENT_QUEUE_URL": "http://127.0.0.1:1/events", "DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:1/dead",
		"BODIES": "file://" + filepath.ToSlash(t.TempDir()),
	}
	getenv := func(name string) string { return env[name] }
	h, err := wire(getenv, telemetry.NewLogger(os.Stderr, "ERROR"))
	if err != nil {
		t.Fatal(err)
	}
	if h.bodies == nil || h.queueURL == "" || len(targetsOf(h, event.Event{Source: "any"})) != 1 {
		t.Errorf("the handler is %+v", h)
	}
	env["PUSHPULL_CONFIG"] = filepath.Join(folder, "none")
	if _, err := wire(getenv, telemetry.NewLogger(os.Stderr, "ERROR")); err == nil {
		t.Error("it starts without a configuration")
	}
}
