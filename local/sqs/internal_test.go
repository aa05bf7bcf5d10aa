package sqs

import (
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMD5OfAttributes(t *testing.T) {
	t.Parallel()
	// The wanted digests were computed with Python's hashlib from the algorithm in
	// the developer guide.
	for _, c := range []struct {
		name string
		in   map[string]MessageAttribute
		want string
	}{
		{"no attributes have no digest", nil, ""},
		{"a number", map[string]MessageAttribute{"timestamp": {DataType: "Number", StringValue: "1493147359900"}}, "235c5c510d26fb653d073faed50ae77c"},
		{"bytes and text, by name", map[string]MessageAttribute{
			"b": {DataType: "String", StringValue: "é"}, "a": {DataType: "Binary", BinaryValue: []byte{0, 0xFF}},
		}, "768107446d6c962669098f7c9ef3d34d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, md5OfAttributes(c.in)); diff != "" {
				t.Errorf("the digest (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	want := receipt{queue: 7, sequence: 1 << 40, receives: 3, copy: 1}
	for _, c := range []struct {
		name   string
		handle string
		queue  uint64
		want   bool
	}{
		{"a handle is understood by its queue", want.handle(), 7, true},
		{"a handle is not understood by another queue", want.handle(), 8, false},
		{"a handle with a letter changed is none", "B" + want.handle()[1:], 7, false},
		{"a handle cut short is none", want.handle()[:8], 7, false},
		{"text is none", "nonsense", 7, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := parseReceipt(c.handle, c.queue)
			if ok != c.want || ok && got != want {
				t.Errorf("got %+v, %t", got, ok)
			}
		})
	}
}

func TestLoneSurrogate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     bool
	}{
		{"a pair is whole", `"\ud83d\ude00"`, false},
		{"a pair after a pair is whole", `"\ud83d\ude00\ud83d\ude00"`, false},
		{"a first half is half", `"\ud83d"`, true},
		{"a first half before text is half", `"\ud83dxxxxxx"`, true},
		{"a second half is half", `"\uDE00"`, true},
		{"halves in the wrong order are halves", `"\ude00\ud83d"`, true},
		{"an escaped backslash before u is no escape", `"\\ud83d"`, false},
		{"another character is none", `"\u0041\uE000"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := loneSurrogate([]byte(c.in)); got != c.want {
				t.Errorf("got %t for %s", got, c.in)
			}
		})
	}
}

// FuzzRecord: what decodes encodes to what decodes to the same; what does not is refused.
func FuzzRecord(f *testing.F) {
	seed := record{
		sent: 1, visible: 2, prior: 3, first: 4, id: "i", bodyMD5: "m", group: "g", dedup: "d", sender: "s", trace: "t", source: "a",
		attributes: map[string]MessageAttribute{"a": {DataType: "Binary", BinaryValue: []byte{0}}}, body: "body",
	}
	f.Add(seed.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := decodeRecord(b)
		if err != nil {
			if diff := cmp.Diff(record{}, first, cmp.AllowUnexported(record{})); diff != "" {
				t.Errorf("an error with a record: %s", diff)
			}
			return
		}
		second, err := decodeRecord(first.encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second, cmp.AllowUnexported(record{})); diff != "" {
			t.Errorf("another record comes back (-first +second):\n%s", diff)
		}
	})
}

// TestIndex does thousands of random things to a standard and a FIFO queue, and
// after each compares what the index counts with what it holds.
func TestIndex(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, queue string
		attributes  map[string]string
	}{
		{"of a standard queue", "q", nil},
		{"of a FIFO queue", "q.fifo", map[string]string{attrFifo: "true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "queues.db")
			synctest.Test(t, func(t *testing.T) {
				s, err := Open(path, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := s.CreateQueue(c.queue, c.attributes); err != nil {
					t.Fatal(err)
				}
				disturb(t, s.queue(c.queue), rand.New(rand.NewPCG(1, 2)))
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// disturb does the random things, and then holds the queue to its promises:
// everything comes in the end, in order where the queue keeps one.
func disturb(t *testing.T, q *queue, dice *rand.Rand) {
	t.Helper()
	d := &disturber{q: q, dice: dice}
	actions := []func(*testing.T){d.send, d.send, d.receive, d.remove, d.hold, d.pass}
	for range 4000 {
		actions[dice.IntN(len(actions))](t)
		q.audit(t)
	}
	d.drain(t)
	if len(q.entries)+len(q.groups)+q.waiting.Len()+q.open.Len() != 0 {
		t.Error("an empty queue still has something in its index")
	}
}

type disturber struct {
	q    *queue
	dice *rand.Rand
	sent int
	held []string // receipt handles, some of them too old
}

func (d *disturber) send(t *testing.T) {
	d.sent++
	m := outgoing{body: strconv.Itoa(d.sent), group: strconv.Itoa(d.dice.IntN(5))}
	if d.q.settings.fifo {
		m.dedup = m.body
	} else {
		m.delay = time.Duration(d.dice.IntN(3)) * time.Second
	}
	if _, err := d.q.send([]outgoing{m}); err != nil {
		t.Fatal(err)
	}
}

func (d *disturber) receive(t *testing.T) {
	got, err := d.q.receive(t.Context(), receiveRequest{max: 1 + d.dice.IntN(10), visibility: time.Duration(d.dice.IntN(4)) * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		d.held = append(d.held, m.ReceiptHandle)
	}
}

func (d *disturber) remove(t *testing.T) {
	if len(d.held) == 0 {
		return
	}
	i := d.dice.IntN(len(d.held))
	if _, err := d.q.remove(d.held[i : i+1]); err != nil {
		t.Fatal(err)
	}
	d.held = append(d.held[:i], d.held[i+1:]...)
}

func (d *disturber) hold(t *testing.T) {
	if len(d.held) == 0 {
		return
	}
	h := hold{d.held[d.dice.IntN(len(d.held))], time.Duration(d.dice.IntN(3)) * time.Second}
	if _, err := d.q.extend([]hold{h}); err != nil {
		t.Fatal(err)
	}
}

func (d *disturber) pass(*testing.T) {
	<-time.After(time.Duration(d.dice.IntN(900)) * time.Millisecond)
}

func (d *disturber) drain(t *testing.T) {
	last := map[string]string{} // by group
	for left := d.q.count(); left > 0; {
		got, err := d.q.receive(t.Context(), receiveRequest{max: 10, visibility: time.Minute, wait: 10 * time.Second})
		if err != nil || len(got) == 0 {
			t.Fatalf("%d messages never came: %v", left, err)
		}
		for _, m := range got {
			group, number := m.Attributes[attrGroup], m.Attributes[attrSequence]
			if number < last[group] {
				t.Fatalf("%s follows %s in group %s", number, last[group], group)
			}
			last[group] = number
			if refused, err := d.q.remove([]string{m.ReceiptHandle}); err != nil || refused[0] != nil {
				t.Fatal(err, refused)
			}
		}
		left -= len(got)
		d.q.audit(t)
	}
}

func (q *queue) audit(t *testing.T) {
	t.Helper()
	type counts struct{ Ready, Delayed, InFlight, Members, Waiting, Open int }
	got := counts{Delayed: q.delayed, InFlight: q.inFlight, Waiting: q.waiting.Len(), Open: q.open.Len()}
	for _, g := range q.groups {
		got.Ready += g.ready.Len()
		got.Members += g.members
	}
	want := counts{Members: len(q.entries)}
	for _, e := range q.entries {
		switch e.where {
		case ready:
			want.Ready++
		case delayed:
			want.Delayed++
		case inFlight:
			want.InFlight++
		}
		if q.groups[e.group.id] != e.group {
			t.Fatal("a message is in a group that the queue does not have")
		}
	}
	want.Waiting = want.Delayed + want.InFlight
	for _, g := range q.groups {
		if g.ready.Len() > 0 && (!q.settings.fifo || g.inFlight == 0) {
			want.Open++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the index does not agree with itself (-holds +counts):\n%s", diff)
	}
}
