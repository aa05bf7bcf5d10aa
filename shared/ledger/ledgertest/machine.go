package ledgertest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

// machine compares the ledger with a model of it through any order of claims,
// ends, crashes, redeliveries, duplicates and redrives of one event.
func machine(t *testing.T, open Open, in mode) {
	t.Helper()
	api, table := open(t)
	clock := NewClock()
	l := ledger.New(api, table, nil, clock.Now)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := &model{
			l: l, clock: clock, mode: in, queue: map[string]bool{"m0": true}, hashes: map[string]string{},
			e: Event("github", fmt.Sprint("run ", runs), clock.Now()),
		}
		m.e.Subject = m.e.ID // that of another run may be held still
		rt.Repeat(map[string]func(*rapid.T){
			"another arrival": m.arrive,
			"other data":      m.differ,
			"claim":           m.claim,
			"complete":        m.complete,
			"letter":          m.letter,
			"release":         m.release,
			"crash":           m.crash,
			"redrive":         m.redrive,
			"time passes":     m.wait,
			"":                m.check,
		})
	})
}

// A worker holds a claim, or believes that it does.
type worker struct {
	claim   ledger.Claim
	message string
	letter  bool // it has sent the dead letter, and is yet to record the end
}

// model is what the ledger should know, and the queue around it.
type model struct {
	l     *ledger.Ledger
	clock *Clock
	mode  mode
	e     event.Event

	queue   map[string]bool   // messages that were not acknowledged, and whether they were redriven before
	hashes  map[string]string // of their data; "" is the usual
	letters int               // dead letters
	made    int               // messages made
	workers []worker

	status  ledger.Status // "" before the first claim
	owner   string
	message string
	lease   time.Time
	done    []string

	hash      string // of the data that were claimed first
	conflicts int
}

func (m *model) arrive(*rapid.T) { m.send(false) }

// differ is an arrival of the same identity with other data, or with data that
// cannot be compared.
func (m *model) differ(t *rapid.T) {
	m.send(false)
	m.hashes[fmt.Sprint("m", m.made)] = rapid.SampledFrom([]string{"", "00000000000000aa", "00000000000000bb"}).Draw(t, "hash")
}

func (m *model) redrive(t *rapid.T) {
	if m.letters == 0 {
		t.Skip()
	}
	m.letters--
	m.send(true)
}

func (m *model) send(redriven bool) {
	m.made++
	m.queue[fmt.Sprint("m", m.made)] = redriven
	m.hashes[fmt.Sprint("m", m.made)] = "00000000000000aa"
}

func (m *model) wait(t *rapid.T) {
	m.clock.Add(rapid.SampledFrom([]time.Duration{time.Second, lease / 2, lease, 2 * lease}).Draw(t, "time"))
}

// crash is a worker that is never heard of again.
func (m *model) crash(t *rapid.T) { m.take(t) }

func (m *model) take(t *rapid.T) worker {
	if len(m.workers) == 0 {
		t.Skip()
	}
	i := rapid.IntRange(0, len(m.workers)-1).Draw(t, "worker")
	w := m.workers[i]
	m.workers = slices.Delete(m.workers, i, i+1)
	return w
}

func (m *model) claim(t *rapid.T) {
	if len(m.queue) == 0 {
		t.Skip()
	}
	message := rapid.SampledFrom(slices.Sorted(maps.Keys(m.queue))).Draw(t, "message")
	redriven := m.queue[message]
	c, err := m.l.Claim(t.Context(), m.e, m.mode.options(m.e, ledger.Options{Message: message, Redriven: redriven, Lease: lease, Hash: m.hashes[message]}))
	if err != nil {
		t.Fatal(err)
	}
	if want := m.verdict(message, redriven); c.Verdict != want {
		t.Fatalf("%s claims a %q event of %s: %v, want %v", message, m.status, m.message, c.Verdict, want)
	}
	if m.status == "" {
		m.hash = m.hashes[message]
	}
	differs := m.hash != "" && m.hashes[message] != "" && m.hash != m.hashes[message]
	if want := differs && c.Verdict == ledger.Duplicate && message != m.message; c.Conflict != want {
		t.Fatalf("%s conflicts: %v, want %v", message, c.Conflict, want)
	}
	if c.Conflict {
		m.conflicts++
	}
	switch c.Verdict {
	case ledger.Mine:
		if diff := cmp.Diff(m.done, c.Done); diff != "" {
			t.Fatal("done:", diff)
		}
		m.status, m.owner, m.message, m.lease = ledger.Claimed, c.Owner, message, m.clock.Now().Add(lease)
		m.workers = append(m.workers, worker{claim: c, message: message})
	case ledger.Duplicate:
		delete(m.queue, message) // acknowledged
	case ledger.InFlight:
	case ledger.Behind, ledger.Outdated:
		t.Fatalf("%s claims the one event of its entity: %v", message, c.Verdict)
	}
}

