package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushpull/shared/config"
)

const (
	defaultTolerance = 5 * time.Minute
	maxTimestamp     = 64 // bytes
)

// A stamp is where a request says when it was signed, made ready; nil where it
// does not.
type stamp struct {
	config.Timestamp
	tolerance time.Duration
	at        piece // where it is a place of its own
	placed    bool
}

func newStamp(t *config.Timestamp, at place) (*stamp, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // no timestamp is no error
	}
	s := &stamp{Timestamp: *t, tolerance: t.Tolerance.Std()}
	if s.tolerance == 0 {
		s.tolerance = defaultTolerance
	}
	if !slices.Contains([]string{"", "s", "ms", "rfc3339", "http", "auto"}, t.Unit) {
		return nil, fmt.Errorf("timestamp unit %q: there are s, ms, rfc3339, http and auto", t.Unit)
	}
	if s.tolerance < 0 {
		return nil, errors.New("a tolerance below nothing refuses every request: write 5m")
	}
	places := 0
	for source, name := range map[string]string{"header": t.Header, "body": t.Body, "form": t.Form, "query": t.Query} {
		if name != "" {
			places++
			made, err := parsePlaceholder(source + "." + name)
			if err != nil {
				return nil, fmt.Errorf("timestamp: %w", err)
			}
			s.at, s.placed = made, true
		}
	}
	for _, there := range []bool{t.Name != "", t.First, t.Claim != ""} {
		if there {
			places++
		}
	}
	switch {
	case places == 0:
		return nil, errors.New("timestamp is nowhere: give its header, body, form or query, or the name of its item in the signature")
	case places > 1:
		return nil, errors.New("timestamp is in two places: give one of header, name, first, body, form, query and claim")
	case t.Name != "" && t.Name == at.Name:
		return nil, fmt.Errorf("timestamp and signature are both the item %q", t.Name)
	case t.Name != "" && (at.Name == "" || at.Separator == ""):
		return nil, errors.New("timestamp is an item of the signature: give signature.separator and signature.name too")
	case t.First && at.Separator == "":
		return nil, errors.New("timestamp is the first item of the signature: give signature.separator too")
	}
	return s, nil
}

func (s *stamp) first() bool { return s != nil && s.First }

// is reports whether that is the name of the timestamp's item.
func (s *stamp) is(name string) bool { return s != nil && s.Name != "" && name == s.Name }

// complete fills in a timestamp that has a place of its own.
func (s *stamp) complete(c *claim, v *view) error {
	if s == nil {
		return nil
	}
	if s.placed {
		text, err := s.at.value(v)
		if err != nil {
			return fmt.Errorf("%w: the timestamp, %w", ErrMissing, err)
		}
		c.timestamp = text
	}
	switch {
	case c.timestamp == "":
		return fmt.Errorf("%w: the timestamp is absent", ErrMissing)
	case len(c.timestamp) > maxTimestamp:
		return fmt.Errorf("%w: the timestamp is over %d bytes", ErrSignature, maxTimestamp)
	}
	return nil
}

// signedBy reports whether what is signed has the timestamp in it.
func (s *stamp) signedBy(what signed) bool {
	return s == nil || s.Claim != "" || slices.ContainsFunc(what, func(t template) bool {
		return slices.ContainsFunc(t, func(p piece) bool {
			if p.source == timestamp {
				return true
			}
			if !s.placed {
				return false
			}
			inBody := s.at.source == bodyPath || s.at.source == formField
			if s.at.source == header && p.source == headerList {
				return true // which headers are in the list, require can say
			}
			return inBody && (p.source == rawBody || p.source == canonical) ||
				p.source == s.at.source && strings.EqualFold(p.arg, s.at.arg) ||
				s.at.source == queryParameter && (p.source == fullURL || p.source == rawQuery || p.source == canonical)
		})
	})
}

// check is asked only of a timestamp that is known to be authentic.
func (s *stamp) check(text string, at time.Time) error {
	if s == nil {
		return nil
	}
	signed, err := readTime(text, s.Unit)
	switch {
	case err != nil:
		return fmt.Errorf("%w: it is not a time in the unit %s", ErrStale, unitName(s.Unit))
	case signed.Before(at.Add(-s.tolerance)):
		return fmt.Errorf("%w: signed %s ago, the tolerance is %s", ErrStale, at.Sub(signed).Round(time.Second), s.tolerance)
	case signed.After(at.Add(s.tolerance)):
		return fmt.Errorf("%w: signed %s in the future, the tolerance is %s", ErrStale, signed.Sub(at).Round(time.Second), s.tolerance)
	}
	return nil
}

func unitName(unit string) string {
	if unit == "" {
		return "s"
	}
	return unit
}

func readTime(text, unit string) (time.Time, error) {
	switch unit {
	case "rfc3339":
		return time.Parse(time.RFC3339, text)
	case "http":
		return http.ParseTime(text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if unit == "ms" || unit == "auto" && (n >= 1e11 || n <= -1e11) {
		return time.UnixMilli(n), err
	}
	return time.Unix(n, 0), err
}

func writeTime(at time.Time, unit string) string {
	switch unit {
	case "rfc3339":
		return at.UTC().Format(time.RFC3339Nano)
	case "http":
		return at.UTC().Format(http.TimeFormat)
	case "ms":
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
	return strconv.FormatInt(at.Unix(), 10)
}
