package records

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"pushpull/shared/asjson"
	"pushpull/shared/form"
)

// table gives out the lines of csv as objects of texts, named by the header line.
type table struct {
	in     *window
	ahead  *bufio.Reader
	csv    *csv.Reader
	header []string
	most   int
}

func newCSV(in io.Reader, contentType string, o Options) (*table, error) {
	delimiter := o.Delimiter
	switch {
	case delimiter == "" && form.Media(contentType) == tabs:
		delimiter = "\t"
	case delimiter == "":
		delimiter = ","
	}
	comma, size := utf8.DecodeRuneInString(delimiter)
	if size != len(delimiter) || comma == utf8.RuneError || comma == '"' || comma == '\r' || comma == '\n' {
		return nil, wrong("records.delimiter must be one character, and no quote or line break")
	}
	t := &table{in: &window{in: in}, most: o.MaxBytes}
	t.ahead = bufio.NewReader(t.in)
	t.csv = csv.NewReader(t.ahead) // which takes a bufio.Reader as it is, so that ahead knows the end
	t.csv.Comma = comma
	t.csv.ReuseRecord = true
	return t, nil
}

func (t *table) next(context.Context) (json.RawMessage, error) {
	if t.header == nil {
		fields, err := t.read()
		if err != nil {
			return nil, err
		}
		t.header = append(t.header, fields...)
	}
	fields, err := t.read()
	if err != nil {
		return nil, err
	}
	return asjson.AppendObject(nil, len(fields),
		func(i int) string { return t.header[i] },
		func(dst []byte, i int) []byte { return asjson.AppendText(dst, fields[i]) }), nil
}

func (t *table) read() ([]string, error) {
	t.in.open(t.most)
	before := t.csv.InputOffset()
	fields, err := t.csv.Read()
	switch {
	case t.in.over || err == nil && t.csv.InputOffset()-before > int64(t.most):
		return nil, large("a line of the csv", t.most)
	case err == nil, errors.Is(err, io.EOF):
		return fields, err
	}
	return nil, t.because(err)
}

// because is err in our words. A last line that is not as it should be was
// probably cut.
func (t *table) because(err error) error {
	at, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err
	}
	t.in.open(t.most)
	_, end := t.ahead.Peek(1)
	e := &Error{Passing: errors.Is(end, io.EOF)}
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		e.Reason = wrong("line %d of the csv has not as many fields as its header (%d)", at.StartLine, len(t.header)).Reason
	default:
		e.Reason = wrong("line %d of the csv, column %d: a quote is not where one may be, or is not closed", at.Line, at.Column).Reason
	}
	return e
}

func (t *table) rest() json.RawMessage { return nothing }
