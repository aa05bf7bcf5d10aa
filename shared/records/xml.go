package records

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"pushpull/shared/asjson"
)

// elements gives out those elements of an XML to which the path leads.
type elements struct {
	xml      *asjson.XML
	path     []string
	most     int
	optional bool
	empty    func() bool
	all      bool // the document is one record
}

func newXML(in *bufio.Reader, path []string, o Options) (*elements, error) {
	if len(path) == 0 && o.JQ == nil {
		return nil, wrong("records.path must lead to the element of a record, the root's name first")
	}
	return &elements{
		xml: asjson.NewXML(in, path, o.MaxBytes), path: path, most: o.MaxBytes, optional: o.Optional, all: o.JQ != nil,
		empty: func() bool { _, err := in.Peek(1); return errors.Is(err, io.EOF) },
	}, nil
}

func (e *elements) next(context.Context) (json.RawMessage, error) {
	if e.optional && e.xml.Reached() == 0 && e.empty() {
		return nil, io.EOF
	}
	record, err := e.xml.Next()
	switch {
	case err == nil:
		return record, nil
	case errors.Is(err, io.EOF) && e.all:
		e.all = false
		return e.xml.Rest(), nil
	case errors.Is(err, io.EOF) && len(e.path) > 0 && !e.optional && e.xml.Reached() < max(1, len(e.path)-1):
		return nil, wrong("there is no element at %s: mend records.path, or set records.optional if the API leaves it out when there is nothing", strings.Join(e.path, "."))
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, asjson.ErrXML):
		return nil, passing("the answer is cut short, or is not one well-formed XML element")
	case errors.Is(err, asjson.ErrXMLLarge):
		return nil, large("an element, or what stands beside the records,", e.most)
	}
	return nil, wrong("%s", err)
}

func (e *elements) rest() json.RawMessage { return e.xml.Rest() }
