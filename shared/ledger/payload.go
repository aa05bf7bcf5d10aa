package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/klauspost/compress/zstd"

	"pushpull/shared/event"
)

const (
	attrEvent = "event" // S  JSON of kept
	attrData  = "data"  // B  the event's bytes, zstd; absent where they are in the claim check

	batchWrite = 25         // items of one BatchWriteItem
	itemRoom   = 350 * 1024 // bytes of compressed data that an item takes; DynamoDB's limit is 400 KB with all the rest
	maxPayload = 64 << 20   // bytes that are decompressed at most
)

// payloadID is the payload's own item. No source's name begins with #, so it
// is no event's key, whatever the identity.
func payloadID(key string) string { return "#payload/" + key }

// conflictID is the item of data that conflict with it, one for each hash. The
// hash stands before the key, as an identity may end in anything.
func conflictID(key, hash string) string { return "#conflict/" + hash + "/" + key }

// kept is an event without its bytes, as the payload item holds it.
type kept struct {
	ID            string          `json:"id"`
	Source        string          `json:"source"`
	Type          string          `json:"type,omitempty"`
	Time          time.Time       `json:"time,omitzero"`
	Subject       string          `json:"subject,omitempty"`
	Version       string          `json:"version,omitempty"`
	ContentType   string          `json:"datacontenttype,omitempty"`
	DataRef       string          `json:"dataref,omitempty"`
	Transport     event.Transport `json:"transport,omitempty"`
	ReceivedTime  time.Time       `json:"receivedtime,omitzero"`
	VerifiedTime  time.Time       `json:"verifiedtime,omitzero"`
	CorrelationID string          `json:"correlationid,omitempty"`
	TraceParent   string          `json:"traceparent,omitempty"`
	Headers       event.Carried   `json:"headers,omitempty"`
	Query         event.Carried   `json:"query,omitempty"`
	Missed        bool            `json:"missed,omitempty"`
	Backfill      bool            `json:"backfill,omitempty"`
	Hydrated      bool            `json:"hydrated,omitempty"`
}

// newEncoder favours time over size: payloads are small, and the table charges by the KB.
func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
}

// KeepPayloads stores the bytes of events beside their claims, in batches. An
// event kept before is replaced: keep only events whose claim is yours. Bytes
// over 350 KB once compressed stay in the claim check, or are put there.
func (l *Ledger) KeepPayloads(ctx context.Context, events []event.Event, window time.Duration) error {
	if window <= 0 {
		window = defaultWindow
	}
	z, err := l.zip()
	if err != nil {
		return fmt.Errorf("keep payloads: %w", err)
	}
	ttl := l.now().Add(window).Unix()
	var errs []error                        // of one payload or batch, which must not cost the others theirs
	byID := map[string]types.WriteRequest{} // a batch may not name an item twice
	for _, e := range events {
		it, err := l.payloadItem(ctx, z, payloadID(e.Key()), e)
		if err != nil {
			errs = append(errs, fmt.Errorf("keep the payload of %s: %w", e.Key(), err))
			continue
		}
		it[attrTTL] = number(ttl)
		byID[payloadID(e.Key())] = types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
	}
	var writes []types.WriteRequest
	for _, w := range byID {
		writes = append(writes, w)
	}
	for chunk := range slices.Chunk(writes, batchWrite) {
		if err := l.write(ctx, chunk); err != nil {
			errs = append(errs, fmt.Errorf("keep %d payloads: %w", len(chunk), err))
		}
	}
	return errors.Join(errs...)
}

// KeepConflict stores the bytes of a duplicate that conflicts beside those of the
// first arrival, under their hash, so that the same bytes again are kept once.
func (l *Ledger) KeepConflict(ctx context.Context, e event.Event, hash string, window time.Duration) error {
	if window <= 0 {
		window = defaultWindow
	}
	z, err := l.zip()
	if err == nil {
		var it item
		if it, err = l.payloadItem(ctx, z, conflictID(e.Key(), hash), e); err == nil {
			it[attrTTL] = number(l.now().Add(window).Unix())
			err = l.write(ctx, []types.WriteRequest{{PutRequest: &types.PutRequest{Item: it}}})
		}
	}
	if err != nil {
		return fmt.Errorf("keep the conflict of %s: %w", e.Key(), err)
	}
	return nil
}