func (m *model) verdict(message string, redriven bool) ledger.Verdict {
	ran := !m.lease.After(m.clock.Now())
	switch {
	case m.status == "", m.status == ledger.Claimed && ran && (m.message == message || redriven):
		return ledger.Mine
	case m.status == ledger.Claimed && (m.message == message || redriven):
		return ledger.InFlight
	case m.status == ledger.Waiting && (m.message == message || redriven || ran):
		return ledger.Mine
	case m.status == ledger.Dead && redriven && m.message != message:
		return ledger.Mine
	}
	return ledger.Duplicate
}

func (m *model) complete(t *rapid.T) {
	w := m.take(t)
	end := ledger.Delivered
	if w.letter {
		end = ledger.Dead
	}
	done := m.some(t)
	if m.fenced(t, w, m.l.Complete(t.Context(), w.claim, end, "why", done, nil)) {
		m.status = end
		m.add(done)
		delete(m.queue, w.message)
	}
}

// letter sends a dead letter, which may be redriven before the end is recorded.
func (m *model) letter(t *rapid.T) {
	w := m.take(t)
	if !w.letter {
		m.letters++
	}
	w.letter = true
	m.workers = append(m.workers, w)
}

func (m *model) release(t *rapid.T) {
	w := m.take(t)
	done := m.some(t)
	if m.fenced(t, w, m.l.Release(t.Context(), w.claim, done, nil)) {
		m.status, m.lease = ledger.Waiting, m.clock.Now().Add(14*24*time.Hour)
		m.add(done)
	}
}

// fenced tells whether the write was taken, and fails where it should not be so.
func (m *model) fenced(t *rapid.T, w worker, err error) bool {
	want := m.owner == w.claim.Owner && m.status == ledger.Claimed
	if got := err == nil; got != want || err != nil && !errors.Is(err, ledger.ErrLost) {
		t.Fatalf("the write of %s's claim: %v; the claim is its own: %v", w.message, err, want)
	}
	return want
}

func (m *model) some(t *rapid.T) []string {
	return rapid.SliceOfDistinct(rapid.SampledFrom([]string{"archive", "crm", "mail"}), rapid.ID).Draw(t, "done")
}

func (m *model) add(done []string) {
	m.done = slices.Compact(slices.Sorted(slices.Values(slices.Concat(m.done, done))))
}

// check is what must hold after every step.
func (m *model) check(t *rapid.T) {
	if m.status == "" {
		return
	}
	r, err := m.l.Get(t.Context(), m.e.Key())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.done, r.Done); diff != "" || r.Status != m.status {
		t.Fatalf("the ledger has it %s, want %s; done: %s", r.Status, m.status, diff)
	}
	if r.Conflicts != m.conflicts {
		t.Fatalf("%d conflicts are recorded, want %d", r.Conflicts, m.conflicts)
	}
	if _, carried := m.queue[m.message]; !carried && !m.status.Ended() {
		t.Fatalf("lost: it is %s, and the message %s that carries it was acknowledged", m.status, m.message)
	}
	if m.status == ledger.Dead && m.letters == 0 && !slices.Contains(slices.Collect(maps.Values(m.queue)), true) {
		t.Fatal("lost: it is dead, and no letter of it is left")
	}
	live := 0
	for _, w := range m.workers {
		if w.claim.Owner == m.owner && m.status == ledger.Claimed && w.claim.Until.After(m.clock.Now()) {
			live++
		}
	}
	if live > 1 {
		t.Fatalf("%d workers hold the claim", live)
	}
}
