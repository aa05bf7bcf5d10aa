package presets

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// A sent is what `trigger --json` prints of one request.
type sent struct {
	Source string
	ID     string
	Type   string
	Events int
	Status int
	Answer string

	sample string // the type that was asked for
}

// A shipment is all that was triggered.
type shipment struct {
	mu  sync.Mutex
	all []sent
}

func (s *shipment) add(one sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, one)
}

// events is how many there must be of a source; of all sources for "".
func (s *shipment) events(source string) int {
	n := 0
	for _, one := range s.all {
		switch {
		case source != "" && one.Source != source:
		case one.again():
			n += one.Events
		default:
			n += 2 * one.Events
		}
	}
	return n
}

// again reports whether the same sent again is the same event.
func (s sent) again() bool {
	_, not := each[s.Source+" "+s.sample]
	return !not
}

// triggerAll triggers every sample of every preset, each twice.
func (s *system) triggerAll(t *testing.T) *shipment {
	t.Helper()
	all := &shipment{}
	var oneKey sync.Mutex
	t.Run("every sample is taken", func(t *testing.T) {
		for _, name := range webhooks(t) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := load(t, name)
				if webhook.FetchesKey(*p.Webhook.Auth) {
					oneKey.Lock() // several presets fetch theirs from one address
					defer oneKey.Unlock()
				}
				for _, sample := range p.Samples {
					if _, not := unsendable[name]; !not {
						all.add(s.trigger(t, p, sample))
					}
				}
			})
		}
	})
	return all
}

// checkSendable wants the table of presets that this machine cannot play to be
// those of which the gateway, and not the request, says who calls.
func checkSendable(t *testing.T) {
	t.Helper()
	for _, name := range webhooks(t) {
		if _, known := unsendable[name]; known != byCaller(*load(t, name).Webhook.Auth) {
			t.Errorf("%s is authenticated by who calls: %t, and is in the table of those that cannot be sent: %t", name, !known, known)
		}
	}
}

func byCaller(a config.Auth) bool {
	return a.Scheme == "mtls" || a.Scheme == "ip" || slices.ContainsFunc(a.Of, byCaller)
}

// bodyHash is what an identity looks like where nothing else was found.
var bodyHash = regexp.MustCompile("^[0-9a-f]{64}$")

func (s *system) trigger(t *testing.T, p provider.Preset, sample provider.Sample) sent {
	t.Helper()
	out, err := s.Command(t.Context(), "trigger", p.Name, sample.Type, "--same", "--count", "2", "--json")
	if err != nil {
		t.Errorf("%v: %s", err, out)
		return sent{Source: p.Name}
	}
	var two [2]sent
	d := json.NewDecoder(bytes.NewReader(out))
	for i := range two {
		if err := d.Decode(&two[i]); err != nil {
			t.Fatalf("trigger %s %s printed %s: %v", p.Name, sample.Type, out, err)
		}
	}
	one := two[0]
	one.sample = sample.Type
	two[1].sample = sample.Type
	key := p.Name + " " + sample.Type
	_, eachCounts := each[key]
	if one != two[1] {
		t.Errorf("%s: the same event sent again is another: %+v and %+v", sample.Type, one, two[1])
	}
	if one.Source != p.Name || one.ID == "" || one.Type == "" {
		t.Errorf("%s: trigger printed %+v", sample.Type, one)
	}
	checkAnswer(t, p, sample, one)
	if want := cmp.Or(batches[key], 1); one.Events != want {
		t.Errorf("%s: %d events came of it, want %d", sample.Type, one.Events, want)
	}
	if _, known := nameless[key]; known != (one.Type == p.Name) {
		t.Errorf("%s: the type is %q, and the sample in the table of those without: %t", sample.Type, one.Type, known)
	} else if !known && one.Type != sample.Type {
		t.Errorf("%s: the type is %q", sample.Type, one.Type)
	}
	if _, known := hashed[key]; !eachCounts && known != bodyHash.MatchString(one.ID) {
		t.Errorf("%s: the identity is %q, and the sample in the table of those without: %t", sample.Type, one.ID, known)
	}
	return one
}

// checkAnswer wants the status and the body that the preset says, where nothing
// of the request is in them.
func checkAnswer(t *testing.T, p provider.Preset, sample provider.Sample, one sent) {
	t.Helper()
	status, body := 202, `{"status":"accepted"}`
	if r := p.Webhook.Reply; r != nil {
		status, body = cmp.Or(r.Status, 202), r.Body
	}
	if one.Status != status || !strings.Contains(body, "{body.") && !strings.Contains(body, "{header.") && one.Answer != body {
		t.Errorf("%s was answered %d %q, want %d %q", sample.Type, one.Status, one.Answer, status, body)
	}
}

// arrive waits until the destination has all of it, and each event was seen twice
// and delivered once; before is how many came before it.
func (s *system) arrive(t *testing.T, all *shipment, before int) {
	t.Helper()
	var events []event.Event
	until(t, "every event is at the destination", func() (string, bool) {
		events = s.arrived(t)[before:]
		return fmt.Sprintf("%d of %d are: %s", len(events), all.events(""), missing(all, events)), len(events) >= all.events("")
	})
	by := map[string]event.Event{}
	count := map[string]int{}
	for _, e := range events {
		by[e.Key()] = e
		count[e.Source]++
	}
	waiting := maps.Clone(by)
	for key := range by {
		if source, _, _ := strings.Cut(key, "/"); !again(all, source) {
			delete(waiting, key)
		}
	}
	until(t, "every event has been seen again", func() (string, bool) {
		var stands []string
		for key := range waiting {
			r, err := s.ledger.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != ledger.Delivered || r.Duplicates[event.Webhook] != 1 {
				stands = append(stands, fmt.Sprintf("%s is %s and was seen again %d times", key, r.Status, r.Duplicates[event.Webhook]))
				continue
			}
			delete(waiting, key)
			if r.Conflicts > 0 {
				t.Errorf("%s was sent again with other data", key)
			}
		}
		return strings.Join(stands, "\n"), len(waiting) == 0
	})
	for _, one := range all.all {
		if !one.again() {
			continue
		}
		if e, ok := by[one.Source+"/"+one.ID]; !ok || e.Type != one.Type {
			t.Errorf("%s %s: the destination has no event %s of that type, but %q", one.Source, one.Type, one.ID, e.Type)
		}
	}
	for _, name := range webhooks(t) {
		if got, want := count[name], all.events(name); got != want {
			t.Errorf("%s: %d events are at the destination, want %d", name, got, want)
		}
	}
	if n := len(s.arrived(t)) - before; n != len(by) {
		t.Errorf("%d lines are at the destination for %d events", n, len(by))
	}
}

// again reports whether what a source was sent again are the same events.
func again(all *shipment, source string) bool {
	return !slices.ContainsFunc(all.all, func(one sent) bool { return one.Source == source && !one.again() })
}

// missing are the sources of which not all is there.
func missing(all *shipment, events []event.Event) string {
	count := map[string]int{}
	for _, e := range events {
		count[e.Source]++
	}
	var lacking []string
	for _, one := range all.all {
		if count[one.Source] < all.events(one.Source) && !slices.Contains(lacking, one.Source) {
			lacking = append(lacking, one.Source)
		}
	}
	slices.Sort(lacking)
	return strings.Join(lacking, " ")
}
