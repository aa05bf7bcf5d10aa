package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// CompiledFile is the name of the compiled configuration in its folder.
const CompiledFile = "compiled.txt"

// Header begins the first line of a compiled configuration; the hash of the
// YAML it was made from follows. The number changes with the format.
const Header = "# pushpull config 1 "

// The words that begin the lines of a compiled configuration, in their order.
const (
	KindDestination = "destination"
	KindRoute       = "route"
	KindSource      = "source"
	KindTable       = "table"
)

// Compiled is the configuration prepared at build: one sorted text, a line for
// each source, destination, route and table, which a function looks up by name without
// reading the rest. Package load writes it; `pushpull check --write` stores it.
// The zero value is a configuration with nothing in it.
type Compiled struct {
	text string
}

// ErrUnknown is returned for a name that the configuration does not have.
var ErrUnknown = errors.New("not in the configuration")

// ErrNotCompiled is returned for a text that is no compiled configuration of
// this version.
var ErrNotCompiled = errors.New("not a compiled configuration of this version: make it with `pushpull check --write`")

// Parse takes the text of a compiled configuration. It looks at the first line
// only, so that its cost does not grow with the configuration.
func Parse(text string) (Compiled, error) {
	first, _, whole := strings.Cut(text, "\n")
	if !whole || !strings.HasPrefix(first, Header) {
		return Compiled{}, ErrNotCompiled
	}
	return Compiled{text: text}, nil
}

// Open gives the embedded configuration, or where dir is not empty the one that
// is compiled in that folder.
func Open(dir, embedded string) (Compiled, error) {
	if dir == "" {
		c, err := Parse(embedded)
		if err != nil {
			return Compiled{}, fmt.Errorf("embedded configuration: %w", err)
		}
		return c, nil
	}
	name := filepath.Join(dir, CompiledFile)
	text, err := read(name)
	if err != nil {
		return Compiled{}, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Parse(text)
	if err != nil {
		return Compiled{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// read is os.ReadFile for a string. Making one of its bytes would copy them, and
// the copy of a large configuration was a fifth of a function's start.
func read(name string) (string, error) {
	file, err := os.Open(name) //nolint:gosec // the folder is the operator's choice
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.Grow(int(info.Size()))
	_, err = io.Copy(&text, file)
	return text.String(), err
}

// Hash is the hash of the YAML files that the configuration was made from.
func (c Compiled) Hash() string {
	first, _, _ := strings.Cut(c.text, "\n")
	return strings.TrimSpace(strings.TrimPrefix(first, Header))
}

// Source decodes the source of that name. The error is ErrUnknown where there is none.
func (c Compiled) Source(name string) (Source, error) {
	var s Source
	err := c.decode(KindSource, name, &s)
	return s, err
}

// Destination decodes the destination of that name. The error is ErrUnknown where there is none.
func (c Compiled) Destination(name string) (Destination, error) {
	var d Destination
	err := c.decode(KindDestination, name, &d)
	return d, err
}

// Table decodes the table of that name. The error is ErrUnknown where there is none.
func (c Compiled) Table(name string) (Table, error) {
	var t Table
	err := c.decode(KindTable, name, &t)
	return t, err
}

// Sources yields the names of all sources, sorted.
func (c Compiled) Sources() iter.Seq[string] { return c.names(KindSource) }

// Destinations yields the names of all destinations, sorted.
func (c Compiled) Destinations() iter.Seq[string] { return c.names(KindDestination) }

// Routes decodes the routes, in their order in the files.
func (c Compiled) Routes() ([]Route, error) {
	var routes []Route
	for number, object := range c.lines(KindRoute) {
		var r Route
		if err := json.Unmarshal([]byte(object), &r); err != nil {
			return nil, fmt.Errorf("route %s of the compiled configuration: %w", number, err)
		}
		routes = append(routes, r)
	}
	return routes, nil
}

func (c Compiled) names(kind string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range c.lines(kind) {
			if !yield(name) {
				return
			}
		}
	}
}

// lines yields the name and the object of each line of a kind.
func (c Compiled) lines(kind string) iter.Seq2[string, string] {
	return func(yield func(name, object string) bool) {
		prefix := kind + " "
		rest := c.text[c.search(prefix):]
		for strings.HasPrefix(rest, prefix) {
			line, after, _ := strings.Cut(rest, "\n")
			name, object, _ := strings.Cut(line[len(prefix):], " ")
			if !yield(name, object) {
				return
			}
			rest = after
		}
	}
}

func (c Compiled) decode(kind, name string, to any) error {
	prefix := kind + " " + name + " "
	rest := c.text[c.search(prefix):]
	// A name with a space or a line break would match across the fields of a line.
	if !strings.HasPrefix(rest, prefix) || strings.ContainsAny(name, " \n") {
		return fmt.Errorf("%s %q: %w", kind, name, ErrUnknown)
	}
	object, _, _ := strings.Cut(rest[len(prefix):], "\n")
	if err := json.Unmarshal([]byte(object), to); err != nil {
		return fmt.Errorf("%s %q of the compiled configuration: %w", kind, name, err)
	}
	return nil
}

// search gives the offset of the first line that is not less than prefix. Each
// step halves the text and reads one line's beginning.
func (c Compiled) search(prefix string) int {
	low, high := 0, len(c.text) // both at a line's beginning, or the end
	for low < high {
		middle := low + (high-low)/2
		start := strings.LastIndexByte(c.text[low:middle], '\n') + 1 + low
		end := len(c.text)
		if n := strings.IndexByte(c.text[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		if c.text[start:end] < prefix {
			low = end
		} else {
			high = start
		}
	}
	return low
}
