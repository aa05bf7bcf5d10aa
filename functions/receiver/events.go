package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"pushpull/shared/body"
	"pushpull/shared/event"
	"pushpull/shared/form"
	"pushpull/shared/webhook"
)

// events are those in an authentic request; none in an empty batch.
func (h *handler) events(src *source, r webhook.Request, trace trace, received time.Time) ([]event.Event, *refusal) {
	message, encoding, refused := src.message(r)
	if refused != nil {
		return nil, refused
	}
	if message.Unreadable != nil && src.auth.Scheme == "none" {
		return nil, refuse(400, "malformed", message.Unreadable) // who sent it is not known either
	}
	if src.wary && !structured(message) {
		return nil, refuse(src.refuse, "wrong_signature", errors.New("a body without structure, whose signature a stranger could have come by: a handshake signs such texts, or the hash can be lengthened"))
	}
	if message.Unreadable != nil {
		h.log.Warn("body kept as it came", "source", src.name, "error", message.Unreadable)
	}
	common := event.Event{
		Source: src.name, Transport: event.Webhook, ReceivedTime: received,
		CorrelationID: trace.correlation, TraceParent: trace.parent,
		Headers: carriedHeaders(src.headers, r.Header), Query: carriedQuery(src.query, r.RawQuery),
	}
	if encoding != "" {
		common.Headers = carry(common.Headers, "content-encoding", encoding)
	}
	if src.auth.Scheme != "none" {
		common.VerifiedTime = h.now()
	}
	query, _ := url.ParseQuery(r.RawQuery) // once for all elements; what it could not read is not there
	all := make([]event.Event, len(message.Parts))
	for i, part := range message.Parts {
		all[i] = src.event(common, part, r.Header, query)
	}
	if len(all) > 1 {
		tellApart(all)
	}
	return all, nil
}

// structured reports whether each event is empty, or an object or an array by
// its format.
func structured(m body.Message) bool {
	for _, p := range m.Parts {
		kind := gjson.ParseBytes(p.View)
		opaque := string(p.View) == "{}" && strings.TrimSpace(string(p.Data)) != "{}"
		if len(p.Data) > 0 && (opaque || !kind.IsObject() && !kind.IsArray()) {
			return false
		}
	}
	return m.Unreadable == nil
}

// event finds what identifies one event.
func (s *source) event(common event.Event, part body.Part, header webhook.Header, query url.Values) event.Event {
	found := s.identifier.Identify(event.Input{
		Body: part.View, Root: part.Root, Parent: part.Parent, Data: part.Data,
		Header: header.Get, Query: query.Get,
		DefaultType: s.name,
	})
	e := common
	e.ID, e.Type, e.Time, e.Subject, e.Version = found.ID, found.Type, found.Time, found.Entity, found.Version
	e.Data, e.ContentType = part.Data, part.ContentType
	if len(e.ContentType) > event.MaxText {
		e.ContentType = cut(form.Media(e.ContentType), event.MaxText)
	}
	return e
}

// tellApart gives events of one request that have one identity, but not the same
// data, an identity each: else the first would be taken for all of them.
func tellApart(events []event.Event) {
	seen := make(map[string]int, len(events))
	for i := range events {
		first, ok := seen[events[i].ID]
		if !ok {
			seen[events[i].ID] = i
			continue
		}
		if string(events[first].Data) == string(events[i].Data) {
			continue
		}
		sum := sha256.Sum256(events[i].Data)
		suffix := "#" + hex.EncodeToString(sum[:8])
		events[i].ID = cut(events[i].ID, event.MaxID-len(suffix)) + suffix
	}
}

// maxCarried bounds one text that travels with an event, in bytes.
const maxCarried = 4 << 10

func carriedHeaders(names []string, h webhook.Header) event.Carried {
	var carried event.Carried
	for _, name := range names {
		if value := h.Get(name); value != "" {
			carried = carry(carried, strings.ToLower(name), value)
		}
	}
	return carried
}

func carriedQuery(names []string, query string) event.Carried {
	if len(names) == 0 {
		return nil
	}
	var carried event.Carried
	values, _ := url.ParseQuery(query) // what it could not read is not there
	for _, name := range names {
		if value := values.Get(name); value != "" {
			carried = carry(carried, name, value)
		}
	}
	return carried
}

func carry(c event.Carried, name, value string) event.Carried {
	if c == nil {
		c = event.Carried{}
	}
	if len(c) < 16 {
		c[name] = strings.ToValidUTF8(cut(value, maxCarried), "\uFFFD")
	}
	return c
}

// message reads the body of an authentic request. The encoding is that which it
// should be in and is not, "" where all is well: then it is what it was before
// who undid it on the way, or nothing can be seen of it.
func (s *source) message(r webhook.Request) (m body.Message, encoding string, refused *refusal) {
	plain, refused := s.plain(r)
	if refused != nil {
		return m, "", refused
	}
	contentType := r.Header.Get("Content-Type")
	if plain != nil {
		return s.reader.Read(plain, contentType), "", nil
	}
	encoding = r.Header.Get("Content-Encoding")
	if utf8.Valid(r.Body) {
		return s.reader.Read(r.Body, contentType), encoding, nil
	}
	return body.Opaque(r.Body, contentType), encoding, nil
}

// plain is the body without its content encoding. Where that cannot be undone it
// is nil if the bytes as they came are what is proved, so that the event is kept:
// a provider that is refused gives up.
func (s *source) plain(r webhook.Request) ([]byte, *refusal) {
	encoding := r.Header.Get("Content-Encoding")
	if encoding == "" {
		return r.Body, nil
	}
	if r.Plain != nil {
		return r.Plain, nil
	}
	plain, err := body.Decode(r.Body, encoding, s.maxDecoded)
	switch {
	case err == nil:
		return plain, nil
	case errors.Is(err, body.ErrTooLarge):
		return nil, refuse(413, "too_large", fmt.Errorf("after decompression: %w of %d bytes", err, s.maxDecoded))
	}
	if s.auth.Scheme != "none" && !s.verifier.ReadsBody() {
		return nil, nil //nolint:nilnil // see above
	}
	return nil, refuse(415, "content_encoding", err)
}
