package records

import (
	"context"
	"encoding/json"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

var nothing = json.RawMessage("{}")

// lines are documents with white space between them: ndjson, json-seq, and JSON
// that was written one after another.
type lines struct{ in *jsonReader }

func newLines(in io.Reader, most int) *lines {
	return &lines{newJSON(unseparated{in}, "", nil, Options{MaxBytes: most})}
}

func (l *lines) next(context.Context) (json.RawMessage, error) {
	d := l.in
	d.in.open(d.most)
	if d.tokens.PeekKind() == jsontext.KindInvalid && d.empty() {
		return nil, io.EOF
	}
	return d.value("a record")
}

func (l *lines) rest() json.RawMessage { return nothing }

// unseparated makes white space of the separators of application/json-seq: no
// valid JSON has them anywhere else.
type unseparated struct{ in io.Reader }

func (u unseparated) Read(p []byte) (int, error) {
	n, err := u.in.Read(p)
	for i, c := range p[:n] {
		if c == '\x1e' {
			p[i] = ' '
		}
	}
	return n, err
}
