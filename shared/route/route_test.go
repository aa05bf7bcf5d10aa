package route

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pushpull/shared/config"
)

func TestTo(t *testing.T) {
	t.Parallel()
	type names = config.Names
	for _, test := range []struct {
		name   string
		routes []config.Route
		want   []string
	}{
		{"no routes take nothing", nil, nil},
		{"a route of another source takes nothing", []config.Route{{From: names{"stripe"}, To: names{"crm"}}}, nil},
		{"a route that names the source takes it", []config.Route{{From: names{"stripe", "github"}, To: names{"crm"}}}, []string{"crm"}},
		{"a route from all takes it", []config.Route{{From: names{"*"}, To: names{"archive"}}}, []string{"archive"}},
		{"every route that matches adds its destinations, sorted, each once", []config.Route{
			{From: names{"github"}, To: names{"warehouse", "crm"}},
			{From: names{"*"}, To: names{"crm", "archive"}},
			{From: names{"github"}, To: names{"audit"}},
			{From: names{"stripe"}, To: names{"ledger"}},
		}, []string{"archive", "audit", "crm", "warehouse"}},
		{"naming the source and all at once is one route", []config.Route{{From: names{"*", "github"}, To: names{"crm"}}}, []string{"crm"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := New(test.routes).To("github")
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
