// Package replay keeps what a poll asked an API and what it answered, with the
// secrets cut out, and plays it back with no network.
//
// Its one invariant: a recording has no value that a request was authenticated with.
//
// A recording is lines of JSON: a Head, and an exchange a line. It has the data as
// the API sent them: look at them before you share it.
package replay

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"
)

// version is that of the format.
const version = 1

// A Head says what was recorded, and what a run needs to make the same requests again.
type Head struct {
	Recording int             `json:"recording"` // the version of the format
	Source    string          `json:"source"`
	Poll      string          `json:"poll,omitempty"`
	At        time.Time       `json:"at"`                   // the local clock, which stood still
	Key       string          `json:"key,omitempty"`        // of the credential, as api.Auth has it
	State     json.RawMessage `json:"checkpoint,omitempty"` // where the run began; none where the poll was never read
}

// An exchange is a request and its answer.
type exchange struct {
	Method string      `json:"method"`
	URL    string      `json:"url"`
	Body   *content    `json:"body,omitempty"`
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"` // of the answer
	Answer *content    `json:"answer,omitempty"`
	Cut    bool        `json:"cut,omitempty"` // the answer was longer than a recording takes
}

// A content is a body in the form that is easiest to read: only one of them is set.
type content struct {
	JSON   json.RawMessage `json:"json,omitempty"`
	Text   string          `json:"text,omitempty"`
	Base64 string          `json:"base64,omitempty"`
}

func newContent(b []byte) *content {
	switch {
	case len(b) == 0:
		return nil
	case json.Valid(b) && utf8.Valid(b):
		return &content{JSON: b}
	case utf8.Valid(b):
		return &content{Text: string(b)}
	default:
		return &content{Base64: base64.StdEncoding.EncodeToString(b)}
	}
}

func (c *content) bytes() ([]byte, error) {
	switch {
	case c == nil:
		return nil, nil
	case c.JSON != nil:
		return c.JSON, nil
	case c.Base64 != "":
		return base64.StdEncoding.DecodeString(c.Base64)
	default:
		return []byte(c.Text), nil
	}
}
