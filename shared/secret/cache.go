package secret

import (
	"errors"
	"sync"
	"time"
)

// A cache holds what is known of each reference. There are as many entries as
// the configuration has references.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	value   string
	has     bool          // value is one
	err     error         // why there is no value, where there is none
	tried   time.Time     // when it was last read, or was tried to be
	read    time.Time     // when value was read
	reading chan struct{} // closed when the reading that is going on has ended; nil without one
}

// usable reports whether what is known may be used: it was read within age, or
// reading it failed a moment ago.
func (e *entry) usable(now time.Time, age time.Duration) bool {
	switch {
	case e == nil || e.tried.IsZero():
		return false
	case e.err == nil:
		return now.Sub(e.read) < age
	case e.has:
		return now.Sub(e.tried) < min(age, stalePause)
	default:
		return now.Sub(e.tried) < pause
	}
}

// lookup fills in the values that may be used, and returns the references of
// the others. A reference that is known to be in error is among the others.
func (c *cache) lookup(refs, values []string, now time.Time, age time.Duration) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []string
	for i, ref := range refs {
		e := c.entries[ref]
		if e.usable(now, age) && e.has {
			values[i] = e.value
			continue
		}
		missing = append(missing, ref)
	}
	return missing
}

// value returns what is known of a reference.
func (c *cache) value(ref string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[ref]
	switch {
	case e == nil:
		return "", unresolved(ref, errNotRead)
	case e.has:
		return e.value, nil
	case e.err != nil:
		return "", e.err
	default:
		return "", unresolved(ref, errNotRead)
	}
}

// errNotRead is of a reference that nobody read to its end, as the caller's time was up.
var errNotRead = errors.New("there was no time to read it")

// claim returns the references that the caller is to read, and what to wait for:
// the ends of these readings, and of those that somebody else began.
func (c *cache) claim(refs []string, now time.Time, age time.Duration) (mine []string, readings []chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ref := range refs {
		e := c.entries[ref]
		if e == nil {
			e = &entry{}
			c.entries[ref] = e
		}
		if e.reading == nil && !e.usable(now, age) {
			e.reading = make(chan struct{})
			mine = append(mine, ref)
		}
		if e.reading != nil {
			readings = append(readings, e.reading)
		}
	}
	return mine, readings
}

// forget drops what is known of a reference, unless it is being read: then it
// returns what is closed at the end of that.
func (c *cache) forget(ref string) (reading chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[ref]
	if e == nil {
		return nil
	}
	if e.reading == nil {
		delete(c.entries, ref)
	}
	return e.reading
}

// store ends the reading of a reference. It reports whether an older value is
// used on, as err kept it from being read anew.
func (c *cache) store(ref, value string, err error, now time.Time) (stale bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[ref]
	defer func() {
		close(e.reading)
		e.reading = nil
	}()
	e.tried = now
	if err != nil {
		e.err = err
		return e.has
	}
	e.value, e.has, e.err, e.read = value, true, nil, now
	return false
}
