package rate

import (
	"fmt"
	"math"
	"time"
)

// Header is the values of the response headers that tell of a limit, by
// draft-ietf-httpapi-ratelimit-headers-11 (May 2026, sections 3 and 4).
type Header struct {
	Policy     string // RateLimit-Policy: "source";q=<burst>;w=<seconds in which a burst flows out>
	Limit      string // RateLimit: "source";r=<room>;t=<seconds>
	RetryAfter string // Retry-After, in seconds; "" where the events were taken
}

// Headers writes them. Seconds are rounded up, so that who waits for them is not
// early, and a refusal's effective window ends with its Retry-After, as the draft
// wants it.
func Headers(l Limit, d Decision) Header {
	h := Header{Policy: fmt.Sprintf(`"source";q=%d;w=%d`, l.Burst, max(1, int64(math.Ceil(float64(l.Burst)/l.Rate))))}
	if d.OK {
		h.Limit = fmt.Sprintf(`"source";r=%d;t=%d`, d.Remaining, seconds(d.Reset))
		return h
	}
	wait := max(1, seconds(d.RetryAfter))
	h.Limit = fmt.Sprintf(`"source";r=%d;t=%d`, d.Remaining, wait)
	h.RetryAfter = fmt.Sprint(wait)
	return h
}

func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
