package destination

import (
	"bytes"
	"encoding/json"

	"pushpull/shared/event"
)

// envelope is the event as CloudEvents JSON on one line, in characters that SQS
// and SNS accept: JSON data lose their white space, and nothing else; other data
// are in base64. Where the claim check keeps them is our own business.
func envelope(e event.Event) ([]byte, error) {
	if e.Data != nil {
		e.DataRef = ""
	}
	if event.ValidJSON(e.Data) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, e.Data); err != nil {
			return nil, err
		}
		e.Data = compact.Bytes()
	}
	return event.Encode(e)
}

// encodeLine is the envelope as a line of NDJSON.
func encodeLine(e event.Event) ([]byte, error) {
	line, err := envelope(e)
	if err != nil {
		return nil, err
	}
	return append(line, '\n'), nil
}
