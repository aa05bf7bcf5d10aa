package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
)

// change is an event of one entity at that version.
func change(w *world, source, version string) event.Event {
	return event.Event{
		ID: "17@" + version, Source: source, Type: "changed", Subject: "issue 17", Version: version, ContentType: "application/json",
		Data: []byte(`{"version":"` + version + `"}`), Transport: event.Webhook, ReceivedTime: w.clock.Now(), CorrelationID: "c",
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		source  string
		batches [][]string // versions
		down    int        // deliveries of the newest that fail
		want    string     // the versions that crm got, in their order
		stands  map[string]ledger.Status
	}{
		{
			name: "an older one that comes later is superseded", batches: [][]string{{"10"}, {"9"}},
			want: "10", stands: map[string]ledger.Status{"10": ledger.Delivered, "9": ledger.Superseded},
		},
		{
			name: "of a batch the newest is delivered, and none waits for another", batches: [][]string{{"9", "11", "8", "10"}},
			want:   "11",
			stands: map[string]ledger.Status{"11": ledger.Delivered, "10": ledger.Superseded, "9": ledger.Superseded, "8": ledger.Superseded},
		},
		{
			name: "times are compared whatever their precision and zone", batches: [][]string{{"2026-11-23T10:00:00.001+02:00"}, {"2026-11-23T08:00:00Z"}},
			want: "2026-11-23T10:00:00.001+02:00", stands: map[string]ledger.Status{"2026-11-23T08:00:00Z": ledger.Superseded},
		},
		{
			name: "versions that are in no order are all delivered", batches: [][]string{{"b7"}, {"a9"}},
			want: "b7 a9", stands: map[string]ledger.Status{"a9": ledger.Delivered},
		},
		{
			name: "unless the source says that they are", source: "ordered", batches: [][]string{{"b7"}, {"a9"}},
			want: "b7", stands: map[string]ledger.Status{"a9": ledger.Superseded},
		},
		{
			name: "a source in no order has all delivered", source: "unordered", batches: [][]string{{"10"}, {"9"}},
			want: "10 9", stands: map[string]ledger.Status{"9": ledger.Delivered},
		},
		{
			name: "one that fails lets an older one pass, and comes after it", batches: [][]string{{"10", "9"}}, down: 1,
			want: "9 10", stands: map[string]ledger.Status{"9": ledger.Delivered, "10": ledger.Delivered},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config = strings.Replace(w.config, "source private", "source ordered {\"order\":\"latest\"}\nsource private", 1) + "source unordered {\"order\":\"none\"}\n"
			w.config = strings.Replace(w.config, `{"from":["stripe"]`, `{"from":["stripe","ordered","unordered"]`, 1)
			w.start()
			if test.source == "" {
				test.source = "stripe"
			}
			failed := 0
			w.sink.answers(func(string, int) (int, string) {
				if failed < test.down {
					failed++
					return 503, ""
				}
				return 200, ""
			})
			for _, batch := range test.batches {
				for _, v := range batch {
					w.send(change(w, test.source, v))
				}
				w.invoke()
			}
			w.drain()
			if diff := cmp.Diff(test.want, strings.ReplaceAll(strings.Join(w.sink.order("crm"), " "), "17@", "")); diff != "" {
				t.Error("delivered:", diff)
			}
			for v, want := range test.stands {
				if r := w.record(test.source + "/17@" + v); r.Status != want {
					t.Errorf("version %s is %s, want %s", v, r.Status, want)
				}
			}
		})
	}
}

func TestASourceMayLeaveDeliveriesWithoutFailuresUnrecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = strings.Replace(w.config, `source stripe {"window":"2d"}`, `source stripe {"window":"2d","history":"failures"}`, 1)
	w.start()
	e := change(w, "stripe", "")
	e.Version = ""
	w.send(e)
	w.invoke()
	w.send(e)
	w.drain()
	if r := w.record(e.Key()); r.Status != ledger.Delivered || r.Duplicates[event.Webhook] != 1 || r.Attempts != nil {
		t.Errorf("the record is %+v, want delivered, with a duplicate and no attempts", r)
	}
	if asked, _ := w.sink.count("crm/" + e.ID); asked != 1 {
		t.Errorf("it was delivered %d times, want once", asked)
	}
}

func TestInStrictOrderAFailureHoldsUpItsEntityAndNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = strings.Replace(w.config, `source stripe {"window":"2d"}`, `source stripe {"window":"2d","order":"strict"}`, 1)
	w.start()
	attributes := map[string]string{"FifoQueue": "true", "VisibilityTimeout": "360", "MessageRetentionPeriod": "1209600"}
	if _, _, err := w.queues.CreateQueue(strictQueue, attributes); err != nil {
		t.Fatal(err)
	}
	failed := 0
	w.sink.answers(func(string, int) (int, string) {
		if len(w.sink.ids["crm"]) == 1 && failed < 2 {
			failed++
			return 503, ""
		}
		return 200, ""
	})
	strict := queue.New(w.client, w.queues.QueueURL(strictQueue), nil)
	for _, v := range []string{"5", "4", "3", "2", "1"} { // the queue's order counts, not that of the versions
		if err := strict.SendEvents(t.Context(), change(w, "stripe", v)); err != nil {
			t.Fatal(err)
		}
	}
	other := change(w, "stripe", "1")
	other.ID, other.Subject = "18@1", "issue 18"
	if err := strict.SendEvents(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		w.invokeWith(strictQueue)
		w.clock.Add(10 * time.Second)
	}
	var got []string
	for _, id := range w.sink.order("crm") {
		if id != other.ID {
			got = append(got, id)
		}
	}
	if diff := cmp.Diff([]string{"17@5", "17@4", "17@3", "17@2", "17@1"}, got); diff != "" {
		t.Error("delivered:", diff)
	}
	w.want("stripe/18@1", ledger.Delivered, "crm")
	if failed != 2 {
		t.Errorf("%d failed, want 2", failed)
	}
}
