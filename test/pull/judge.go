package main

import (
	"errors"
	"fmt"
	"time"

	"pushpull/test/pull/standin"
)

// Arrivals are what arrived of one source, by identity.
type arrivals struct {
	data  map[string][]byte // the first
	at    map[string]time.Time
	times map[string]int
}

func newArrivals() *arrivals {
	return &arrivals{data: map[string][]byte{}, at: map[string]time.Time{}, times: map[string]int{}}
}

func (a *arrivals) add(identity string, data []byte) {
	if a.times[identity]++; a.times[identity] == 1 {
		a.data[identity], a.at[identity] = data, time.Now()
	}
}

// A verdict compares what arrived of an API with what the API has.
type verdict struct {
	Must     int // records that must have arrived
	Arrived  int // of these
	Lost     int
	Repeated int // arrivals of an identity that had arrived, or of a version under another identity
	Foreign  int // arrivals of what the API never had
	wrong    []error
}

// judge looks at every record: all that must arrive did, once, and nothing else.
func judge(a *standin.API, came *arrivals) verdict {
	must, may := a.Expect()
	var v verdict
	v.Must = len(must)
	known := make(map[int]standin.Item, len(may))
	removed := map[string]int{}
	for _, it := range may {
		known[it.N] = it
		if it.Deleted {
			removed[it.ID] = it.N
		}
	}
	got := make(map[int]string, len(came.data))
	ever := map[string]bool{}
	for identity, data := range came.data {
		if n := came.times[identity]; n > 1 {
			v.Repeated += n - 1
			v.fault("%s: %s arrived %d times", a.Name, identity, n)
		}
		id, n, deleted, err := a.Parse(data)
		if n < 0 && deleted {
			n = removed[id]
		}
		it, ok := known[n]
		switch {
		case err != nil:
			v.Foreign++
			v.fault("%s: %s: %v", a.Name, identity, err)
			continue
		case !ok || it.ID != id && id != "":
			v.Foreign++
			v.fault("%s: %s arrived, which the api never had: %.200q", a.Name, identity, data)
			continue
		case got[n] != "":
			v.Repeated++
			v.fault("%s: version %d of %s arrived as %s and as %s", a.Name, n, id, got[n], identity)
		}
		got[n] = identity
		ever[it.ID] = true
	}
	for _, it := range must {
		if a.Silent() && it.Deleted && !ever[it.ID] {
			v.Must-- // it came and went between two looks
			continue
		}
		if got[it.N] == "" {
			v.Lost++
			v.fault("%s: lost %+v", a.Name, it)
			continue
		}
		v.Arrived++
	}
	return v
}

func (v *verdict) fault(format string, args ...any) {
	if len(v.wrong) < 5 {
		v.wrong = append(v.wrong, fmt.Errorf(format, args...))
	}
}

func (v *verdict) err() error { return errors.Join(v.wrong...) }
