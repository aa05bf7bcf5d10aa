package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The model is the ledger's rules for two events of one entity, over a table that
// makes one write at a time, and everything around them that can go wrong: SQS gives
// a message out again although it is being worked on, a lease runs out, a worker
// dies between any two steps, an event arrives twice, a dead letter is redriven.
// The checker goes through every state that can be reached.
//
// An event's deliveries go to two destinations. Of a run out of time it is assumed
// that the worker notices: it delivers only while its lease lives.

const (
	workersMost = 3
	messages    = 4 // two of the first event, one of the second, one for a redrive
	ghost       = 9 // who owned a claim and died
	nobody      = 0
)

// The steps of a worker: what it does next.
const (
	idle = iota
	delivering
	recording // as delivered
	releasing // as waiting
	lettering // to send the dead letter
	burying   // as dead
	superseding
	acknowledging
)

// cell is an event's item: what free and the fence go by.
type cell struct {
	status  byte // an index of statuses
	owner   byte // a worker + 1, or ghost
	alive   bool // the lease
	message byte
	done    byte // destinations, as bits
}

var statuses = []Status{"", Claimed, Waiting, Delivered, Superseded, Dead}

const (
	isNew = iota
	isClaimed
	isWaiting
	isDelivered
	isSuperseded
	isDead
)

type hand struct {
	step    byte
	event   byte
	message byte
	alive   bool
	had     byte // destinations that had it when it was claimed
	got     byte // destinations that it has delivered to
	tried   byte // destinations that it has tried
}

// state is all there is. Versions are 1 and 2; 0 is none.
type state struct {
	cells   [2]cell
	entity  cell // owner and alive; done is the version
	gone    [messages]bool
	redrive byte // the event that the last message carries, + 1
	letters [2]byte
	hands   [workersMost]hand

	last    [2]byte    // the version that a destination got last
	newest  [2]byte    // the newest that it ever got
	count   [2][2]byte // deliveries of an event to a destination; 2 is more than one
	crashes byte       // that may yet happen
	fails   byte
	twice   byte // messages that SQS may yet give out to two at once
	faulty  bool // a lease ran out or a worker died
}

// rules are those of the code, but for what a variant breaks.
type rules struct {
	workers                                                                int
	crashes, fails, twice                                                  byte
	noFence, noLease, anyMessage, ackFirst, noGuard, forgets, buriesUnsent bool
}

// next calls yield with every state that can follow.
func (r rules) next(s state, yield func(state, string)) {
	for w := range r.workers {
		h := s.hands[w]
		if h.step == idle {
			for m := range messages {
				if s.gone[m] {
					continue
				}
				t := s
				if t.hidden(byte(m)) {
					if t.twice == 0 {
						continue
					}
					t.twice--
				}
				r.claim(t, w, byte(m), yield)
			}
			continue
		}
		if s.crashes > 0 {
			t := s
			t.crashes--
			t.faulty = true
			t.hands[w] = hand{}
			t.disown(w)
			yield(t, "dies")
		}
		if h.alive {
			t := s
			t.faulty = true
			t.hands[w].alive = false
			t.expire(byte(w + 1))
			yield(t, "lease runs out")
		}
		r.work(s, w, yield)
	}
	for i := range s.cells {
		if s.cells[i].owner == ghost && s.cells[i].alive && s.cells[i].status == isClaimed {
			t := s
			t.expire(ghost)
			yield(t, "the lease of who died runs out")
		}
	}
	for i := range s.letters {
		if s.letters[i] > 0 && s.redrive == 0 {
			t := s
			t.letters[i]--
			t.redrive, t.gone[messages-1] = byte(i+1), false
			yield(t, "redrive")
		}
	}
}

// hidden tells whether a worker has the message that may yet acknowledge it: a queue's
// visibility timeout and a lease outlast the function that they are for.
func (s *state) hidden(m byte) bool {
	for _, h := range s.hands {
		if h.step != idle && h.message == m {
			return true
		}
	}
	return false
}

