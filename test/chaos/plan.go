package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// sources is how many sources the events are spread over; every third is polled too.
const sources = 10

// An item is one event of the plan.
type item struct {
	id     string
	source int
	body   []byte
	at     time.Time // when it happened at the provider
	twice  bool      // pushed twice
	lost   bool      // never pushed: only a poll can bring it
}

// A plan is what will be sent, made from a seed before anything runs.
type plan struct {
	items []item
	rand  *rand.Rand
}

func newPlan(events int, seed uint64) *plan {
	r := rand.New(rand.NewPCG(seed, 0x70757368))
	p := &plan{rand: r}
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	for i := range events {
		it := item{id: fmt.Sprintf("evt_%07d", i), source: r.IntN(sources), twice: r.IntN(10) == 0}
		it.lost = polled(it.source) && r.IntN(20) == 0
		it.twice = it.twice && !it.lost
		// Many events a second: ties, which page edges split.
		it.at = at.Add(time.Duration(i/50) * time.Second / 10)
		it.body = fmt.Appendf(nil, `{"id":%q,"type":"thing.changed","created":%d,"data":{"object":{"id":"thing_%d","note":%q}}}`,
			it.id, it.at.Unix(), r.IntN(500), strings.Repeat("é<&>\"", r.IntN(40)))
		p.items = append(p.items, it)
	}
	return p
}

// polled says whether the source has both transports: a third of them.
func polled(source int) bool { return source%3 == 0 }

func name(source int) string { return fmt.Sprintf("s%02d", source) }

func (p *plan) count(which func(item) bool) int {
	n := 0
	for _, it := range p.items {
		if which(it) {
			n++
		}
	}
	return n
}
