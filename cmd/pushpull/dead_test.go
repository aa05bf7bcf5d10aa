package main

import (
	"testing"
	"time"
)

func TestDeadLettersAreChosen(t *testing.T) {
	t.Parallel()
	died := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	d := deadLetter{Key: "shop/evt_1", Source: "shop", Destination: "mail,paid/crm#2", Reason: "paid/crm#2: status 503", Since: died}
	for _, tt := range []struct {
		name   string
		choice deadChoice
		want   bool
	}{
		{"all of them", deadChoice{all: true}, true},
		{"by its source", deadChoice{source: "shop"}, true},
		{"not by another source", deadChoice{source: "sho"}, false},
		{"by its key", deadChoice{ids: []string{"shop/evt_1"}}, true},
		{"by its identity", deadChoice{ids: []string{"evt_1"}}, true},
		{"by one of its destinations", deadChoice{destination: "mail"}, true},
		{"by the destination of a route's delivery", deadChoice{destination: "crm"}, true},
		{"by a route's delivery", deadChoice{destination: "paid/crm#2"}, true},
		{"not by a part of a destination's name", deadChoice{destination: "mai"}, false},
		{"by a part of its reason", deadChoice{reason: "503"}, true},
		{"not by what its reason does not say", deadChoice{reason: "504"}, false},
		{"of a time in which it died", deadChoice{since: died, before: died.Add(1)}, true},
		{"not of a later one", deadChoice{since: died.Add(1)}, false},
		{"not of an earlier one", deadChoice{before: died}, false},
		{"by all that is said together", deadChoice{source: "shop", destination: "crm", reason: "504"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.choice.takes(d); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