func (s *state) disown(w int) {
	for _, c := range []*cell{&s.cells[0], &s.cells[1], &s.entity} {
		if c.owner == byte(w+1) {
			c.owner = ghost
		}
	}
}

func (s *state) expire(owner byte) {
	for _, c := range []*cell{&s.cells[0], &s.cells[1], &s.entity} {
		if c.owner == owner {
			c.alive = false
		}
	}
}

// carries is the event of a message.
func (s *state) carries(m byte) (event byte, redriven bool) {
	switch m {
	case 0, 1:
		return 0, false
	case 2:
		return 1, false
	}
	return s.redrive - 1, true
}

// abstractFree is free, of a cell.
func abstractFree(c cell, message byte, redriven bool) bool {
	carries := c.message == message || redriven
	switch c.status {
	case isNew:
		return true
	case isClaimed:
		return !c.alive && carries
	case isWaiting:
		return carries
	case isDead:
		return redriven && c.message != message
	}
	return false
}

func (r rules) claim(s state, w int, m byte, yield func(state, string)) {
	event, redriven := s.carries(m)
	c := s.cells[event]
	h := hand{event: event, message: m}
	carries := c.message == m || redriven
	free := abstractFree(c, m, redriven) || c.status == isClaimed && (r.noLease && carries || r.anyMessage && !c.alive)
	if !free {
		if c.status == isClaimed && carries {
			return // in flight: it comes back
		}
		h.step = acknowledging
		s.hands[w] = h
		yield(s, "duplicate")
		return
	}
	version := event + 1
	if !r.noGuard && s.entity.done > version {
		h.step = superseding
		s.hands[w] = h
		yield(s, "is older")
		return
	}
	if !r.noGuard && !r.noLease && s.entity.owner != nobody && s.entity.alive {
		return // behind: it comes back
	}
	s.cells[event] = cell{status: isClaimed, owner: byte(w + 1), alive: true, message: m, done: c.done}
	s.entity.owner, s.entity.alive = byte(w+1), true
	h.step, h.alive, h.had = delivering, true, c.done
	s.hands[w] = h
	if r.ackFirst {
		s.gone[m] = true
	}
	yield(s, "claims")
}

func (r rules) work(s state, w int, yield func(state, string)) {
	h := s.hands[w]
	switch h.step {
	case delivering:
		r.deliver(s, w, yield)
	case recording:
		r.end(s, w, isDelivered, acknowledging, yield)
	case releasing:
		r.end(s, w, isWaiting, idle, yield)
	case burying:
		after := byte(acknowledging)
		if r.buriesUnsent {
			after = lettering
		}
		r.end(s, w, isDead, after, yield)
	case lettering:
		s.letters[h.event] = min(s.letters[h.event]+1, 2)
		s.hands[w].step = burying
		if r.buriesUnsent {
			s.hands[w].step = acknowledging
		}
		yield(s, "sends the letter")
	case superseding:
		_, redriven := s.carries(h.message)
		s.hands[w] = hand{}
		c := s.cells[h.event]
		if abstractFree(c, h.message, redriven) { // else the next receive decides
			s.cells[h.event] = cell{status: isSuperseded, done: c.done, message: h.message}
			s.hands[w] = hand{step: acknowledging, event: h.event, message: h.message}
		}
		yield(s, "supersedes")
	case acknowledging:
		s.gone[h.message] = true
		s.hands[w] = hand{}
		yield(s, "acknowledges")
	}
}

func (r rules) deliver(s state, w int, yield func(state, string)) {
	h := s.hands[w]
	for d := range byte(2) {
		bit := byte(1) << d
		if (h.had|h.tried)&bit != 0 {
			continue
		}
		if !h.alive {
			break
		}
		s.hands[w].tried |= bit
		if s.fails > 0 {
			t := s
			t.fails--
			yield(t, fmt.Sprint("fails at ", d))
		}
		s.hands[w].got |= bit
		s.last[d] = h.event + 1
		s.newest[d] = max(s.newest[d], s.last[d])
		s.count[h.event][d] = min(s.count[h.event][d]+1, 2)
		yield(s, fmt.Sprint("delivers to ", d))
		return
	}
	if h.had|h.got == 3 {
		s.hands[w].step = recording
		yield(s, "has delivered")
		return
	}
	t := s
	t.hands[w].step = releasing
	yield(t, "waits")
	if h.alive { // not for want of time
		s.hands[w].step = lettering
		if r.buriesUnsent {
			s.hands[w].step = burying
		}
		yield(s, "gives up")
	}
}

