package provider

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Sample is a request as the provider makes it, without its signature. Its
// texts have placeholders that a new event fills in, the same name by the same
// value: {{id}} (24 hex digits), {{uuid}}, {{number}} (12 digits), {{unix}},
// {{unix_ms}}, {{now}} (RFC 3339, UTC), {{type}} (what the caller asked for) and
// {{with.name}} (a parameter of the source). A number behind a name
// ({{id2}}) makes it another. {{base64}}…{{/base64}} is written in base64.
type Sample struct {
	// Type is the type of the event that comes of it, with or without {{type}} in its texts.
	Type string `json:"type"`
	// Method is POST by default.
	Method string `json:"method,omitempty"`
	// Query is the query without its question mark.
	Query string `json:"query,omitempty"`
	// ContentType is application/json by default; "none" is none.
	ContentType string `json:"content_type,omitempty"`
	// Headers are the others.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is the body.
	Body string `json:"body,omitempty"`
}

// AnyType reports whether the sample can be of a type that is asked for.
func (s Sample) AnyType() bool {
	text, err := json.Marshal(s)
	return err == nil && strings.Contains(string(text), "{{type}}")
}

var blank = regexp.MustCompile(`\{\{[a-z_]+[0-9]*(\.[a-z0-9_]+)?\}\}`) // of which {{base64}} is none that fresh knows

// inBase64 is what stands in base64, as a form has it.
var inBase64 = regexp.MustCompile(`(?s)\{\{base64\}\}(.*?)\{\{/base64\}\}`)

// Fill makes a new request of the sample: an event of that type, at that time,
// with ids that were not there before.
func (s Sample) Fill(typ string, with map[string]string, at time.Time) Sample {
	return s.FillFrom(rand.Reader, typ, with, at)
}

// FillFrom is Fill with what is random from a reader that never fails.
func (s Sample) FillFrom(random io.Reader, typ string, with map[string]string, at time.Time) Sample {
	values := map[string]string{"{{type}}": typ}
	for name, value := range with {
		values["{{with."+name+"}}"] = value
	}
	fill := func(text string) string {
		text = blank.ReplaceAllStringFunc(text, func(name string) string {
			if _, ok := values[name]; !ok {
				values[name] = fresh(random, strings.TrimRight(strings.Trim(name, "{}"), "0123456789"), name, at)
			}
			return values[name]
		})
		return inBase64.ReplaceAllStringFunc(text, func(whole string) string {
			return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(inBase64.FindStringSubmatch(whole)[1])))
		})
	}
	filled := s
	filled.Type, filled.Query, filled.Body = typ, fill(s.Query), fill(s.Body)
	filled.Headers = make(map[string]string, len(s.Headers))
	for name, value := range s.Headers {
		filled.Headers[name] = fill(value)
	}
	return filled
}

// fresh makes a value of its kind; what is of no kind stays as it is written.
func fresh(random io.Reader, kind, written string, at time.Time) string {
	b := make([]byte, 16)
	_, _ = io.ReadFull(random, b) // it never fails
	switch kind {
	case "id":
		return hex.EncodeToString(b[:12])
	case "uuid":
		id, _ := uuid.NewRandomFromReader(bytes.NewReader(b)) // there is enough for one
		return id.String()
	case "number":
		digits := strconv.FormatUint(uint64(binary.BigEndian.Uint32(b))|1<<31, 10) + strconv.Itoa(100+int(b[15])%900)
		return digits[:12]
	case "unix":
		return strconv.FormatInt(at.Unix(), 10)
	case "unix_ms":
		return strconv.FormatInt(at.UnixMilli(), 10)
	case "now":
		return at.UTC().Format(time.RFC3339)
	}
	return written
}