func (l *Ledger) payloadItem(ctx context.Context, z *zstd.Encoder, id string, e event.Event) (item, error) {
	it := item{attrID: text(id)}
	k := kept{
		ID: e.ID, Source: e.Source, Type: e.Type, Time: e.Time, Subject: e.Subject, Version: e.Version,
		ContentType: e.ContentType, Transport: e.Transport, ReceivedTime: e.ReceivedTime, VerifiedTime: e.VerifiedTime,
		CorrelationID: e.CorrelationID, TraceParent: e.TraceParent, Headers: e.Headers, Query: e.Query, Missed: e.Missed, Backfill: e.Backfill, Hydrated: e.Hydrated,
	}
	if packed := z.EncodeAll(e.Data, nil); e.Data != nil && len(packed) <= itemRoom {
		it[attrData] = &types.AttributeValueMemberB{Value: packed}
	} else if e.DataRef != "" {
		k.DataRef = e.DataRef
	} else if e.Data != nil {
		ref, err := l.put(ctx, e)
		if err != nil {
			return nil, err
		}
		k.DataRef = ref
	}
	meta, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	it[attrEvent] = text(string(meta))
	return it, nil
}

var errNoBodies = errors.New("the data are too large for the table, and there is no claim check: set BODIES")

func (l *Ledger) put(ctx context.Context, e event.Event) (string, error) {
	if l.bodies == nil {
		return "", errNoBodies
	}
	return l.bodies.Put(ctx, e.Source, e.Data)
}

// write sends up to 25 writes; what DynamoDB did not take is sent again.
func (l *Ledger) write(ctx context.Context, writes []types.WriteRequest) error {
	for again := 0; ; again++ {
		out, err := l.api.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{l.table: writes},
		})
		if err != nil {
			return err
		}
		if writes = out.UnprocessedItems[l.table]; len(writes) == 0 {
			return nil
		}
		if err := pause(ctx, again); err != nil {
			return fmt.Errorf("%d were not taken: %w", len(writes), err)
		}
	}
}

// Payload returns the event with its bytes, as it was kept; ErrNotFound where
// its source does not keep payloads or the window has passed.
func (l *Ledger) Payload(ctx context.Context, key string) (event.Event, error) {
	return l.payload(ctx, key, payloadID(key))
}

// ConflictPayload returns a duplicate with the data of that hash, which conflict
// with those of the first arrival; ErrNotFound as for Payload.
func (l *Ledger) ConflictPayload(ctx context.Context, key, hash string) (event.Event, error) {
	return l.payload(ctx, key, conflictID(key, hash))
}

// payload returns the event without its data where an error is that they are gone.
func (l *Ledger) payload(ctx context.Context, key, id string) (event.Event, error) {
	it, err := l.get(ctx, id)
	if err != nil {
		return event.Event{}, fmt.Errorf("the payload of %s: %w", key, err)
	}
	var k kept
	if err := json.Unmarshal([]byte(getText(it, attrEvent)), &k); err != nil {
		return event.Event{}, fmt.Errorf("read the payload of %s: %w", key, err)
	}
	e := event.Event{
		ID: k.ID, Source: k.Source, Type: k.Type, Time: k.Time, Subject: k.Subject, Version: k.Version,
		ContentType: k.ContentType, DataRef: k.DataRef, Transport: k.Transport, ReceivedTime: k.ReceivedTime,
		VerifiedTime: k.VerifiedTime, CorrelationID: k.CorrelationID, TraceParent: k.TraceParent,
		Headers: k.Headers, Query: k.Query, Missed: k.Missed, Backfill: k.Backfill, Hydrated: k.Hydrated,
	}
	e.Data, err = l.data(ctx, it, k.DataRef)
	if err != nil {
		return e, fmt.Errorf("read the payload of %s: %w", key, err)
	}
	return e, nil
}

func (l *Ledger) data(ctx context.Context, it item, ref string) ([]byte, error) {
	if ref != "" {
		if l.bodies == nil {
			return nil, errNoBodies
		}
		return l.bodies.Get(ctx, ref)
	}
	packed, ok := it[attrData].(*types.AttributeValueMemberB)
	if !ok {
		return nil, nil
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return z.DecodeAll(packed.Value, []byte{})
}

var _ API = (*dynamodb.Client)(nil)
