package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"pushpull/local/lambda"
	"pushpull/shared/telemetry"
)

// The colours of a terminal.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// A devOutput prints what happens, a line for each thing. It is safe for
// concurrent use: each environment of a function writes to it.
type devOutput struct {
	raw      bool // the functions' JSON lines as they are
	terminal bool

	mu     sync.Mutex
	w      *bufio.Writer
	status bool // a progress line stands without its end
	stop   chan struct{}
	ended  sync.WaitGroup
}

func newDevOutput(w io.Writer, raw bool) *devOutput {
	o := &devOutput{raw: raw, w: bufio.NewWriterSize(w, 64<<10), stop: make(chan struct{})}
	if f, ok := w.(*os.File); ok {
		o.terminal = isatty.IsTerminal(f.Fd()) && os.Getenv("NO_COLOR") == ""
	}
	o.ended.Go(o.flushes)
	return o
}

// flushes writes out what was printed a few times a second: a write for each
// line would cost as much as the event it tells of.
func (o *devOutput) flushes() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-o.stop:
			return
		case <-tick.C:
		}
		o.mu.Lock()
		_ = o.w.Flush() // a terminal that is gone is no reason to stop
		o.mu.Unlock()
	}
}

func (o *devOutput) close() {
	close(o.stop)
	o.ended.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.w.Flush() // as above
}

