package destination

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"pushpull/shared/event"
)

// A batchPoster posts several events in one request, each as CloudEvents JSON.
type batchPoster struct {
	*poster
	ndjson bool
}

// Batch leaves the size to the configuration, within what a server bears.
func (p *batchPoster) Batch() BatchLimits {
	return BatchLimits{Count: 1000, Bytes: 4 << 20, Each: 4 << 20}
}

// Deliver posts a batch of one, so that the destination has one form to read.
func (p *batchPoster) Deliver(ctx context.Context, e event.Event) (Result, error) {
	return alone(ctx, p, e)
}

// DeliverBatch gives all events of a request the same outcome: the answer says
// nothing of one of them.
func (p *batchPoster) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	return inCalls(events, p.Batch(), p.entry, func(entries []entry) ([]Outcome, error) { return p.send(ctx, entries) })
}

// An entry is one event as it is sent.
type entry struct {
	key  string
	line []byte // with the line's end
}

func (p *batchPoster) entry(e event.Event) (entry, int, error) {
	line, err := encodeLine(e)
	return entry{e.Key(), line}, len(line), err
}

// send posts the entries. Where the content was refused, the error is for good,
// and each entry is tried alone: one may have spoilt it for the others. Where it
// was refused for another reason, each alone would be refused as well.
func (p *batchPoster) send(ctx context.Context, entries []entry) ([]Outcome, error) {
	r, err := p.post(ctx, batchID(entries), p.body(entries), p.describe)
	_, permanent := errors.AsType[*Permanent](err)
	if permanent && (r.Status == http.StatusBadRequest || r.Status == http.StatusRequestEntityTooLarge || r.Status == http.StatusUnprocessableEntity) && len(entries) > 1 {
		return nil, err
	}
	return outcomes(len(entries), Outcome{Result: r, Err: err}), nil
}

func (p *batchPoster) describe(h http.Header) {
	h.Set("Content-Type", "application/cloudevents-batch+json")
	if p.ndjson {
		h.Set("Content-Type", "application/x-ndjson")
	}
}

// body is one line an event, or an array of them.
func (p *batchPoster) body(entries []entry) []byte {
	var b bytes.Buffer
	for i, e := range entries {
		switch {
		case p.ndjson:
			b.Write(e.line)
			continue
		case i == 0:
			b.WriteByte('[')
		default:
			b.WriteByte(',')
		}
		b.Write(bytes.TrimSuffix(e.line, []byte("\n")))
	}
	if !p.ndjson {
		b.WriteByte(']')
	}
	return b.Bytes()
}

// batchID is the same for the same events in the same order.
func batchID(entries []entry) string {
	sum := sha256.New()
	for _, e := range entries {
		sum.Write([]byte(e.key + "\n"))
	}
	return "batch_" + hex.EncodeToString(sum.Sum(nil)[:16])
}
