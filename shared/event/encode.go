package event

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// The limits of text attributes, in bytes.
const (
	MaxID   = 512
	MaxText = 1024

	maxReplay = 64

	MaxCarried = 64 << 10 // of names and values of headers, and as much of query
)

// ErrInvalid is wrapped by every error of Validate, Encode and Decode.
var ErrInvalid = errors.New("not a valid event")

// Validate says everything that keeps an event from being encoded.
func (e Event) Validate() error {
	var errs []error
	for _, a := range []struct {
		name, value string
		max         int
		required    bool
	}{
		{"id", e.ID, MaxID, true},
		{"source", e.Source, MaxText, true},
		{"type", e.Type, MaxText, true},
		{"subject", e.Subject, MaxText, false},
		{"version", e.Version, MaxText, false},
		{"datacontenttype", e.ContentType, MaxText, false},
		{"dataref", e.DataRef, MaxText, false},
		{"correlationid", e.CorrelationID, MaxText, false},
		{"traceparent", e.TraceParent, MaxText, false},
		{"replay", e.Replay, maxReplay, false},
		{"schemaerror", e.SchemaError, MaxText, false},
	} {
		if a.required && a.value == "" {
			errs = append(errs, fmt.Errorf("%w: %s is empty", ErrInvalid, a.name))
		}
		if len(a.value) > a.max {
			errs = append(errs, fmt.Errorf("%w: %s has %d bytes, the limit is %d", ErrInvalid, a.name, len(a.value), a.max))
		}
	}
	if e.Transport != Webhook && e.Transport != Poll {
		errs = append(errs, fmt.Errorf("%w: transport %q is neither webhook nor poll", ErrInvalid, string(e.Transport)))
	}
	for name, carried := range map[string]Carried{"headers": e.Headers, "query": e.Query} {
		size := 0
		for key, value := range carried {
			size += len(key) + len(value)
		}
		if size > MaxCarried {
			errs = append(errs, fmt.Errorf("%w: %s has %d bytes, the limit is %d", ErrInvalid, name, size, MaxCarried))
		}
	}
	for _, a := range []struct {
		name  string
		value time.Time
	}{{"time", e.Time}, {"receivedtime", e.ReceivedTime}, {"verifiedtime", e.VerifiedTime}} {
		if y := a.value.UTC().Year(); y < 1 || y > 9999 {
			errs = append(errs, fmt.Errorf("%w: %s is in the year %d, which RFC 3339 cannot say", ErrInvalid, a.name, y))
		}
	}
	return errors.Join(errs...)
}

// Encode writes e as CloudEvents 1.0 structured JSON, in characters that SQS accepts.
func Encode(e Event) ([]byte, error) {
	return Append(make([]byte, 0, 640+len(e.Data)), e)
}

// Append appends e, encoded, to dst. Data are written as they are where they
// are JSON, else in base64; either way Decode gives back the same bytes.
func Append(dst []byte, e Event) ([]byte, error) {
	if err := e.Validate(); err != nil {
		return dst, err
	}
	dst = append(dst, `{"specversion":"1.0"`...)
	dst = appendText(dst, "id", e.ID)
	dst = appendText(dst, "source", e.Source)
	dst = appendText(dst, "type", e.Type)
	dst = appendTime(dst, "time", e.Time)
	dst = appendText(dst, "subject", e.Subject)
	dst = appendText(dst, "version", e.Version)
	dst = appendText(dst, "transport", string(e.Transport))
	dst = appendTime(dst, "receivedtime", e.ReceivedTime)
	dst = appendTime(dst, "verifiedtime", e.VerifiedTime)
	dst = appendText(dst, "correlationid", e.CorrelationID)
	dst = appendText(dst, "traceparent", e.TraceParent)
	if e.Missed {
		dst = append(dst, `,"missed":true`...)
	}
	if e.Backfill {
		dst = append(dst, `,"backfill":true`...)
	}
	if e.Hydrated {
		dst = append(dst, `,"hydrated":true`...)
	}
	dst = appendText(dst, "replay", e.Replay)
	dst = appendText(dst, "schemaerror", e.SchemaError)
	dst = appendCarried(dst, "headers", e.Headers)
	dst = appendCarried(dst, "query", e.Query)
	dst = appendText(dst, "datacontenttype", e.ContentType)
	dst = appendText(dst, "dataref", e.DataRef)
	dst = appendData(dst, e)
	return append(dst, '}'), nil
}

func appendText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return appendString(dst, value)
}

// appendCarried writes the names sorted, so that an event has one encoding.
func appendCarried(dst []byte, name string, carried Carried) []byte {
	if len(carried) == 0 {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '{')
	for i, key := range slices.Sorted(maps.Keys(carried)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, key)
		dst = append(dst, ':')
		dst = appendString(dst, carried[key])
	}
	return append(dst, '}')
}

