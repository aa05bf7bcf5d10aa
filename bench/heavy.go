package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pushpull/shared/webhook"
)

const (
	aimMemory = 200 // MB of the 256 that the function has

	megabyte = 1 << 20
	heaviest = 6 * megabyte  // the largest body taken, as it is sent
	inflated = 16 * megabyte // and as it is decompressed
	inTurn   = 3             // requests, since what one leaves behind meets the next
)

// A heavy request is one that might take much memory.
type heavy struct {
	name     string
	source   string
	unsigned bool // as anybody could send it
	body     func() (contentType, encoding string, body []byte, err error)
}

var heavies = []heavy{
	{"JSON of 6 MB", sourceName, false, plainly("application/json", func() []byte { return objectOf(heaviest) })},
	{"gzip that would be 1 GB", sourceName, false, compressed("gzip", func() ([]byte, error) { return gzipOf(zeros, 1<<30/megabyte) })},
	{"the same unsigned, to a source with a handshake", "slack", true, compressed("gzip", func() ([]byte, error) { return gzipOf(zeros, 1<<30/megabyte) })},
	{"gzip of 16 MB of JSON", sourceName, false, compressed("gzip", func() ([]byte, error) { return gzipText(objectOf(inflated)) })},
	{"br that would be 64 MB", sourceName, false, compressed("br", brotliBomb)},
	{"zstd that would be 64 MB", sourceName, false, compressed("zstd", zstdBomb)},
	{"a batch of 10,000", "batch", false, plainly("application/json", func() []byte { return batchOf(10_000, 0).Body })},
	{"a batch of 10,000, 6 MB", "batch", false, plainly("application/json", func() []byte { return batchOf(10_000, 450).Body })},
	{"gzip of a batch of 25,000, 16 MB", "batch", false, compressed("gzip", func() ([]byte, error) { return gzipText(batchOf(25_000, 500).Body) })},
	{"multipart of 6 MB", sourceName, false, plainly(multipartType, func() []byte { return multipartOf(heaviest) })},
	{"multipart of 6 MB, made JSON", "convert", false, plainly(multipartType, func() []byte { return multipartOf(heaviest) })},
	{"gzip of a multipart of 16 MB, made JSON", "convert", false, func() (string, string, []byte, error) {
		body, err := gzipText(multipartOf(inflated))
		return multipartType, "gzip", body, err
	}},
	{"form of 6 MB, made JSON", "convert", false, plainly("application/x-www-form-urlencoded", formBody)},
	{"XML of 6 MB, made JSON", "convert", false, plainly("application/xml", xmlBody)},
	{"JSON, 3 million deep, kept as it came", sourceName, false, plainly("application/json", func() []byte {
		return []byte(strings.Repeat("[", heaviest/2) + strings.Repeat("]", heaviest/2))
	})},
	{"the same, never closed", sourceName, false, plainly("application/json", func() []byte {
		return []byte(strings.Repeat(`{"a":`, heaviest/5))
	})},
}

func plainly(contentType string, of func() []byte) func() (string, string, []byte, error) {
	return func() (string, string, []byte, error) { return contentType, "", of(), nil }
}

func compressed(encoding string, of func() ([]byte, error)) func() (string, string, []byte, error) {
	return func() (string, string, []byte, error) {
		body, err := of()
		return "application/json", encoding, body, err
	}
}

func (h heavy) request(s setting, at time.Time) (webhook.Request, error) {
	contentType, encoding, body, err := h.body()
	if err != nil {
		return webhook.Request{}, err
	}
	r := newRequest(h.source, contentType, body)
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	if h.unsigned {
		return r, nil
	}
	return r, s.sign(h.source, &r, at)
}

// A heavyRow is what a heavy request took.
type heavyRow struct {
	Name   string  `json:"name"`
	Bytes  int     `json:"bytes"`  // of the body as it was sent
	Answer int     `json:"answer"` // the status
	Queued int     `json:"queued"` // messages, of one request
	Stored int     `json:"stored"` // bodies in the claim check, of one request
	Memory float64 `json:"peak_mb"`
	Took   float64 `json:"took_ms"` // the median of the requests
	Aim    float64 `json:"aim"`
}

// measureHeavy sends each to a process of its own.
func (s stage) measureHeavy(ctx context.Context, receiver function, many setting) ([]heavyRow, error) {
	var rows []heavyRow
	for _, h := range heavies {
		r, err := h.request(many, time.Now())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.name, err)
		}
		text, err := payload(r)
		if err != nil {
			return nil, err
		}
		got, err := s.run(ctx, receiver, job{setting: many, payload: text, events: inTurn, patience: 30 * time.Second, any: true})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.name, err)
		}
		rows = append(rows, heavyRow{
			Name: h.name, Bytes: len(r.Body), Answer: got.status, Queued: got.queued / inTurn, Stored: got.stored / inTurn,
			Memory: float64(got.peak) / 1e6, Took: measured{warm: []run{got}}.percentile(0.50) / 1e3, Aim: aimMemory,
		})
	}
	return rows, nil
}

func writeHeavy(w io.Writer, rows []heavyRow) error {
	_, _ = fmt.Fprintf(w, "\nmemory of the receiver, a process for each kind of request, %d in turn; the function has 256 MB\n", inTurn)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\tsent (MB)\tanswer\tqueued\tstored\ttook (ms)\tpeak memory (MB)\taim\t\t")
	for _, row := range rows {
		aim, reached := verdict("≤ %.0f", row.Memory, row.Aim)
		_, _ = fmt.Fprintf(table, "%s\t%.2f\t%d\t%d\t%d\t%.0f\t%.0f\t%s\t%s\t\n",
			row.Name, float64(row.Bytes)/1e6, row.Answer, row.Queued, row.Stored, row.Took, row.Memory, aim, reached)
	}
	return table.Flush()
}

var zeros = bytes.Repeat([]byte{'0'}, megabyte)
