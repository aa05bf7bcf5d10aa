package records

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A jsonReader walks down a document to the path, gives out what is there, and
// walks up again. What it passes on its way is kept for rest.
type jsonReader struct {
	in       *window
	tokens   *jsontext.Decoder
	most     int
	hint     string // what else is known about an answer that is no JSON
	path     []string
	optional bool
	whole    bool // the document is one record
	state    func() (json.RawMessage, error)
	found    bool
	beside   []byte
}

func newJSON(in io.Reader, contentType string, path []string, o Options) *jsonReader {
	w := &window{in: in}
	d := &jsonReader{
		in: w, most: o.MaxBytes, hint: unlike(contentType), path: path, optional: o.Optional, whole: o.JQ != nil,
		tokens: jsontext.NewDecoder(w, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
	}
	d.state = d.begin
	return d
}

func (d *jsonReader) rest() json.RawMessage { return d.beside }

// next goes from state to state until one gives a record out.
func (d *jsonReader) next(context.Context) (json.RawMessage, error) {
	for {
		record, err := d.state()
		if record != nil || err != nil {
			return record, err
		}
	}
}

func (d *jsonReader) begin() (json.RawMessage, error) {
	switch kind := d.peek(); {
	case kind == 0 && d.optional && d.empty():
		return nil, io.EOF
	case d.whole:
		d.state = d.end
		return d.value("the answer")
	}
	d.state = d.down
	return nil, nil
}

// down goes one step towards the path, or arrives.
func (d *jsonReader) down() (json.RawMessage, error) {
	depth := d.tokens.StackDepth()
	kind := d.peek()
	if depth == len(d.path) {
		return nil, d.arrive(kind)
	}
	if kind != '{' && (kind != '[' || !isIndex(d.path[depth])) {
		if kind != 0 {
			d.state = d.up
			return nil, d.keep() // something else than the path says: it is missing
		}
		return nil, d.fail()
	}
	if err := d.enter(); err != nil {
		return nil, err
	}
	d.state = d.along
	return nil, nil
}

// along looks at the next member for the one that the path names.
func (d *jsonReader) along() (json.RawMessage, error) {
	depth := d.tokens.StackDepth()
	if k := d.peek(); k == '}' || k == ']' || k == 0 {
		d.state = d.up
		return nil, nil
	}
	kind, n := d.tokens.StackIndex(depth)
	here := strconv.FormatInt(n, 10)
	if kind == '{' {
		var err error
		if here, err = d.name(); err != nil {
			return nil, err
		}
	}
	if here == d.path[depth-1] {
		d.state = d.down
		return nil, nil
	}
	return nil, d.keep()
}

func (d *jsonReader) arrive(kind jsontext.Kind) error {
	switch {
	case kind == 0:
		return d.fail()
	case kind == '[':
		d.state, d.found = d.elements, true
		return d.enter()
	case kind == 'n':
		d.state, d.found = d.up, true
		return d.keep()
	case len(d.path) == 0:
		return wrong("the answer is %s and not a list: records.path must lead to the list in it, or records.jq make the records", kinds[kind])
	case kind == '{':
		d.state, d.found = d.lists, true
		return d.enter()
	}
	return wrong("at %s is %s and not a list: records.path must lead to the list", d.place(), kinds[kind])
}

// elements gives out those of the array.
func (d *jsonReader) elements() (json.RawMessage, error) {
	if d.peek() != ']' {
		return d.value("a record")
	}
	if d.tokens.StackDepth() == len(d.path)+2 {
		d.state = d.lists
	} else {
		d.state = d.up
	}
	return nil, d.leave()
}

// lists goes through an object each of whose members is an array of records.
func (d *jsonReader) lists() (json.RawMessage, error) {
	if d.peek() == '}' {
		d.state = d.up
		return nil, d.leave()
	}
	name, err := d.name()
	if err != nil {
		return nil, err
	}
	switch kind := d.peek(); kind {
	case '[':
		d.state = d.elements
		return nil, d.enter()
	case 'n':
		return nil, d.keep()
	case 0:
		return nil, d.fail()
	default:
		return nil, wrong("at %s is an object whose member %q is %s and not a list: records.path must lead to a list, or to an object of nothing but lists", d.place(), name[:min(len(name), 60)], kinds[kind])
	}
}

// up keeps what is behind the records, and leaves the document.
func (d *jsonReader) up() (json.RawMessage, error) {
	if !d.found && !d.optional {
		return nil, wrong("there is no list at %s: mend records.path, or set records.optional if the API leaves it out when there is nothing", d.place())
	}
	for d.tokens.StackDepth() > 0 {
		kind, _ := d.tokens.StackIndex(d.tokens.StackDepth())
		switch k := d.peek(); {
		case k == 0:
			return nil, d.fail()
		case k == '}' || k == ']':
			if err := d.leave(); err != nil {
				return nil, err
			}
			continue
		case kind == '{':
			if _, err := d.name(); err != nil {
				return nil, err
			}
		}
		if err := d.keep(); err != nil {
			return nil, err
		}
	}
	d.state = d.end
	return nil, nil
}

func (d *jsonReader) end() (json.RawMessage, error) {
	switch kind := d.peek(); {
	case kind != 0:
		return nil, passing("the answer goes on behind its JSON document at byte %d", d.tokens.InputOffset())
	case d.empty():
		return nil, io.EOF
	}
	return nil, d.fail()
}

// peek is the kind of what comes next, 0 where it cannot be read.
func (d *jsonReader) peek() jsontext.Kind {
	d.in.open(d.most)
	if k := d.tokens.PeekKind(); k != jsontext.KindInvalid {
		return k
	}
	return 0
}

func (d *jsonReader) empty() bool {
	d.in.open(d.most)
	_, err := d.tokens.ReadToken()
	return errors.Is(err, io.EOF)
}

// value reads the next one whole.
func (d *jsonReader) value(what string) (json.RawMessage, error) {
	d.in.open(d.most)
	v, err := d.tokens.ReadValue()
	switch {
	case d.in.over || err == nil && len(v) > d.most:
		return nil, large(what, d.most)
	case err != nil:
		return nil, d.because(err)
	}
	return json.RawMessage(bytes.Clone(v)), nil
}

// keep puts the next value, and enter, leave and name the next token, into beside.
func (d *jsonReader) keep() error {
	const what = "what stands beside the records"
	d.in.open(d.most)
	v, err := d.tokens.ReadValue()
	switch {
	case d.in.over || err == nil && len(v)+len(d.beside) > d.most:
		return large(what, d.most)
	case err != nil:
		return d.because(err)
	}
	d.comma()
	d.beside = append(d.beside, v...)
	return nil
}

func (d *jsonReader) enter() error {
	t, err := d.tokens.ReadToken()
	if err != nil {
		return d.because(err)
	}
	d.comma()
	d.beside = append(d.beside, byte(t.Kind()))
	return nil
}

func (d *jsonReader) leave() error {
	t, err := d.tokens.ReadToken()
	if err != nil {
		return d.because(err)
	}
	d.beside = append(d.beside, byte(t.Kind()))
	return nil
}

func (d *jsonReader) name() (string, error) {
	d.in.open(d.most)
	v, err := d.tokens.ReadValue()
	if err != nil {
		return "", d.because(err)
	}
	if len(v)+len(d.beside) > d.most {
		return "", large("what stands beside the records", d.most)
	}
	d.comma()
	d.beside = append(append(d.beside, v...), ':')
	name, err := jsontext.AppendUnquote(nil, []byte(v))
	if err != nil && len(name) == 0 {
		return "", d.because(err)
	}
	return string(name), nil
}

func (d *jsonReader) comma() {
	if n := len(d.beside); n > 0 && !strings.ContainsRune("{[:", rune(d.beside[n-1])) {
		d.beside = append(d.beside, ',')
	}
}

// fail is why nothing more can be read.
func (d *jsonReader) fail() error {
	d.in.open(d.most)
	_, err := d.tokens.ReadToken()
	return d.because(err)
}

// because is err in our words: the decoder's may have some of the data in them.
func (d *jsonReader) because(err error) error {
	switch {
	case d.in.over:
		return large("a record, or the white space between two,", d.most)
	case errors.Is(err, io.EOF) && d.tokens.InputOffset() == 0:
		return passing("the answer is empty: set records.optional if that means no records")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return passing("the answer is cut short: its JSON ends at byte %d", d.tokens.InputOffset())
	}
	at := d.tokens.InputOffset()
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = s.ByteOffset
	}
	return passing("the answer is no valid JSON at byte %d, or nested too deep there%s", at, d.hint)
}

func (d *jsonReader) place() string {
	if len(d.path) == 0 {
		return "the top of the answer"
	}
	return strings.Join(d.path, ".")
}

var kinds = map[jsontext.Kind]string{'{': "an object", '[': "a list", '"': "a text", '0': "a number", 't': "true", 'f': "false", 'n': "null"}

func isIndex(name string) bool {
	_, err := strconv.ParseUint(name, 10, 31)
	return err == nil
}
