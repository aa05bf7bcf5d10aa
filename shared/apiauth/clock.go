package apiauth

import "time"

// noticedSkew is how far two clocks are apart before it may be why a signature
// was refused.
const noticedSkew = 30 * time.Second

// Clock is told what time it is at the provider, where an answer said so. What is
// signed is signed by that clock.
func (a *Authenticator) Clock(server time.Time) {
	skew := server.Sub(a.o.Now())
	if server.IsZero() || skew.Abs() < noticedSkew && a.skew.Load() == 0 {
		return // the header has whole seconds, and was some time on its way
	}
	a.skew.Store(int64(skew))
}

// clock is the provider's, as far as it is known.
func (a *Authenticator) clock() time.Time { return a.o.Now().Add(time.Duration(a.skew.Load())) }

// signClock is the clock for a request that is signed now.
func (a *Authenticator) signClock() time.Time {
	a.signed.Store(a.skew.Load())
	return a.clock()
}

// skewed reports whether the provider's clock turned out to be another than the
// one that requests were signed by.
func (a *Authenticator) skewed() bool {
	return time.Duration(a.skew.Load()-a.signed.Load()).Abs() >= noticedSkew
}
