package replay

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"pushpull/shared/api"
)

// A Recorder writes a recording. It is safe for concurrent use.
type Recorder struct {
	mu    sync.Mutex
	out   *json.Encoder
	scrub *Scrubber
	cut   []string
	err   error
}

// NewRecorder begins a recording. The run that is recorded must have a clock that
// stands still at the head's time, or its requests are not the same when it is played.
func NewRecorder(w io.Writer, h Head, s *Scrubber) (*Recorder, error) {
	h.Recording = version
	if h.State != nil {
		h.State = json.RawMessage(s.Text(string(h.State)))
	}
	r := &Recorder{out: json.NewEncoder(w), scrub: s}
	r.out.SetEscapeHTML(false)
	if err := r.out.Encode(h); err != nil {
		return nil, fmt.Errorf("write the recording: %w", err)
	}
	return r, nil
}

// Record is for api.Options.
func (r *Recorder) Record(x api.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer, header := x.AnswerBody, x.AnswerHeader.Clone()
	if strings.EqualFold(header.Get("Content-Encoding"), "gzip") {
		answer = unpacked(answer) // a secret would not be found in it
		header.Del("Content-Encoding")
	}
	header.Del("Content-Length")
	line := exchange{
		Method: x.Method, URL: r.scrub.URL(x.URL), Body: r.content(x.Body),
		Status: x.Status, Header: r.scrub.Header(header), Answer: r.content(answer), Cut: x.Cut,
	}
	if line.Method == "" {
		line.Method = "GET"
	}
	if x.Cut {
		r.cut = append(r.cut, line.Method+" "+line.URL)
	}
	if err := r.out.Encode(line); err != nil && r.err == nil {
		r.err = fmt.Errorf("write the recording: %w", err)
	}
}

func (r *Recorder) content(b []byte) *content { return newContent([]byte(r.scrub.Text(string(b)))) }

// Err is the first failure to write, and else tells of answers that are too long
// to be recorded whole.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && len(r.cut) > 0 {
		return fmt.Errorf("the recording has only the beginning of %d answers, the first to %s: record smaller pages", len(r.cut), r.cut[0])
	}
	return r.err
}

// unpacked is as much of the body as there is.
func unpacked(body []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	plain, _ := io.ReadAll(z) // one that was not read to its end is played as far as it goes
	return plain
}
