package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// asJSON says whether the person asked for JSON.
func asJSON(c *cobra.Command) bool {
	yes, err := c.Flags().GetBool("json")
	return err == nil && yes
}

// printJSON writes one object on one line.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// counted is a number with its noun: 1 source, 2 sources.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// A table aligns columns; flush writes the rows there are. Columns stay as wide
// as they were, so that rows which come later (--follow) stand under the first.
// The standard tabwriter forgets its widths with each flush.
type table struct {
	out    io.Writer
	rows   [][]string
	widths []int
}

func newTable(out io.Writer, head ...string) *table {
	t := &table{out: out}
	t.row(head...)
	return t
}

func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
		if cell == "" {
			cells[i] = "-"
		}
		if i == len(t.widths) {
			t.widths = append(t.widths, 0)
		}
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cells[i]))
	}
	t.rows = append(t.rows, cells)
}

func (t *table) flush() error {
	for _, cells := range t.rows {
		var line strings.Builder
		for i, cell := range cells {
			line.WriteString(cell)
			if i < len(cells)-1 {
				line.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		if _, err := fmt.Fprintln(t.out, line.String()); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return nil
}

// printable keeps what a provider wrote from moving the cursor or colouring the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '·'
		}
		return r
	}, s)
}

// clock is a time as a person reads it: of today the hour, else the date too.
func clock(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.Local()
	if now.Sub(t) < 18*time.Hour && t.Before(now.Add(time.Hour)) {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}