// end is the fenced write.
func (r rules) end(s state, w int, status, then byte, yield func(state, string)) {
	h := s.hands[w]
	c := &s.cells[h.event]
	fenced := c.owner == byte(w+1) && c.status == isClaimed && (r.noGuard || s.entity.owner == byte(w+1))
	if !fenced && !r.noFence {
		s.hands[w] = hand{}
		yield(s, "has lost its claim")
		return
	}
	c.status, c.done, c.alive = status, c.done|h.got, true
	s.entity.owner, s.entity.alive = nobody, false
	if h.had|h.got != 0 && (!r.forgets || status != isWaiting) {
		s.entity.done = h.event + 1
	}
	s.hands[w].step = then
	if then == idle {
		s.hands[w] = hand{}
	}
	yield(s, "writes "+string(statuses[status]))
}

// wrong is what must not be, of any state.
func (r rules) wrong(s state) string {
	for a := range r.workers {
		for b := range a {
			x, y := s.hands[a], s.hands[b]
			if x.step == delivering && y.step == delivering && x.alive && y.alive {
				return "two workers deliver events of the entity under live leases"
			}
		}
	}
	if !s.faulty {
		for e := range s.count {
			for d := range s.count[e] {
				if s.count[e][d] > 1 {
					return "an event was delivered twice, although no lease ran out and nobody died"
				}
			}
		}
	}
	if !r.still(s) {
		return ""
	}
	for e, c := range s.cells {
		delivered := c.status == isDelivered && s.count[e][0] > 0 && s.count[e][1] > 0
		superseded := c.status == isSuperseded && s.entity.done > byte(e+1)
		dead := c.status == isDead && s.letters[e] > 0
		if !delivered && !superseded && !dead {
			return fmt.Sprintf("event %d is lost: it is %q, and nothing carries it", e+1, statuses[c.status])
		}
	}
	if s.cells[0].status == isDead || s.cells[1].status == isDead {
		return "" // what is dead may be newer, and is for people to redrive
	}
	if s.last != s.newest {
		return "a destination has an older version than it was given"
	}
	return ""
}

// still tells whether nothing is left to come but the redrive of letters.
func (r rules) still(s state) bool {
	for _, h := range s.hands {
		if h.step != idle {
			return false
		}
	}
	for _, gone := range s.gone {
		if !gone {
			return false
		}
	}
	return true
}

// same makes one of states that differ in nothing that matters: in which worker is
// which, and in what nobody looks at any more.
func (s state) same() state {
	if s.faulty {
		for e := range s.count {
			for d := range s.count[e] {
				s.count[e][d] = min(s.count[e][d], 1)
			}
		}
	}
	for i := range s.cells {
		c := &s.cells[i]
		if c.status != isClaimed {
			c.owner, c.alive = nobody, false
		}
		if c.status == isDelivered || c.status == isSuperseded {
			c.message = 0
		}
	}
	if s.entity.owner == nobody {
		s.entity.alive = false
	}
	for i := range s.hands {
		if s.hands[i].step == acknowledging {
			s.hands[i] = hand{step: acknowledging, event: s.hands[i].event, message: s.hands[i].message}
		}
		for j := i; j > 0 && s.rank(j-1) < s.rank(j); j-- {
			s.swap(j-1, j)
		}
	}
	return s
}

func (s *state) rank(w int) (n int) {
	h := s.hands[w]
	for _, b := range []byte{h.step, h.event, h.message, h.had, h.got, h.tried} {
		n = n<<3 | int(b)
	}
	for _, yes := range []bool{h.alive, s.cells[0].owner == byte(w+1), s.cells[1].owner == byte(w+1), s.entity.owner == byte(w+1)} {
		n <<= 1
		if yes {
			n |= 1
		}
	}
	return n
}

