package config

import (
	"errors"
	"iter"
)

// Compiled is the configuration prepared at build: one sorted text, a line for
// each source, destination and route, which a function looks up by name without
// reading the rest. Package load writes it; `pushpull check --write` stores it.
type Compiled struct {
	text string
}

// ErrUnknown is returned for a name that the configuration does not have.
var ErrUnknown = errors.New("not in the configuration")

// Source decodes the source of that name. The error is ErrUnknown where there is none.
func (c Compiled) Source(name string) (Source, error) { return Source{}, ErrUnknown }

// Destination decodes the destination of that name. The error is ErrUnknown where there is none.
func (c Compiled) Destination(name string) (Destination, error) { return Destination{}, ErrUnknown }

// Sources yields the names of all sources, sorted.
func (c Compiled) Sources() iter.Seq[string] { return func(func(string) bool) {} }

// Destinations yields the names of all destinations, sorted.
func (c Compiled) Destinations() iter.Seq[string] { return func(func(string) bool) {} }

// Routes decodes the routes, in their order in the files.
func (c Compiled) Routes() ([]Route, error) { return nil, nil }
