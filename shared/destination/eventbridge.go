package destination

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var eventBridgeKind = Kind{
	Name:   "eventbridge",
	Doc:    "Puts each event on an EventBridge bus: the source is its source, the detail type its type, the detail the event as CloudEvents JSON.",
	Fields: []string{"bus", "batch", "timeout", "retry"},
	Permissions: func(c config.Destination) []Permission {
		return []Permission{{Actions: []string{"events:PutEvents"}, Resources: []string{resource(c.Bus, "events", "event-bus/")}}}
	},
	Idempotency: "An event that is put twice is two events on the bus; detail.id is the same in both.",
	Limits:      "An event of 1 MB, and calls of 10 events and 1 MB.",
	open:        openEventBridge,
}

type bus struct {
	client  *eventbridge.Client
	name    string
	timeout time.Duration
}

func openEventBridge(c config.Destination, env *Env) (Destination, error) {
	if c.Bus == "" {
		return nil, errors.New("bus: is empty: write the name or the ARN of the event bus, or default")
	}
	settings, err := env.aws()
	if err != nil {
		return nil, err
	}
	client := eventbridge.NewFromConfig(settings, func(o *eventbridge.Options) { o.Region = regionOf(c.Bus, o.Region) })
	return &bus{client: client, name: c.Bus, timeout: timeoutOf(c)}, nil
}

// Batch is what PutEvents takes.
func (b *bus) Batch() BatchLimits { return BatchLimits{Count: 10, Bytes: 1<<20 - 1, Each: 1<<20 - 1} }

// Deliver puts one event on the bus.
func (b *bus) Deliver(ctx context.Context, e event.Event) (Result, error) { return alone(ctx, b, e) }

// DeliverBatch puts the events on the bus; each has an outcome of its own.
func (b *bus) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	return inCalls(events, b.Batch(), b.entry, func(entries []types.PutEventsRequestEntry) ([]Outcome, error) {
		out, err := within(ctx, b.timeout, func(ctx context.Context) (*eventbridge.PutEventsOutput, error) {
			return b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		})
		if err != nil {
			return nil, err
		}
		all := make([]Outcome, len(out.Entries))
		for i, r := range out.Entries {
			if r.ErrorCode != nil {
				all[i].Err = judgeCode(*r.ErrorCode, aws.ToString(r.ErrorMessage), 0)
			}
		}
		return all, nil
	})
}

// entry is the event as the bus takes it, and its size as EventBridge counts.
func (b *bus) entry(e event.Event) (types.PutEventsRequestEntry, int, error) {
	detail, err := envelope(e)
	entry := types.PutEventsRequestEntry{
		EventBusName: &b.name,
		Source:       &e.Source,
		DetailType:   aws.String(firstRunes(e.Type, 128)),
		Detail:       aws.String(string(detail)),
	}
	const timeSize = 14
	size := timeSize + len(e.Source) + len(*entry.DetailType) + len(detail)
	if !e.Time.IsZero() {
		entry.Time = &e.Time
	}
	if header := xrayHeader(e.TraceParent); header != "" {
		entry.TraceHeader = &header
	}
	return entry, size, err
}

// firstRunes cuts a text that is longer than a service takes.
func firstRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// xrayHeader writes a W3C trace parent as AWS X-Ray has it; "" where there is none.
func xrayHeader(traceParent string) string {
	parts := strings.Split(traceParent, "-")
	if len(parts) < 4 || len(parts[1]) != 32 || len(parts[2]) != 16 {
		return ""
	}
	sampled := "0"
	if strings.HasSuffix(parts[3], "1") {
		sampled = "1"
	}
	return "Root=1-" + parts[1][:8] + "-" + parts[1][8:] + ";Parent=" + parts[2] + ";Sampled=" + sampled
}
