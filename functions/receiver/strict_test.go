package main

import (
	"strings"
	"testing"

	"pushpull/shared/config"
)

func TestEventsInStrictOrderGoToTheQueueThatKeepsIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		deployed          bool
		status            int
		strict, elsewhere int
	}{
		{"where it is deployed", true, 202, 1, 0},
		{"and to no other where it is not: the provider comes again", false, 503, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add("s", config.Webhook{})
			s := w.config.sources["s"]
			s.Order = "strict"
			w.config.sources["s"] = s
			strict := &fakeQueue{}
			if test.deployed {
				w.strict = strict
			}
			got := w.invoke(t.Context(), t, push{header: map[string]string{"X-Token": "the token"}, body: []byte(`{}`)}.to(t, "s"))
			if got.Status != test.status || len(strict.taken) != test.strict || len(w.queue.taken) != test.elsewhere {
				t.Errorf("%+v, %d events in order and %d elsewhere", got, len(strict.taken), len(w.queue.taken))
			}
			if !test.deployed && !strings.Contains(w.logged.String(), "StrictOrder=true") {
				t.Errorf("the log does not say how to mend it: %s", w.logged)
			}
		})
	}
}
