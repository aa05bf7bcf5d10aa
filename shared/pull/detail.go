package pull

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"pushpull/shared/api"
	"pushpull/shared/jq"
	"pushpull/shared/records"
)

// complete fetches the details of records, and tells which are of deleted
// entities. With an error, done are those before it.
func (r *run) complete(ctx context.Context, list []pending) (done int, err error) {
	known := map[string]bool{}
	if r.s.detail != nil && r.s.o.Known != nil && len(list) > 0 {
		ids := make([]string, len(list))
		for i, p := range list {
			ids[i] = p.ID
		}
		if known, err = r.s.o.Known(ctx, ids); err != nil {
			return 0, fmt.Errorf("ask which of %d records are known: %w", len(ids), err)
		}
	}
	for i := range list {
		p := &list[i]
		if r.s.detail != nil && !known[p.ID] {
			if err := r.fetchDetail(ctx, p); err != nil {
				return i, err
			}
		}
		if p.Deleted, err = r.holds(ctx, r.s.deleted, p.Data); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

func (r *run) fetchDetail(ctx context.Context, p *pending) error {
	d := r.s.poll.Detail
	if r.s.detailed != nil {
		wanted, err := r.holds(ctx, r.s.detailed, p.Data)
		if err != nil || !wanted {
			return err
		}
	}
	req, err := r.s.detail.form.fill(r.lookup(func(name string) (given, bool) {
		path, ok := strings.CutPrefix(name, "record.")
		v := text(gjson.GetBytes(p.Data, jsonPath(path)))
		return given{text: v}, ok && v != ""
	}), nil, false)
	var doc gjson.Result
	if err == nil {
		doc, _, err = r.s.detail.document(ctx, req)
	}
	if absent(err) {
		p.dropped = d.Missing == "drop"
		return nil
	}
	if err != nil {
		return err
	}
	if path := jsonPath(d.Path); path != "" {
		doc = doc.Get(path)
	}
	if !doc.Exists() || doc.Type == gjson.Null {
		return permanent(0, "the answer to detail.request has nothing at %q: check poll.detail.path", d.Path)
	}
	if d.Into == "" {
		p.Data = json.RawMessage(doc.Raw)
	} else if p.Data, err = sjson.SetRawBytes(p.Data, jsonPath(d.Into), []byte(doc.Raw)); err != nil {
		return permanent(0, "poll.detail.into %q cannot be set in a record: %v", d.Into, err)
	}
	p.ID, err = r.s.o.Identity(p.Data)
	return err
}

// absent tells whether the API says that it has not what was asked for.
func absent(err error) bool {
	final, ok := errors.AsType[*api.Permanent](err)
	return ok && (final.Status == http.StatusNotFound || final.Status == http.StatusGone)
}

// holds tells whether a condition holds of a record; without one it does not.
func (r *run) holds(ctx context.Context, condition *jq.Program, record []byte) (bool, error) {
	if condition == nil {
		return false, nil
	}
	doc, err := jq.Decode(record)
	if err != nil {
		return false, err
	}
	holds, err := condition.True(ctx, doc, r.vars()...)
	return holds, misfit(err)
}

// document is an answer that is one JSON document, read whole.
func (e *endpoint) document(ctx context.Context, req api.Request) (gjson.Result, *api.Answer, error) {
	a, err := e.do.Do(ctx, req)
	if err != nil {
		return gjson.Result{}, nil, err
	}
	defer a.Body.Close() //nolint:errcheck // it was only read
	body, empty, err := peek(a)
	if err != nil || empty {
		return gjson.Result{}, a, err
	}
	in, err := records.Open(body, a.Header.Get("Content-Type"), a.Header.Get("Content-Encoding"),
		records.Options{Format: "json", JQ: e.none, MaxBytes: e.form.MaxBytes})
	if err != nil {
		return gjson.Result{}, a, unread(ctx, err)
	}
	defer in.Close() //nolint:errcheck // it was only read
	for err == nil {
		_, err = in.Next(ctx)
	}
	if !errors.Is(err, io.EOF) {
		return gjson.Result{}, a, unread(ctx, err)
	}
	return gjson.ParseBytes(in.Rest()), a, nil
}

// peek tells whether an answer has no body.
func peek(a *api.Answer) (body *bufio.Reader, empty bool, err error) {
	body = bufio.NewReader(a.Body)
	_, err = body.Peek(1)
	if errors.Is(err, io.EOF) {
		return body, a.Status != http.StatusOK, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the answer: %w", err)
	}
	return body, false, nil
}