func (s *state) swap(a, b int) {
	s.hands[a], s.hands[b] = s.hands[b], s.hands[a]
	for _, c := range []*cell{&s.cells[0], &s.cells[1], &s.entity} {
		switch c.owner {
		case byte(a + 1):
			c.owner = byte(b + 1)
		case byte(b + 1):
			c.owner = byte(a + 1)
		}
	}
}

// explore goes through all states, the nearest first, and returns the shortest way
// to a wrong one.
func (r rules) explore() (states int, wrong string) {
	first := state{crashes: r.crashes, fails: r.fails, twice: r.twice}
	first.gone[messages-1] = true
	type place struct {
		state state
		from  int
		by    string
	}
	all := []place{{state: first}}
	seen := map[state]bool{first: true}
	for i := 0; i < len(all); i++ {
		if what := r.wrong(all[i].state); what != "" {
			way := ""
			for at := i; at > 0; at = all[at].from {
				way = ", " + all[at].by + way
			}
			return len(all), what + ": " + strings.TrimPrefix(way, ", ")
		}
		r.next(all[i].state, func(t state, by string) {
			if t = t.same(); !seen[t] {
				seen[t] = true
				all = append(all, place{t, i, by})
			}
		})
	}
	return len(all), ""
}

func TestWhateverHappensNoEventIsLostAndTheNewestIsLast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		rules rules
	}{
		{"two workers, a crash, a failure", rules{workers: 2, crashes: 1, fails: 1}},
		{"three workers, a crash, a message given out twice", rules{workers: 3, crashes: 1, twice: 1}},
	} {
		states, wrong := test.rules.explore()
		t.Logf("%s: %d states", test.name, states)
		if wrong != "" {
			t.Errorf("%s: %s", test.name, wrong)
		}
	}
}

func TestTheModelCatchesWhatIsBroken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		rules rules
		want  string
	}{
		{"ends are not fenced", rules{noFence: true, crashes: 1}, "two workers deliver"},
		{"claims look at no lease", rules{noLease: true, twice: 1}, "two workers deliver"},
		{"any message takes over where a lease ran out", rules{anyMessage: true, crashes: 1, twice: 1}, "is lost"},
		{"messages are acknowledged before the end is written", rules{ackFirst: true, crashes: 1}, "is lost"},
		{"the entity is not guarded", rules{noGuard: true}, "two workers deliver"},
		{"a release forgets that a destination has the event", rules{forgets: true, fails: 1}, "an older version"},
		{"the end is written before the dead letter is sent", rules{buriesUnsent: true, crashes: 1, fails: 1}, "is lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.rules.workers = 2
			states, wrong := test.rules.explore()
			t.Logf("%d states: %s", states, wrong)
			if !strings.Contains(wrong, test.want) {
				t.Errorf("it came to %q, want that %s", wrong, test.want)
			}
		})
	}
}

// TestTheModelClaimsAsTheCodeDoes compares free with its abstraction, of every cell.
func TestTheModelClaimsAsTheCodeDoes(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_000_000)
	for status, name := range statuses {
		for _, alive := range []bool{false, true} {
			for message := range byte(2) {
				for _, redriven := range []bool{false, true} {
					until := now
					if alive {
						until = now.Add(time.Second)
					}
					it := item{
						attrStatus: text(string(name)), attrMessage: text(fmt.Sprint("m", message)), attrUntil: number(until.UnixMilli()),
						attrLease: number(now.Add(comesBack).UnixMilli()), // for longer than any run of the model
					}
					if status == isNew {
						it = nil
					}
					got := free(it, Options{Message: "m0", Redriven: redriven}, now)
					want := abstractFree(cell{status: byte(status), alive: alive, message: message}, 0, redriven)
					if got != want {
						t.Errorf("a %q item, lease alive: %v, of message m%d, redriven: %v: free is %v, and %v in the model", name, alive, message, redriven, got, want)
					}
				}
			}
		}
	}
}
