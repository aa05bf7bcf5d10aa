package rate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Limit is how many events a source may have taken.
type Limit struct {
	Rate  float64 // per second
	Burst int     // at once, by a source that was silent before
}

const (
	mostRate  = 1e6 // per second; more than any table or queue takes
	mostBurst = 1e9
	slowest   = 366 * 24 * time.Hour // for a bucket to refill
)

// Parse reads "100/s", "6000/m", "10/h burst 20". The burst left out is what the
// rate gives in a second, and 1 at least.
func Parse(text string) (Limit, error) {
	fields := strings.Fields(text)
	if len(fields) != 1 && (len(fields) != 3 || fields[1] != "burst") {
		return Limit{}, fmt.Errorf("%q is not a rate: write 100/s, 6000/m or 10/h, and \"burst 500\" behind it for more at once", text)
	}
	number, unit, _ := strings.Cut(fields[0], "/")
	seconds, known := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	if !known {
		return Limit{}, fmt.Errorf("%q is not a rate: a unit stands behind a slash, s, m or h, as in 100/s", text)
	}
	if !decimal(number) {
		return Limit{}, fmt.Errorf("%q is not a rate: %q is not a number of events: write it in digits, as in 100/s", text, number)
	}
	rate, err := strconv.ParseFloat(number, 64)
	if err != nil || rate <= 0 || rate/seconds > mostRate {
		return Limit{}, fmt.Errorf("%q is not a rate: it must be over 0 and at most %.0f/s: leave it out for no limit", text, mostRate)
	}
	limit := Limit{Rate: rate / seconds}
	limit.Burst = max(1, int(limit.Rate))
	if len(fields) == 3 {
		limit.Burst, err = strconv.Atoi(fields[2])
		if err != nil || limit.Burst < 1 || limit.Burst > mostBurst {
			return Limit{}, fmt.Errorf("%q is not a rate: the burst must be a whole number from 1 to %.0f, as in 100/s burst 500", text, mostBurst)
		}
	}
	if float64(limit.Burst)/limit.Rate > slowest.Seconds() {
		return Limit{}, fmt.Errorf("%q: a bucket that large takes over a year to refill: write a smaller burst", text)
	}
	return limit, nil
}

// decimal reports whether s is digits with a point among them at most: not 1e9, not Inf.
func decimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}

// longest bounds the sums: a batch may be far larger than its burst.
const longest = 10 * slowest

// flow is how long n events take to flow out of the bucket, in nanoseconds,
// rounded down: a burst taken one by one must fit into the bucket.
func (l Limit) flow(n int) int64 {
	return int64(min(float64(n)*1e9/l.Rate, float64(longest)))
}

// chunk is the debt with which an environment pays: a tenth of the burst, so that
// ten environments go over it by one burst; and two events at least, as with one
// every request would be a call.
func (l Limit) chunk() int { return max(2, l.Burst/10) }

// forget is how old a debt becomes, in nanoseconds.
func (l Limit) forget() int64 { return 10 * l.flow(l.Burst) }