func appendTime(dst []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	dst = t.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

func appendData(dst []byte, e Event) []byte {
	if e.Data == nil {
		return dst
	}
	if verbatim(e) {
		dst = append(dst, `,"data":`...)
		return append(dst, e.Data...)
	}
	dst = append(dst, `,"data_base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, e.Data)
	return append(dst, '"')
}

// verbatim says whether the data can stand in the envelope as they are: JSON by
// their type (CloudEvents reads data of another type differently) and in fact,
// no white space around them (a reader may not keep it), no character that SQS refuses.
func verbatim(e Event) bool {
	b := e.Data
	if len(b) == 0 || isSpace(b[0]) || isSpace(b[len(b)-1]) {
		return false
	}
	if e.ContentType != "" && !IsJSON(e.ContentType) {
		return false
	}
	valid, plain := scanJSON(b)
	return valid && plain
}

// Decode reads what Encode wrote, or another CloudEvent with the same
// attributes; unknown ones are ignored. The event shares no memory with b.
func Decode(b []byte) (Event, error) {
	if !ValidJSON(b) {
		return Event{}, fmt.Errorf("%w: not JSON", ErrInvalid)
	}
	doc := gjson.ParseBytes(b)
	if !doc.IsObject() {
		return Event{}, fmt.Errorf("%w: not a JSON object", ErrInvalid)
	}
	d := decoder{}
	doc.ForEach(func(key, value gjson.Result) bool {
		d.attribute(key.String(), value)
		return d.err == nil
	})
	if d.err == nil && d.specVersion != "1.0" {
		d.err = fmt.Errorf("%w: specversion is %q, want \"1.0\"", ErrInvalid, d.specVersion)
	}
	if d.err == nil {
		d.err = d.event.Validate()
	}
	if d.err != nil {
		return Event{}, d.err
	}
	return d.event, nil
}

type decoder struct {
	event       Event
	specVersion string
	hasData     bool
	err         error
}

func (d *decoder) attribute(name string, v gjson.Result) {
	e := &d.event
	switch name {
	case "specversion":
		d.text(name, v, &d.specVersion)
	case "id":
		d.text(name, v, &e.ID)
	case "source":
		d.text(name, v, &e.Source)
	case "type":
		d.text(name, v, &e.Type)
	case "subject":
		d.text(name, v, &e.Subject)
	case "version":
		d.text(name, v, &e.Version)
	case "datacontenttype":
		d.text(name, v, &e.ContentType)
	case "dataref":
		d.text(name, v, &e.DataRef)
	case "correlationid":
		d.text(name, v, &e.CorrelationID)
	case "traceparent":
		d.text(name, v, &e.TraceParent)
	case "transport":
		d.text(name, v, (*string)(&e.Transport))
	case "replay":
		d.text(name, v, &e.Replay)
	case "schemaerror":
		d.text(name, v, &e.SchemaError)
	case "time":
		d.time(name, v, &e.Time)
	case "receivedtime":
		d.time(name, v, &e.ReceivedTime)
	case "verifiedtime":
		d.time(name, v, &e.VerifiedTime)
	case "headers":
		d.carried(name, v, &e.Headers)
	case "query":
		d.carried(name, v, &e.Query)
	case "missed":
		d.flag(name, v, &e.Missed)
	case "backfill":
		d.flag(name, v, &e.Backfill)
	case "hydrated":
		d.flag(name, v, &e.Hydrated)
	case "data", "data_base64":
		d.data(name, v)
	}
}

func (d *decoder) fail(name, problem string) {
	d.err = fmt.Errorf("%w: %s %s", ErrInvalid, name, problem)
}

func (d *decoder) text(name string, v gjson.Result, to *string) {
	switch {
	case v.Type != gjson.String:
		d.fail(name, "is not a text")
	case *to != "":
		d.fail(name, "is there twice")
	case !utf8.ValidString(v.Str):
		d.fail(name, "is not UTF-8")
	default:
		*to = v.Str
	}
}

func (d *decoder) flag(name string, v gjson.Result, to *bool) {
	if v.Type != gjson.True && v.Type != gjson.False {
		d.fail(name, "is not a boolean")
	}
	*to = v.Bool()
}

func (d *decoder) carried(name string, v gjson.Result, to *Carried) {
	if !v.IsObject() || *to != nil {
		d.fail(name, "is no object, or there twice")
		return
	}
	*to = Carried{}
	v.ForEach(func(key, value gjson.Result) bool {
		if value.Type != gjson.String || !utf8.ValidString(value.Str) || !utf8.ValidString(key.Str) {
			d.fail(name, "has a member that is not a text")
		}
		(*to)[key.Str] = value.Str
		return d.err == nil
	})
}

func (d *decoder) time(name string, v gjson.Result, to *time.Time) {
	t, err := time.Parse(time.RFC3339, v.Str)
	switch {
	case v.Type != gjson.String || err != nil:
		d.fail(name, "is not a time as RFC 3339 writes it")
	case !to.IsZero():
		d.fail(name, "is there twice")
	default:
		*to = t.UTC()
	}
}

func (d *decoder) data(name string, v gjson.Result) {
	if d.hasData {
		d.fail(name, "is there beside other data")
		return
	}
	d.hasData = true
	if name == "data" {
		d.event.Data = []byte(v.Raw)
		return
	}
	b, err := base64.StdEncoding.DecodeString(v.Str)
	if v.Type != gjson.String || err != nil {
		d.fail(name, "is not base64")
		return
	}
	d.event.Data = b
}
