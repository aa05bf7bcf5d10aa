package pull

import (
	"fmt"
	"strconv"
	"time"

	"pushpull/shared/config"
)

// A scale is how an API writes the times that it filters by, and how finely.
type scale struct {
	format, layout string
	zone           *time.Location
	precision      time.Duration // 0: as fine as the records' own times
	exclusive      bool
}

func newScale(inc config.Incremental) (scale, error) {
	c := scale{format: inc.Format, layout: inc.Layout, zone: time.UTC, exclusive: inc.Exclusive}
	if inc.TimeZone != "" {
		zone, err := time.LoadLocation(inc.TimeZone)
		if err != nil {
			return c, fmt.Errorf("incremental.time_zone %q is not one: write it as Europe/Vienna", inc.TimeZone)
		}
		c.zone = zone
	}
	if c.format == "layout" && c.layout == "" {
		return c, fmt.Errorf("incremental.layout is missing: write 2006-01-02 15:04 as the api writes times")
	}
	c.precision = map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day,
	}[inc.Precision]
	return c, nil
}

const day = 24 * time.Hour

// unit is the smallest step that a bound can be written in.
func (c scale) unit() time.Duration {
	switch {
	case c.precision > 0:
		return c.precision
	case c.format == "unix_ms":
		return time.Millisecond
	case c.format == "date":
		return day
	default:
		return time.Second
	}
}

// floor rounds down to the precision, in the API's time zone.
func (c scale) floor(v value) value {
	if v.at.IsZero() || c.precision == 0 {
		return v
	}
	at := v.at.In(c.zone)
	if c.precision == day {
		at = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, c.zone)
	} else {
		_, offset := at.Zone()
		shift := time.Duration(offset) * time.Second
		at = at.Add(shift).Truncate(c.precision).Add(-shift)
	}
	if at.Equal(v.at) {
		return v
	}
	return value{text: at.UTC().Format(layoutLike(v.text)), at: at.UTC()}
}

// start writes a lower bound, never higher than it is.
func (c scale) start(v value) given {
	v = c.floor(v)
	if c.exclusive {
		v = v.back(c.unit())
	}
	if c.format == "layout" && !v.at.IsZero() {
		v = v.back(again(v.at.In(c.zone), c.layout)) // which the API may take for the later one
	}
	return c.write(v)
}

// end writes an upper bound, rounded up: what lies beyond it is dropped here,
// while what a rounded end left out would come late. A date names its own day.
func (c scale) end(v value) given {
	if v.at.IsZero() || c.format == "date" {
		return c.write(v)
	}
	step := c.precision
	if step == 0 && c.format == "unix" {
		step = time.Second
	}
	rounded := scale{format: c.format, zone: c.zone, precision: step}.floor(v)
	if rounded.at.Before(v.at) {
		rounded = rounded.back(-step)
	}
	return c.write(rounded)
}

func (c scale) write(v value) given {
	if v.at.IsZero() || c.format == "text" {
		return given{text: v.text}
	}
	switch c.format {
	case "unix":
		return given{strconv.FormatInt(v.at.Unix(), 10), true}
	case "unix_ms":
		return given{strconv.FormatInt(v.at.UnixMilli(), 10), true}
	case "date":
		return given{text: v.at.In(c.zone).Format(time.DateOnly)}
	case "layout":
		return given{text: v.at.In(c.zone).Format(c.layout)}
	default:
		return given{text: v.at.In(c.zone).Format(layoutLike(v.text))}
	}
}

// parse reads a time or text of a record, or of the state.
func (c scale) parse(text string) (value, error) {
	if c.format == "text" || text == "" {
		return value{text: text}, nil
	}
	if c.layout != "" { // first: 20060102150405 is a number, too
		if at, ok := c.parseAs(c.layout, text); ok {
			return value{text: text, at: at}, nil
		}
	}
	if at, ok := parseUnix(text); ok {
		return value{text: text, at: at}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", time.DateOnly} {
		if at, ok := c.parseAs(layout, text); ok {
			return value{text: text, at: at}, nil
		}
	}
	return value{}, fmt.Errorf("the value %q is not a time: if it is a number or a text that sorts, say incremental.format: text", clip(text))
}

// parseAs reads a time. One of the hour that comes twice, where it does not say
// which, is of the second: a record of that must not seem older than the first's.
func (c scale) parseAs(layout, text string) (time.Time, bool) {
	at, err := time.ParseInLocation(layout, text, c.zone)
	if err != nil {
		return time.Time{}, false
	}
	return at.Add(again(at, layout)).UTC(), true
}

// again is how much later the same is written once more, as clocks are put back; 0
// where it is not.
func again(at time.Time, layout string) time.Duration {
	_, end := at.ZoneBounds()
	if end.IsZero() {
		return 0
	}
	_, before := at.Zone()
	_, after := end.Zone()
	shift := time.Duration(before-after) * time.Second
	if shift <= 0 || end.Sub(at) > shift || at.Add(shift).Format(layout) != at.Format(layout) {
		return 0
	}
	return shift
}

// instant is a value that no record has.
func instant(at time.Time) value {
	at = at.UTC().Truncate(time.Second)
	return value{text: at.Format(time.RFC3339), at: at}
}
