package main

import (
	"strings"
	"testing"
	"time"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/queue"
)

// replay sends a kept event again, as `pushpull replay` does.
func (w *world) replay(key, id, only string) {
	w.t.Helper()
	e, err := w.ledger.Payload(w.t.Context(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.ledger.NoteReplay(w.t.Context(), key, id); err != nil {
		w.t.Fatal(err)
	}
	e.Replay = id
	q := queue.New(w.client, w.queues.QueueURL(eventQueue), w.bodies).Only(only)
	if err := q.SendEvents(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
}

func TestAReplayIsDeliveredOnceMoreAndOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		only      string
		change    func(e *event.Event)
		crm, mail int // deliveries in all
		status    ledger.Status
		reason    string
	}{
		{name: "to all its destinations", crm: 2, mail: 2, status: ledger.Delivered},
		{name: "to one of them", only: "mail", crm: 1, mail: 2, status: ledger.Delivered},
		{name: "to one to which nothing leads it", only: "off", crm: 1, mail: 1, status: ledger.Filtered, reason: "no route leads it to off"},
		{name: "with data from the claim check", change: func(e *event.Event) { e.Data = []byte(large("x")) }, crm: 2, mail: 2, status: ledger.Delivered},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e := ledgertest.Event("github", "1", w.clock.Now())
			if test.change != nil {
				test.change(&e)
			}
			w.send(e)
			w.drain()
			w.clock.Add(48 * time.Hour)
			w.replay(e.Key(), "r1", test.only)
			w.replay(e.Key(), "r1", test.only) // whose first answer was lost
			w.drain()
			if _, n := w.sink.count("crm/1"); n != test.crm {
				t.Errorf("crm got it %d times, want %d", n, test.crm)
			}
			if _, n := w.sink.count("mail/1"); n != test.mail {
				t.Errorf("mail got it %d times, want %d", n, test.mail)
			}
			if h := w.sink.headers["mail/1"]; test.mail == 2 && (h.Get("Ce-Replay") != "r1" || h.Get("Webhook-Id") != "1" || w.sink.bodies["mail/1"] != string(e.Data)) {
				t.Errorf("it is not the same event, marked: %v", h)
			}
			r := w.want(e.Key(), ledger.Delivered, "crm", "mail")
			if len(r.Replays) != 1 || r.Replays[0].Status != test.status || r.Replays[0].Reason != test.reason {
				t.Errorf("the history has the replays %+v", r.Replays)
			}
			if len(r.Duplicates) > 0 || r.Conflicts > 0 {
				t.Errorf("it counts as a duplicate of the event: %v", r.Duplicates)
			}
		})
	}
}

func TestAReplayOfAnOlderVersionDoesNotOverwriteTheNewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	older, newer := ledgertest.Event("github", "1", w.clock.Now()), ledgertest.Event("github", "2", w.clock.Now())
	older.Version, newer.Version = "1", "2"
	for _, e := range []event.Event{older, newer} {
		w.send(e)
		w.drain()
	}
	w.replay(older.Key(), "r1", "")
	w.replay(newer.Key(), "r1", "")
	w.drain()
	if _, n := w.sink.count("crm/1"); n != 1 {
		t.Errorf("the older came %d times, want once", n)
	}
	if _, n := w.sink.count("crm/2"); n != 2 {
		t.Errorf("the newest came %d times, want twice", n)
	}
	if r := w.record(older.Key()); r.Replays[0].Status != ledger.Superseded {
		t.Errorf("the replay of the older is %s", r.Replays[0].Status)
	}
}

func TestAReplayThatDiesIsRedrivenToItsOneDestination(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := ledgertest.Event("github", "1", w.clock.Now())
	w.send(e)
	w.drain()
	w.sink.answers(func(string, int) (int, string) { return 422, "" })
	w.replay(e.Key(), "r1", "mail")
	w.drain()
	if r := w.record(e.Key()); r.Status != ledger.Delivered || r.Replays[0].Status != ledger.Dead {
		t.Fatalf("the event is %s, its replay %s", r.Status, r.Replays[0].Status)
	}
	w.sink.answers(nil)
	if letters := w.redrive(); len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	w.drain()
	if r := w.record(e.Key()); r.Replays[0].Status != ledger.Delivered || len(r.Replays[0].Attempts) != 2 {
		t.Errorf("the replay is %+v", r.Replays[0])
	}
	if _, n := w.sink.count("crm/1"); n != 1 {
		t.Errorf("crm got it %d times, want once", n)
	}
}

func TestALetterThatIsRedrivenToOneDestinationStaysForTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sink.answers(func(string, int) (int, string) { return 422, "" })
	e := ledgertest.Event("github", "1", w.clock.Now())
	w.send(e)
	w.drain()
	w.want(e.Key(), ledger.Dead)
	w.sink.answers(nil)
	w.redriveTo("crm")
	w.drain()
	r := w.want(e.Key(), ledger.Dead, "crm")
	if !strings.HasPrefix(r.Reason, "mail: ") || strings.Contains(r.Reason, "crm") {
		t.Errorf("the reason is %q", r.Reason)
	}
	if asked, _ := w.sink.count("mail/1"); asked != 1 {
		t.Errorf("mail was asked %d times, want once", asked)
	}
	letters := w.redrive()
	if len(letters) != 1 || *letters[0].MessageAttributes[queue.AttributeDestination].StringValue != "mail" {
		t.Fatalf("%d letters are left: %+v", len(letters), letters)
	}
	w.drain()
	r = w.want(e.Key(), ledger.Delivered, "crm", "mail")
	if len(r.Attempts) != 4 {
		t.Errorf("the history has %d attempts, want all 4: %+v", len(r.Attempts), r.Attempts)
	}
}
