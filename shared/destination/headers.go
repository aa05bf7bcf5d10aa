package destination

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"pushpull/shared/event"
)

// setCloudEvent writes the event's attributes as the CloudEvents HTTP binding's
// binary mode has them. The data are the body.
func setCloudEvent(h http.Header, e event.Event) {
	for _, a := range []struct{ name, value string }{
		{"ce-specversion", "1.0"},
		{"ce-id", e.ID},
		{"ce-source", e.Source},
		{"ce-type", e.Type},
		{"ce-time", stamp(e.Time)},
		{"ce-subject", e.Subject},
		{"ce-version", e.Version},
		{"ce-transport", string(e.Transport)},
		{"ce-receivedtime", stamp(e.ReceivedTime)},
		{"ce-verifiedtime", stamp(e.VerifiedTime)},
		{"ce-correlationid", e.CorrelationID},
		{"ce-traceparent", e.TraceParent},
		{"ce-missed", flag(e.Missed)},
		{"ce-backfill", flag(e.Backfill)},
		{"ce-hydrated", flag(e.Hydrated)},
		{"ce-replay", e.Replay},
		{"ce-schemaerror", e.SchemaError},
		{"traceparent", e.TraceParent},
		{"x-correlation-id", e.CorrelationID},
	} {
		if a.value != "" {
			h.Set(a.name, headerSafe(a.value))
		}
	}
	setCarried(h, "source-header-", e.Headers)
	setCarried(h, "source-query-", e.Query)
	if e.ContentType != "" {
		h.Set("Content-Type", contentType(e.ContentType))
	}
}

// setCarried passes on what the source keeps of its request, under names of
// their own: a header of the provider's must not become one of the delivery's.
func setCarried(h http.Header, prefix string, carried event.Carried) {
	for name, value := range carried {
		if name = prefix + strings.ToLower(name); isToken(name) {
			h.Set(name, headerSafe(value))
		}
	}
}

// isToken reports whether a text can be the name of a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// flag leaves what does not hold out.
func flag(holds bool) string {
	if !holds {
		return ""
	}
	return "true"
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// headerSafe percent-encodes as the CloudEvents HTTP binding (1.0.2, 3.1.3.2)
// says: white space, the double quote, the percent sign and all that is not
// printable ASCII. No two texts become the same.
func headerSafe(s string) string {
	const hex = "0123456789ABCDEF"
	plain := func(c byte) bool { return c > ' ' && c <= '~' && c != '"' && c != '%' }
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// contentType is as received, unless no header can hold it.
func contentType(s string) string {
	for _, r := range s {
		if r < ' ' && r != '\t' || r == 0x7f || r == utf8.RuneError {
			return "application/octet-stream"
		}
	}
	return strings.TrimSpace(s)
}
