package jq

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/itchyny/gojq"
)

// Decode is the input that one JSON document makes, its numbers exact.
func Decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("read the input of jq: %w", notJSON(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the input of jq: more than one JSON document")
	}
	return v, nil
}

// notJSON is err without the character that the decoder stumbled over.
func notJSON(err error) error {
	if at, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("no valid JSON at byte %d", at.Offset)
	}
	return err
}

// Encode is a value as JSON, its numbers exact; NaN is null and an infinity the
// largest number there is.
func Encode(v any) ([]byte, error) { return gojq.Marshal(v) }