func (o *devOutput) print(text string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.endStatus()
	if _, err := o.w.WriteString(text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return o.w.Flush()
}

// note prints a line of our own.
func (o *devOutput) note(text string) {
	if !o.raw {
		_ = o.print(o.paint(dim, time.Now().Format(time.TimeOnly)+"  "+text) + "\n")
	}
}

func (o *devOutput) paint(colour, text string) string {
	if !o.terminal {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (o *devOutput) endStatus() {
	if o.status {
		o.status = false
		_, _ = o.w.WriteString("\r\x1b[K")
	}
}

// progress shows what is being done, with its seconds on a terminal.
func (o *devOutput) progress(what string) func() {
	began := time.Now()
	stop := make(chan struct{})
	var shown sync.WaitGroup
	if o.terminal && !o.raw {
		shown.Go(func() { o.showSeconds(what, began, stop) })
	} else if !o.raw {
		_ = o.print(what + " …\n")
	}
	return func() {
		close(stop)
		shown.Wait()
		o.note(fmt.Sprintf("%s took %.1f s", what, time.Since(began).Seconds()))
	}
}

func (o *devOutput) showSeconds(what string, began time.Time, stop chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		o.mu.Lock()
		o.status = true
		fmt.Fprintf(o.w, "\r\x1b[K%s … %.0f s", what, time.Since(began).Seconds())
		_ = o.w.Flush() // a terminal that is gone is no reason to stop
		o.mu.Unlock()
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

// A logLine is what dev reads of a function's line.
type logLine struct {
	Time        time.Time       `json:"time"`
	Level       string          `json:"level"`
	Msg         string          `json:"msg"`
	Source      string          `json:"source"`
	Transport   string          `json:"transport"`
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Entity      string          `json:"entity"`
	Destination string          `json:"destination"`
	Reason      string          `json:"reason"`
	Error       string          `json:"error"`
	Next        string          `json:"next"`
	Took        string          `json:"took"`
	Attempt     int             `json:"attempt"`
	Missed      json.RawMessage `json:"missed"` // a count of the poller, a bool of the processor
	Records     int             `json:"records"`
	New         int             `json:"new"`
}

// line takes one line of a function.
func (o *devOutput) line(l lambda.Line) {
	if o.raw {
		o.mu.Lock()
		defer o.mu.Unlock()
		_, _ = o.w.Write(l.Text) // as in flushes
		_ = o.w.WriteByte('\n')
		return
	}
	if bytes.HasPrefix(l.Text, []byte(`{"_aws"`)) {
		return // metrics, for CloudWatch
	}
	var in logLine
	if json.Unmarshal(l.Text, &in) != nil || in.Msg == "" {
		in = logLine{Time: time.Now(), Level: "WARN", Msg: string(l.Text)}
	}
	colour, what := in.says()
	if what == "" {
		return
	}
	o.event(in, colour, what)
}

// says is what a line means to a person; nothing where it is of no interest.
func (in *logLine) says() (colour, what string) {
	switch in.Msg {
	case telemetry.MsgReceived:
		return "", "received"
	case telemetry.MsgRejected:
		return yellow, "rejected: " + in.Reason
	case telemetry.MsgDelivered:
		return green, "delivered → " + in.Destination + took(in.Took) + in.healed()
	case telemetry.MsgDuplicate:
		return dim, "duplicate dropped"
	case telemetry.MsgFiltered:
		return dim, "filtered: " + in.Reason
	case telemetry.MsgRetry:
		return yellow, fmt.Sprintf("attempt %d → %s failed: %s", in.Attempt, in.Destination, in.Reason)
	case telemetry.MsgDead:
		return red, "dead: " + in.Reason
	case telemetry.MsgPolled:
		return in.polled()
	case telemetry.MsgPollFailed:
		in.Transport = "poll"
		return red, "poll failed: " + in.Reason
	}
	switch in.Level {
	case "WARN":
		return yellow, in.Msg + detail(in.Reason, in.Error)
	case "ERROR":
		return red, in.Msg + detail(in.Reason, in.Error)
	}
	return "", ""
}

func detail(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return ": " + t
		}
	}
	return ""
}

// healed marks an event that no webhook brought.
func (in *logLine) healed() string {
	if string(in.Missed) == "true" {
		return ", healed: only the poll found it"
	}
	return ""
}

// polled is said only of a poll that found something.
func (in *logLine) polled() (colour, what string) {
	if in.New == 0 {
		return "", ""
	}
	in.Transport = "poll"
	what = fmt.Sprintf("polled: %d records, %d new", in.Records, in.New)
	if missed := string(in.Missed); missed != "" && missed != "0" {
		what += ", " + missed + " that no webhook brought"
	}
	return cyan, what
}

// took is a duration as a person reads it.
func took(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return ""
	}
	if d < time.Millisecond {
		return " <1 ms"
	}
	return fmt.Sprintf(" %d ms", d.Milliseconds())
}

// event prints a line with its columns.
func (o *devOutput) event(in logLine, colour, what string) {
	about := in.Entity
	if about == "" {
		about = in.ID
	}
	if in.Time.IsZero() {
		in.Time = time.Now()
	}
	head := fmt.Sprintf("%s  %-7s  %s  %s  %s", in.Time.Local().Format(time.TimeOnly),
		column(in.Transport, 7), column(in.Source, 10), column(in.Type, 20), column(about, 24))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.endStatus()
	what = printable(what)
	if colour != "" {
		what = o.paint(colour, what)
	}
	_, _ = fmt.Fprintf(o.w, "%s  %s\n", head, what) // as in flushes
}

// column is a text made to fit, its end kept, for ids differ there.
func column(text string, width int) string {
	runes := []rune(printable(text))
	if len(runes) > width {
		runes = append([]rune{'…'}, runes[len(runes)-width+1:]...)
	}
	return string(runes) + strings.Repeat(" ", width-len(runes))
}

// handler prints what the stack itself logs, warnings and worse, in the same form.
func (o *devOutput) handler() slog.Handler {
	if o.raw {
		return slog.NewJSONHandler(rawWriter{o}, nil)
	}
	return &stackHandler{out: o}
}

// rawWriter writes whole lines between those of the functions.
type rawWriter struct{ o *devOutput }

func (w rawWriter) Write(b []byte) (int, error) {
	w.o.mu.Lock()
	defer w.o.mu.Unlock()
	return w.o.w.Write(b)
}

// A stackHandler prints the stack's own log for a person.
type stackHandler struct {
	out   *devOutput
	attrs []slog.Attr
}

func (h *stackHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (h *stackHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &stackHandler{out: h.out, attrs: append(slices.Clip(h.attrs), attrs...)}
}

// WithGroup is not told apart: the stack logs none.
func (h *stackHandler) WithGroup(string) slog.Handler { return h }

func (h *stackHandler) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	add := func(a slog.Attr) bool {
		value := a.Value.String()
		if a.Key == "error" {
			text += ": " + value
		} else {
			text += ", " + a.Key + " " + value
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	colour := dim
	switch {
	case r.Level >= slog.LevelError:
		colour = red
	case r.Level >= slog.LevelWarn:
		colour = yellow
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "\n") { // a compiler says several lines
		if i > 0 {
			b.WriteString("\n          ")
		}
		b.WriteString(h.out.paint(colour, printable(part)))
	}
	return h.out.print(r.Time.Format(time.TimeOnly) + "  " + b.String() + "\n")
}
