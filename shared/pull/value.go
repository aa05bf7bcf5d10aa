package pull

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// A value is what a record has at incremental.cursor_path: its text as the API
// wrote it, and the time it means unless the format is text.
type value struct {
	text string
	at   time.Time // zero for format text
}

// mostValue is how long a value may be, in bytes: it is kept in the state.
const mostValue = 1 << 10

// read finds the value of a record; ok is false where the record has none.
func (c scale) read(record []byte, path string) (v value, ok bool, err error) {
	found := gjson.GetBytes(record, path)
	if len(found.Str) > mostValue || found.Type == gjson.Number && len(found.Raw) > mostValue {
		return value{}, false, fmt.Errorf("the value is longer than %d bytes: is it the field that the api sorts by?", mostValue)
	}
	switch found.Type {
	case gjson.String:
		v, err = c.parse(found.Str)
		return v, found.Str != "", err
	case gjson.Number:
		v, err = c.parse(found.Raw)
		return v, true, err
	default:
		return value{}, false, nil
	}
}

// parseUnix reads Unix seconds, milliseconds, microseconds or nanoseconds, told
// apart by their size, from 1973 to 2286: other numbers, such as 20261123, are no
// such count. The fraction stays exact.
func parseUnix(text string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	if strings.Trim(fraction, "0123456789") != "" {
		return time.Time{}, false
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	switch {
	case n >= 1e17:
		return time.Unix(0, n).UTC(), true
	case n >= 1e14 && n < 1e16:
		return time.UnixMicro(n).UTC(), true
	case n >= 1e11 && n < 1e13:
		return time.UnixMilli(n).Add(time.Duration(nanos / 1000)).UTC(), true
	case n >= 1e8 && n < 1e10:
		return time.Unix(n, nanos).UTC(), true
	default:
		return time.Time{}, false
	}
}

// compare orders values by time, and texts by number where both are numbers.
func (v value) compare(w value) int {
	if !v.at.IsZero() && !w.at.IsZero() {
		return v.at.Compare(w.at)
	}
	a, okA := number(v.text)
	b, okB := number(w.text)
	if okA && okB {
		return a.Cmp(b)
	}
	return strings.Compare(v.text, w.text)
}

// number reads an integer of any sensible length, such as a snowflake id.
func number(text string) (*big.Int, bool) {
	if text == "" || len(text) > 40 {
		return nil, false
	}
	return new(big.Int).SetString(text, 10)
}

// back is the value d earlier; texts have no earlier.
func (v value) back(d time.Duration) value {
	if v.at.IsZero() || d == 0 {
		return v
	}
	at := v.at.Add(-d)
	return value{at: at, text: at.Format(layoutLike(v.text))}
}

// layoutLike is RFC 3339 with as many digits of a second as text has: fewer
// would round, and some APIs refuse more than they write. A count of seconds
// that is not whole, or of milliseconds, keeps nine.
func layoutLike(text string) string {
	if _, unix := parseUnix(text); unix {
		return time.RFC3339Nano
	}
	_, rest, found := strings.Cut(text, ".")
	if !found {
		return time.RFC3339
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if digits == 0 || digits > 9 {
		return time.RFC3339Nano
	}
	return "2006-01-02T15:04:05." + strings.Repeat("0", digits) + "Z07:00"
}

// clip keeps what comes from an API short in an error.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
