package telemetry

import (
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// The limits of one line of the embedded metric format.
const (
	maxDimensions = 3   // of ours; CloudWatch allows 30
	maxValues     = 100 // values of one metric in one line
	maxMetrics    = 100 // metrics in one line
)

// Metrics collects what happened during one invocation and writes it as lines
// of the CloudWatch embedded metric format: a log line is all that a metric
// costs the function, no call. It is safe for concurrent use.
type Metrics struct {
	w     io.Writer
	now   func() time.Time
	known map[Metric]Definition

	mu     sync.Mutex
	series []series
	line   []byte
}

// series is one metric with one combination of dimension values.
type series struct {
	def     Definition
	values  [maxDimensions]string
	count   int64     // of a Count
	samples []float64 // of everything else
	written bool
}

// NewMetrics returns a collector that writes to w, which in Lambda is standard output.
func NewMetrics(w io.Writer, now func() time.Time) *Metrics {
	definitions := Definitions()
	known := make(map[Metric]Definition, len(definitions))
	for _, d := range definitions {
		known[d.Name] = d
	}
	return &Metrics{w: w, now: now, known: known}
}

// Count adds n to a metric. The values are those of its dimensions, in the order
// of its Definition. A name without a definition is written without dimensions.
func (m *Metrics) Count(name Metric, n int64, values ...string) {
	m.mu.Lock()
	m.find(name, Count, values).count += n
	m.mu.Unlock()
}

// Duration adds one measured time to a metric.
func (m *Metrics) Duration(name Metric, d time.Duration, values ...string) {
	m.mu.Lock()
	s := m.find(name, Milliseconds, values)
	s.samples = append(s.samples, float64(d.Microseconds())/1000)
	m.mu.Unlock()
}

// Percent adds one measured share to a metric.
func (m *Metrics) Percent(name Metric, percent float64, values ...string) {
	m.mu.Lock()
	s := m.find(name, Percent, values)
	s.samples = append(s.samples, percent)
	m.mu.Unlock()
}

// find returns the series to add to. The list is short: a line of an invocation
// has a handful of metrics, and comparing them is cheaper than hashing.
func (m *Metrics) find(name Metric, unit Unit, values []string) *series {
	var key [maxDimensions]string
	copy(key[:], values)
	for i := range m.series {
		s := &m.series[i]
		if s.def.Name == name && s.values == key && len(s.samples) < maxValues {
			return s
		}
	}
	def, ok := m.known[name]
	if !ok {
		def = Definition{Name: name, Unit: unit}
	}
	// An earlier invocation's samples are used again, so that a warm function
	// measures without allocating.
	if n := len(m.series); n < cap(m.series) {
		m.series = m.series[:n+1]
		m.series[n] = series{def: def, values: key, samples: m.series[n].samples[:0]}
	} else {
		m.series = append(m.series, series{def: def, values: key})
	}
	return &m.series[len(m.series)-1]
}

// Flush writes what was collected, a line for each combination of dimension
// values, in one write, and begins anew. Without anything collected it writes nothing.
func (m *Metrics) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.series) == 0 {
		return nil
	}
	at := m.now().UnixMilli()
	m.line = m.line[:0]
	for i := range m.series {
		if !m.series[i].written {
			m.line = m.appendLine(m.line, i, at)
		}
	}
	m.series = m.series[:0]
	_, err := m.w.Write(m.line)
	return err
}

// appendLine appends one line with the series at first and every later one that
// is about the same source, transport and so on.
func (m *Metrics) appendLine(b []byte, first int, at int64) []byte {
	head := m.series[first]
	together := m.together(first)

	b = append(b, `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, at, 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":"`+Namespace+`","Dimensions":[[`...)
	for i, d := range head.def.Dimensions {
		b = comma(b, i)
		b = appendString(b, d)
	}
	b = append(b, `]],"Metrics":[`...)
	for i, s := range together {
		b = comma(b, i)
		b = append(b, `{"Name":`...)
		b = appendString(b, string(s.def.Name))
		b = append(b, `,"Unit":`...)
		b = appendString(b, string(s.def.Unit))
		b = append(b, '}')
	}
	b = append(b, `]}]}`...)
	for i, d := range head.def.Dimensions {
		b = append(b, ',')
		b = appendString(b, d)
		b = append(b, ':')
		b = appendString(b, orUnknown(head.values[i]))
	}
	for _, s := range together {
		b = append(b, ',')
		b = appendString(b, string(s.def.Name))
		b = append(b, ':')
		b = s.appendValue(b)
	}
	return append(b, '}', '\n')
}

// together marks and returns the series that go into the line of the first: the
// same dimensions with the same values, and no name twice.
func (m *Metrics) together(first int) []*series {
	head := &m.series[first]
	together := make([]*series, 0, len(m.series)-first)
next:
	for i := first; i < len(m.series) && len(together) < maxMetrics; i++ {
		s := &m.series[i]
		if s.written || s.values != head.values || !slices.Equal(s.def.Dimensions, head.def.Dimensions) {
			continue
		}
		for _, t := range together {
			if t.def.Name == s.def.Name {
				continue next
			}
		}
		s.written = true
		together = append(together, s)
	}
	return together
}

func (s *series) appendValue(b []byte) []byte {
	if s.def.Unit == Count {
		return strconv.AppendInt(b, s.count, 10)
	}
	b = append(b, '[')
	for i, v := range s.samples {
		b = comma(b, i)
		b = strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	return append(b, ']')
}

// orUnknown keeps a metric that CloudWatch would drop for an empty dimension.
func orUnknown(value string) string {
	if value == "" {
		return "unknown"
	}
	return value
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
			i++
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // what is not UTF-8 becomes U+FFFD
			i += size
		}
	}
	return append(b, '"')
}
