package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/api"
	"pushpull/shared/jq"
	"pushpull/shared/records"
)

const (
	chunkRecords = 1000
	chunkDetails = 25      // records of a chunk that may each need a request
	chunkBytes   = 4 << 20 // of their data
)

// errShifted says that a page has others where those that were given out stood.
var errShifted = errors.New("the page is not what it was")

// A batch reads the records of one answer and gives them out in chunks. Until it
// is through, the state stays that before the answer, with the number of records
// of it that were given out.
type batch struct {
	r      *run
	server time.Time
	before Progress
	st     State

	read    int    // records of the answer so far
	given   int    // of these, in chunks before
	prefix  string // a hash of them all
	pending []pending
	bytes   int

	kept     int  // records that may be new
	below    bool // one was below the run's bound
	beyond   bool // the last one was beyond it
	without  int  // records without a value at cursor_path
	head     json.RawMessage
	last     json.RawMessage
	high     value // of the record before
	unsorted bool  // a value was lower than one before it
	rest     gjson.Result
}

// A pending record waits for its chunk. From is what of the answer stands before
// the record that it was made of.
type pending struct {
	Record
	from    point
	dropped bool
}

// take reads an answer to its end. What is left after the last full chunk stays
// in the batch, for the caller to give out with what follows.
func (r *run) take(ctx context.Context, a *api.Answer, l list) (*batch, error) {
	b := &batch{r: r, server: a.Server, before: r.p, st: r.st}
	err := b.all(ctx, a, l)
	return b, b.undo(err)
}

// undo takes the marks back where the answer was not read to its end.
func (b *batch) undo(err error) error {
	if err == nil {
		return nil
	}
	b.r.st, b.r.p = b.st, b.before
	if errors.Is(err, errShifted) {
		b.r.p.Skip, b.r.p.Prefix = 0, ""
	}
	return err
}

func (b *batch) all(ctx context.Context, a *api.Answer, l list) error {
	in, err := l.open(a)
	if err != nil || in == nil {
		return unread(ctx, err)
	}
	defer in.Close() //nolint:errcheck // it was only read
	for {
		raw, err := in.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(unread(ctx, err), b.save(ctx))
		}
		if err := b.add(ctx, raw); err != nil {
			return err
		}
	}
	if b.read < b.before.Skip || b.read == b.before.Skip && b.prefix != b.before.Prefix {
		return errShifted
	}
	b.rest = gjson.ParseBytes(in.Rest())
	if b.without > 0 && b.without == b.read {
		return permanent(0, "no record has a value at %q: check poll.incremental.cursor_path", b.r.s.inc.CursorPath)
	}
	if failed := b.rest.Get("errors"); l.form.GraphQL != nil && failed.IsArray() && len(failed.Array()) > 0 {
		return errors.Join(&brokenError{fmt.Errorf("the api answers with errors: %q", clip(failed.Get("0.message").String()))}, b.save(ctx))
	}
	return nil
}

// A brokenError is of an answer that began well: another try may get all of it.
type brokenError struct{ error }

func (e *brokenError) Unwrap() error { return e.error }

// unread sorts the errors of reading an answer.
func unread(ctx context.Context, err error) error {
	e, ok := errors.AsType[*records.Error](err)
	switch {
	case err == nil, errors.Is(err, errStopped), ctx.Err() != nil:
		return err
	case ok && !e.Passing:
		return permanent(0, "%s", e.Reason)
	default:
		return &brokenError{err}
	}
}

// open is nil where the answer has no body, which some APIs send for no records.
func (l list) open(a *api.Answer) (*records.Reader, error) {
	body, empty, err := peek(a)
	if err != nil || empty {
		return nil, err
	}
	in, err := records.Open(body, a.Header.Get("Content-Type"), a.Header.Get("Content-Encoding"), records.Options{
		Path: l.records.Path, Format: l.records.Format, Encoding: l.records.Encoding, Delimiter: l.records.Delimiter,
		Optional: l.records.Optional, JQ: l.jq, MaxBytes: l.form.MaxBytes,
	})
	return in, err
}

