package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/api"
	"pushpull/shared/api/replay"
	"pushpull/shared/event"
	"pushpull/shared/pull"
)

// mostPending is how many events wait for the line of the request that brought them.
const mostPending = 1000

// A dryOutput prints requests and the events that they brought. An answer is over
// only after its last event, so events wait for it.
type dryOutput struct {
	c       *cobra.Command
	json    bool
	scrub   *replay.Scrubber
	events  *table
	pending int
	sum     drySummary
	err     error // of a request's line, told with the next
}

// A drySummary is what a dry run found in all.
type drySummary struct {
	Source    string `json:"source"`
	Requests  int    `json:"requests"`
	Pages     int    `json:"pages"`
	Records   int    `json:"records"`
	New       int    `json:"new"`
	Known     int    `json:"known"`
	Missed    int    `json:"missed"`
	Bytes     int    `json:"bytes"`
	Cut       bool   `json:"cut,omitempty"` // by --limit
	Resync    bool   `json:"resync,omitempty"`
	Gap       bool   `json:"gap,omitempty"`
	Watermark string `json:"watermark,omitempty"` // where the next run would begin
}

func newDryOutput(c *cobra.Command, scrub *replay.Scrubber) *dryOutput {
	return &dryOutput{c: c, json: asJSON(c), scrub: scrub, events: &table{out: c.OutOrStdout()}}
}

func (o *dryOutput) out() io.Writer { return o.c.OutOrStdout() }

// note says something besides.
func (o *dryOutput) note(text string) { fmt.Fprintln(o.c.ErrOrStderr(), text) }

// A dryRequest is a request as --json has it.
type dryRequest struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   string `json:"body,omitempty"`
	Status int    `json:"status"`
	Took   int64  `json:"took_ms"`
	Bytes  int    `json:"bytes"` // of the answer, as it was sent
	Cut    bool   `json:"cut,omitempty"`
}

// request prints a request whose answer is over, and what waits for it.
func (o *dryOutput) request(x api.Exchange) {
	r := dryRequest{
		Method: x.Method, URL: o.scrub.URL(x.URL), Body: o.scrub.Text(string(x.Body)), Status: x.Status,
		Took: x.Took.Milliseconds(), Bytes: len(x.AnswerBody), Cut: x.Cut,
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	o.sum.Requests++
	o.sum.Bytes += r.Bytes
	if o.json {
		o.err = errors.Join(o.err, printJSON(o.out(), map[string]dryRequest{"request": r}))
		return
	}
	size := bytesText(r.Bytes)
	if r.Cut {
		size = "more than " + size
	}
	_, err := fmt.Fprintf(o.out(), "%s %s  %d  %d ms  %s\n", r.Method, printable(r.URL), r.Status, r.Took, size)
	if r.Body != "" && err == nil {
		_, err = fmt.Fprintf(o.out(), "  sent %s\n", printable(r.Body))
	}
	o.err = errors.Join(o.err, err, o.flush())
}

func bytesText(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/1_000_000)
	}
}

// page counts a page.
func (o *dryOutput) page(p pull.Page) {
	o.sum.Pages++
	o.sum.Records += p.Read
	o.sum.Resync = o.sum.Resync || p.Resync
	if p.Gap && !o.sum.Gap {
		o.note("history may be lost: the api no longer has what followed the checkpoint")
	}
	o.sum.Gap = o.sum.Gap || p.Gap
}

// A dryEvent is an event as --json has it.
type dryEvent struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Entity  string    `json:"entity,omitempty"`
	Version string    `json:"version,omitempty"`
	Time    time.Time `json:"time,omitzero"`
	Known   bool      `json:"known"` // the ledger has it
	Missed  bool      `json:"missed,omitempty"`
}

func (o *dryOutput) event(e event.Event, known bool) error {
	what := "new"
	switch {
	case known:
		o.sum.Known++
		what = "known"
	case e.Missed:
		o.sum.New++
		o.sum.Missed++
		what = "missed"
	default:
		o.sum.New++
	}
	if o.json {
		return printJSON(o.out(), map[string]dryEvent{"event": {e.ID, e.Type, e.Subject, e.Version, e.Time, known, e.Missed}})
	}
	o.events.row("  "+what, clock(e.Time, time.Now()), e.Type, e.Subject, e.Version, e.ID)
	if o.pending++; o.pending >= mostPending {
		return o.flush()
	}
	return nil
}

func (o *dryOutput) flush() error {
	o.pending = 0
	return o.events.flush()
}

// close prints what is left and the summary. Ended is the state of a run that came to its end.
func (o *dryOutput) close(ended *pull.State) error {
	if ended != nil {
		o.sum.Watermark = ended.Watermark
	}
	if o.json {
		return errors.Join(o.err, printJSON(o.out(), map[string]drySummary{"summary": o.sum}))
	}
	s := o.sum
	err := errors.Join(o.err, o.flush())
	_, failed := fmt.Fprintf(o.out(), "%s in %s on %s: %d new, %d known, %d missed by push; nothing was queued or saved\n",
		counted(s.Records, "record"), counted(s.Requests, "request"), counted(s.Pages, "page"), s.New, s.Known, s.Missed)
	if s.Cut {
		o.note("there is more: --limit ended it")
	}
	if s.Resync {
		o.note("the api had forgotten where the last run ended: it was read anew")
	}
	if s.Watermark != "" && failed == nil {
		_, failed = fmt.Fprintf(o.out(), "the next run would begin at %s\n", printable(o.scrub.Text(s.Watermark)))
	}
	return errors.Join(err, failed)
}
