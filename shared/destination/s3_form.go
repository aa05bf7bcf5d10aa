package destination

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"pushpull/shared/event"
	"pushpull/shared/parquet"
)

// A form is how the events of an object are written.
type form struct {
	suffix      string
	contentType string
	encode      func([]event.Event) ([]byte, error)
}

func formOf(format, compression string) (form, error) {
	switch format {
	case "", "ndjson":
		return ndjsonForm(cmp.Or(compression, "gzip"))
	case "parquet":
		return parquetForm(cmp.Or(compression, "zstd"))
	}
	return form{}, fmt.Errorf("format: %q is none: write ndjson or parquet", format)
}

func ndjsonForm(compression string) (form, error) {
	switch compression {
	case "none":
		return form{".ndjson", "application/x-ndjson", ndjson}, nil
	case "gzip":
		return form{".ndjson.gz", "application/gzip", compressed(gzipped)}, nil
	case "zstd":
		return form{".ndjson.zst", "application/zstd", compressed(zstandard)}, nil
	}
	return form{}, unknownCompression(compression)
}

// compressed writes lines, and then less of them.
func compressed(compress func([]byte) ([]byte, error)) func([]event.Event) ([]byte, error) {
	return func(events []event.Event) ([]byte, error) {
		text, err := ndjson(events)
		if err != nil {
			return nil, err
		}
		return compress(text)
	}
}

func gzipped(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close() // it writes what is left
	return out.Bytes(), err
}

func zstandard(b []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return w.EncodeAll(b, nil), w.Close()
}

func unknownCompression(name string) error {
	return fmt.Errorf("compression: %q is none: write gzip, zstd or none", name)
}

func ndjson(events []event.Event) ([]byte, error) {
	var text []byte
	for _, e := range events {
		line, err := encodeLine(e)
		if err != nil {
			return nil, err
		}
		text = append(text, line...)
	}
	return text, nil
}

func parquetForm(compression string) (form, error) {
	codec, ok := map[string]parquet.Codec{"none": parquet.None, "gzip": parquet.Gzip, "zstd": parquet.Zstd}[compression]
	if !ok {
		return form{}, unknownCompression(compression)
	}
	return form{suffix: ".parquet", contentType: "application/vnd.apache.parquet", encode: func(events []event.Event) ([]byte, error) {
		return parquet.Write(codec, len(events), columns(events)...)
	}}, nil
}

// columns are the attributes of events, and their data: those that are text in
// data, others in data_base64, as in CloudEvents JSON.
func columns(events []event.Event) []parquet.Column {
	text := func(name string, of func(event.Event) string) parquet.Column {
		return parquet.Text(name, len(events), func(i int) *string { return known(of(events[i])) })
	}
	instant := func(name string, of func(event.Event) time.Time) parquet.Column {
		return parquet.Time(name, len(events), func(i int) time.Time { return of(events[i]) })
	}
	flag := func(name string, of func(event.Event) bool) parquet.Column {
		return parquet.Flag(name, len(events), func(i int) bool { return of(events[i]) })
	}
	return []parquet.Column{
		text("id", func(e event.Event) string { return e.ID }),
		text("source", func(e event.Event) string { return e.Source }),
		text("type", func(e event.Event) string { return e.Type }),
		instant("time", func(e event.Event) time.Time { return e.Time }),
		text("subject", func(e event.Event) string { return e.Subject }),
		text("version", func(e event.Event) string { return e.Version }),
		text("transport", func(e event.Event) string { return string(e.Transport) }),
		instant("received_time", func(e event.Event) time.Time { return e.ReceivedTime }),
		text("correlation_id", func(e event.Event) string { return e.CorrelationID }),
		text("content_type", func(e event.Event) string { return e.ContentType }),
		flag("missed", func(e event.Event) bool { return e.Missed }),
		flag("backfill", func(e event.Event) bool { return e.Backfill }),
		parquet.Text("data", len(events), func(i int) *string { return plainData(events[i]) }),
		parquet.Text("data_base64", len(events), func(i int) *string { return binaryData(events[i]) }),
	}
}

func plainData(e event.Event) *string {
	if e.Data == nil || !utf8.Valid(e.Data) {
		return nil
	}
	return new(string(e.Data))
}

func binaryData(e event.Event) *string {
	if utf8.Valid(e.Data) {
		return nil
	}
	return new(base64.StdEncoding.EncodeToString(e.Data))
}

// known is nil for what an event does not have.
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