// add takes one record of the answer.
func (b *batch) add(ctx context.Context, raw json.RawMessage) error {
	if len(b.pending) >= b.r.s.chunk || b.bytes >= chunkBytes {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	if b.read == b.before.Skip && b.prefix != b.before.Prefix {
		return errShifted
	}
	made, err := b.r.made(ctx, raw)
	if err != nil {
		return err
	}
	v, valued, err := b.r.value(raw)
	if err != nil {
		return err
	}
	switch {
	case valued:
		b.unsorted = b.unsorted || b.read > 0 && v.compare(b.high) < 0
		b.high = v
	case b.r.s.inc.CursorPath != "":
		b.without++
	}
	from := point{b.read, b.prefix}
	b.read++
	if b.last = raw; b.head == nil {
		b.head = raw
	}
	for _, data := range made {
		id, err := b.r.s.o.Identity(data)
		if err != nil {
			return fmt.Errorf("identify a record: %w", err)
		}
		b.prefix = shortHash(b.prefix + id)
		record := Record{ID: id, Data: data}
		if valued {
			record.Time = v.at
			place := b.r.mark(v, id, b.server)
			b.below, b.beyond = b.below || place == under, place == beyond
			if place != fresh {
				continue
			}
		}
		b.kept++
		if b.read <= b.before.Skip || b.r.p.Discard {
			continue
		}
		b.bytes += len(data)
		b.pending = append(b.pending, pending{Record: record, from: from})
	}
	if len(made) == 0 {
		b.prefix = shortHash(b.prefix + string(raw))
	}
	return nil
}

// made is what records.each makes of a record.
func (r *run) made(ctx context.Context, raw json.RawMessage) ([]json.RawMessage, error) {
	if r.s.each == nil {
		return []json.RawMessage{raw}, nil
	}
	doc, err := jq.Decode(raw)
	if err != nil {
		return nil, err
	}
	values, err := r.s.each.Values(ctx, doc, r.vars()...)
	if err != nil {
		return nil, misfit(err)
	}
	made := make([]json.RawMessage, len(values))
	for i, v := range values {
		if made[i], err = jq.Encode(v); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// misfit is an expression that does not fit the data, which it will not do later
// either. One that took too long may have done so on a busy machine.
func misfit(err error) error {
	if _, ok := errors.AsType[*jq.Error](err); ok && !errors.Is(err, jq.ErrTime) {
		return permanent(0, "%v", err)
	}
	return err
}

// A point is how many records of an answer, and which.
type point struct {
	n      int
	prefix string
}

// page makes a page of what is pending, as far as it can be completed.
func (b *batch) page(ctx context.Context) (page Page, to point, err error) {
	page = b.r.page()
	done, failed := b.r.complete(ctx, b.pending)
	to = point{b.read, b.prefix}
	if failed != nil {
		to = b.pending[done].from
		b.pending = slices.DeleteFunc(b.pending, func(p pending) bool { return p.from.n >= to.n })
	}
	for _, p := range b.pending {
		if !p.dropped {
			page.Records = append(page.Records, p.Record)
		}
	}
	page.Read = to.n - max(b.given, b.before.Skip)
	b.given, b.pending, b.bytes = to.n, nil, 0
	if b.r.s.poll.Snapshot != nil {
		if page.Records, page.commit, err = b.r.compare(ctx, page.Records); err != nil {
			return Page{}, point{}, err
		}
	}
	return page, to, failed
}

// flush gives out what is pending: the rest of the answer comes after it.
func (b *batch) flush(ctx context.Context) error {
	page, to, err := b.page(ctx)
	return b.part(page, to, err)
}

// final makes the last page of the answer, which the caller gives out.
func (b *batch) final(ctx context.Context) (Page, error) {
	page, to, err := b.page(ctx)
	if err != nil {
		return Page{}, b.undo(b.part(page, to, err))
	}
	return page, nil
}

// part gives out a part of the answer, up to a point. Where the rest failed, it is
// given out nevertheless: with a small budget for details, nothing would be, ever.
func (b *batch) part(page Page, to point, err error) error {
	if to.n <= b.before.Skip {
		return err
	}
	b.before.Skip, b.before.Prefix = to.n, to.prefix
	page.Next, page.More = with(b.st, b.before), true
	return errors.Join(err, b.r.give(page))
}

// save gives out what is pending when the answer broke.
func (b *batch) save(ctx context.Context) error {
	if len(b.pending) == 0 || ctx.Err() != nil {
		return nil //nolint:nilerr // whoever broke the answer off tells
	}
	return b.flush(ctx)
}
