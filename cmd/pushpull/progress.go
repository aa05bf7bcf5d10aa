package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

// quiet is how long a command may take before it shows how far it is.
const quiet = 2 * time.Second

// A progress shows on a terminal how far a command is, once it takes long.
type progress struct {
	out         io.Writer // nil where nobody watches
	what        string
	done, total int
	began, last time.Time
}

func newProgress(c *cobra.Command, what string, total int) *progress {
	p := &progress{what: what, total: total, began: time.Now()}
	if f, ok := c.ErrOrStderr().(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		p.out = f
	}
	return p
}

// add counts n more, and redraws the line.
func (p *progress) add(n int) {
	p.done += n
	p.draw(func(took time.Duration) string {
		rate := float64(p.done) / took.Seconds()
		if p.total > 0 && rate > 0 {
			left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second))
			return fmt.Sprintf("%d of %d %s, %.0f/s, %s left", p.done, p.total, p.what, rate, left.Round(time.Second))
		}
		return fmt.Sprintf("%d %s, %.0f/s", p.done, p.what, rate)
	})
}

// draw shows a line, a few times a second at most.
func (p *progress) draw(line func(took time.Duration) string) {
	now := time.Now()
	if p.out == nil || now.Sub(p.began) < quiet || now.Sub(p.last) < 200*time.Millisecond {
		return
	}
	p.last = now
	fmt.Fprintf(p.out, "\r\x1b[K%s", line(now.Sub(p.began)))
}

// close takes the line away.
func (p *progress) close() {
	if !p.last.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
