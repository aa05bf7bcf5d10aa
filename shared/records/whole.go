package records

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"pushpull/shared/jq"
)

// whole gives out what a jq program makes of the answer.
type whole struct {
	of       decoder
	array    bool // of gives out records, else the one document
	program  *jq.Program
	most     int
	document []byte
	values   []any
	read     bool
}

func (w *whole) next(ctx context.Context) (json.RawMessage, error) {
	if !w.read {
		if err := w.run(ctx); err != nil {
			return nil, err
		}
		w.read = true
	}
	if len(w.values) == 0 {
		return nil, io.EOF
	}
	v := w.values[0]
	w.values[0], w.values = nil, w.values[1:]
	return jq.Encode(v)
}

func (w *whole) run(ctx context.Context) error {
	if err := w.load(ctx); err != nil || len(w.document) == 0 {
		return err
	}
	input, err := jq.Decode(valid(w.document))
	if err != nil {
		return passing("%s", err)
	}
	w.values, err = w.program.Values(ctx, input)
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case errors.Is(err, jq.ErrTime):
		return passing("records.%s", err)
	}
	return wrong("records.%s", err)
}

// load reads the answer as one document.
func (w *whole) load(ctx context.Context) error {
	if w.array {
		w.document = append(w.document, '[')
	}
	for n := 0; ; n++ {
		record, err := w.of.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			if w.array {
				w.document = append(w.document, ']')
			}
			return nil
		case err != nil:
			return err
		case n > 0:
			w.document = append(w.document, ',')
		}
		if w.document = append(w.document, record...); len(w.document) > w.most {
			return large("the answer", w.most)
		}
	}
}

func (w *whole) rest() json.RawMessage {
	if len(w.document) == 0 {
		return nothing
	}
	return w.document
}
