package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/privacy"
)

type names = config.Names

// keys is a store with one key, or one that does not answer.
type keys string

func (k keys) All(context.Context, []string) ([]string, error) {
	if k == "" {
		return nil, errors.New("the store does not answer")
	}
	return []string{string(k)}, nil
}

var plans = config.Table{"cus_1": json.RawMessage(`{"plan":"gold","seats":5}`), "17": json.RawMessage(`"seventeen"`)}

func options(store keys) Options {
	return Options{
		Privacy: privacy.NewEnv(privacy.Options{Secrets: store, Now: time.Now}),
		Table: func(name string) (config.Table, error) {
			if name != "plans.csv" {
				return nil, config.ErrUnknown
			}
			return plans, nil
		},
	}
}

func invoice() event.Event {
	return event.Event{
		ID: "evt_1", Source: "stripe", Type: "invoice.paid", Time: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC), Subject: "in_1",
		Transport: event.Webhook, ContentType: "application/json",
		Data: []byte(`{"customer":"cus_1","email":"ann@example.com","total":1.50,"lines":[{"sku":"a"},{"sku":"b"}]}`),
	}
}

// shown is a plan in few words: each target with its data, or why there are none.
func shown(p Plan) (lines []string) {
	for _, t := range p.Targets {
		what := string(t.Event.Data)
		if t.Err != nil {
			what = "! " + t.Err.Error()
		}
		id := ""
		if t.Event.ID != "evt_1" {
			id = " " + t.Event.ID
		}
		lines = append(lines, t.Name+" → "+t.Destination+id+": "+what)
	}
	for _, why := range p.Dropped {
		lines = append(lines, "dropped by "+why)
	}
	return lines
}

func TestPlan(t *testing.T) {
	t.Parallel()
	from, to := names{"stripe"}, names{"crm"}
	whole := string(invoice().Data)
	for _, test := range []struct {
		name   string
		routes []config.Route
		want   []string
	}{
		{"no routes take nothing", nil, nil},
		{"a route of another source takes nothing", []config.Route{{From: names{"github"}, To: to}}, nil},
		{"a route that names the source takes it as it is", []config.Route{{From: names{"github", "stripe"}, To: to}}, []string{"crm → crm: " + whole}},
		{"a route from all takes it", []config.Route{{From: names{"*"}, To: to}}, []string{"crm → crm: " + whole}},
		{"every route that matches adds its destinations, sorted, each once", []config.Route{
			{From: from, To: names{"mail", "crm"}}, {From: names{"*", "stripe"}, To: names{"crm", "archive"}}, {From: names{"github"}, To: names{"audit"}},
		}, []string{"archive → archive: " + whole, "crm → crm: " + whole, "mail → mail: " + whole}},
		{
			"a named route's delivery is its own",
			[]config.Route{{Name: "paid", From: from, To: to}, {From: from, To: to}},
			[]string{"crm → crm: " + whole, "paid/crm → crm: " + whole},
		},
		{
			"a condition holds",
			[]config.Route{{From: from, When: `.type == "invoice.paid" and .data.total > 1 and .subject == "in_1" and .version == null and .time < "2027"`, To: to}},
			[]string{"crm → crm: " + whole},
		},
		{
			"a condition does not",
			[]config.Route{{Name: "big", From: from, When: ".data.total > 100", To: to}, {From: from, When: "false", To: to}},
			[]string{"dropped by when of big", "dropped by when of routes[1]"},
		},
		{
			"a condition that breaks names its route and shows nothing of the data",
			[]config.Route{{From: from, When: ".data.email | tonumber", To: to}},
			[]string{"crm → crm: ! route routes[0]: when: jq .data.email | tonumber: tonumber cannot be applied to this value"},
		},
		{
			"where another route takes it there as well, it goes there",
			[]config.Route{{From: from, When: ".data.email | tonumber", To: to}, {From: from, To: to}, {From: from, When: ".data.email | tonumber", To: to}},
			[]string{"crm → crm: " + whole},
		},
		{
			"a transform makes the data, its numbers exact",
			[]config.Route{{Name: "paid", From: from, Transform: "{id, total: .data.total}", To: to}},
			[]string{`paid/crm → crm: {"id":"evt_1","total":1.50}`},
		},
		{"a transform without output drops it", []config.Route{{Name: "paid", From: from, Transform: "empty", To: to}}, []string{"dropped by transform of paid"}},
		{
			"a transform with two outputs is a mistake",
			[]config.Route{{Name: "paid", From: from, Transform: "1, 2", To: to}},
			[]string{"paid/crm → crm: ! route paid: transform: jq 1, 2: the expression makes too many values of this input: more than 1"},
		},
		{"a split makes events of its parts", []config.Route{{Name: "lines", From: from, Split: ".data.lines[]", To: names{"crm", "mail"}}}, []string{
			`lines/crm#1 → crm evt_1/1: {"sku":"a"}`, `lines/crm#2 → crm evt_1/2: {"sku":"b"}`,
			`lines/mail#1 → mail evt_1/1: {"sku":"a"}`, `lines/mail#2 → mail evt_1/2: {"sku":"b"}`,
		}},
		{
			"a split makes a hundred at most",
			[]config.Route{{Name: "lines", From: from, Split: "range(101)", To: to}},
			[]string{"lines/crm → crm: ! route lines: split: jq range(101): the expression makes too many values of this input: more than 100"},
		},
		{"a table adds what it has for the key", []config.Route{{Name: "rich", From: from, Enrich: []config.Enrich{
			{Table: "plans.csv", Key: ".data.customer", Into: ".customer_plan.now"}, {Table: "plans.csv", Key: "17", Into: ".n"}, {Table: "plans.csv", Key: ".data.email", Into: ".none"},
		}, Transform: ".data | {customer_plan, n}", To: to}}, []string{`rich/crm → crm: {"customer_plan":{"now":{"plan":"gold","seats":5}},"n":"seventeen"}`}},
		{
			"a key that must be there and is not",
			[]config.Route{{Name: "rich", From: from, Enrich: []config.Enrich{{Table: "plans.csv", Key: ".data.email", Into: ".plan", Missing: "dead"}}, To: to}},
			[]string{"rich/crm → crm: ! route rich: enrich: plans.csv does not have the key"},
		},
		{
			"what is no object takes nothing in",
			[]config.Route{{Name: "rich", From: from, Enrich: []config.Enrich{{Table: "plans.csv", Key: ".data.customer", Into: ".email.plan"}}, To: to}},
			[]string{"rich/crm → crm: ! route rich: enrich: into: .plan leads into what is no object"},
		},
		{
			"a table that is not there",
			[]config.Route{{Name: "rich", From: from, Enrich: []config.Enrich{{Table: "none.csv", Key: ".id", Into: ".plan"}}, To: to}},
			[]string{"rich/crm → crm: ! route rich: enrich: not in the configuration"},
		},
		{
			"privacy comes behind the transform",
			[]config.Route{{Name: "paid", From: from, Transform: "{mail: .data.email}", Privacy: &config.Privacy{Mask: config.Paths{".mail"}}, To: to}},
			[]string{`paid/crm → crm: {"mail":"***"}`},
		},
		{
			"data that are not as the schema says are dead",
			[]config.Route{{Name: "paid", From: from, Schema: &config.Schema{Inline: json.RawMessage(`{"properties":{"total":{"type":"string"}}}`)}, To: to}},
			[]string{"paid/crm → crm: ! route paid: not as the schema says: .total is number, not string"},
		},
		{
			"or dropped, each part by itself",
			[]config.Route{{Name: "lines", From: from, Split: ".data.lines[]", Schema: &config.Schema{OnFail: "drop", Inline: json.RawMessage(`{"properties":{"sku":{"const":"b"}}}`)}, To: to}},
			[]string{`lines/crm#2 → crm evt_1/2: {"sku":"b"}`, "dropped by schema of lines"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := New(test.routes, options("key"))
			for range 2 { // a retry has the same answer
				if diff := cmp.Diff(test.want, shown(table.Plan(t.Context(), invoice())), cmpopts.EquateEmpty()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestDataThatPassWithAMarkSaySo(t *testing.T) {
	t.Parallel()
	table := New([]config.Route{{Name: "paid", From: names{"stripe"}, To: names{"crm"}, Schema: &config.Schema{OnFail: "pass", Inline: json.RawMessage(`{"required":["vat"]}`)}}}, options("key"))
	p := table.Plan(t.Context(), invoice())
	if got := p.Targets[0]; p.Invalid != 1 || got.Err != nil || got.Event.SchemaError != "not as the schema says: the data lacks vat" {
		t.Errorf("%+v", p)
	}
}

func TestABodyThatIsNotJSONHasTheDataNull(t *testing.T) {
	t.Parallel()
	e := invoice()
	e.ContentType, e.Data = "text/plain", []byte("not JSON")
	p := New([]config.Route{
		{Name: "made", From: names{"*"}, When: ".data == null", Transform: "{type, data}", To: names{"crm"}},
		{Name: "rich", From: names{"*"}, Enrich: []config.Enrich{{Table: "plans.csv", Key: ".id", Into: ".plan"}}, To: names{"crm"}},
		{Name: "safe", From: names{"*"}, Privacy: &config.Privacy{Mask: config.Paths{".a"}}, To: names{"crm"}},
		{From: names{"*"}, To: names{"crm"}},
	}, options("key")).Plan(t.Context(), e)
	want := []string{
		"crm → crm: not JSON",
		`made/crm → crm: {"data":null,"type":"invoice.paid"}`,
		"rich/crm → crm: ! route rich: enrich: the data are no object in JSON",
		"safe/crm → crm: null",
	}
	if diff := cmp.Diff(want, shown(p)); diff != "" {
		t.Error(diff)
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "privacy of safe hid all") {
		t.Error(p.Notes)
	}
	if made := p.Targets[1].Event; made.ContentType != "application/json" {
		t.Error(made.ContentType)
	}
}

func TestWhatMayPassIsToldFromWhatIsForGood(t *testing.T) {
	t.Parallel()
	hash := &config.Privacy{Hash: config.Paths{".email"}, Key: config.Secrets{"env:KEY"}}
	routes := []config.Route{{Name: "hashed", From: names{"*"}, Privacy: hash, To: names{"crm"}}, {Name: "made", From: names{"*"}, Transform: "last(range(1e9))", To: names{"crm"}}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for _, target := range New(routes, options("")).Plan(ctx, invoice()).Targets {
		if target.Err == nil || !target.Passes {
			t.Errorf("%s: %v, passes: %v", target.Name, target.Err, target.Passes)
		}
	}
	for _, target := range New(routes[1:], options("")).Plan(t.Context(), invoice()).Targets {
		if target.Err == nil || target.Passes {
			t.Errorf("%s: %v, passes: %v", target.Name, target.Err, target.Passes)
		}
	}
}

func TestExpressionsRunOneAfterTheOther(t *testing.T) {
	t.Parallel()
	table := New([]config.Route{{Name: "made", From: names{"*"}, Transform: ".id", To: names{"crm"}}, {From: names{"*"}, To: names{"crm"}}}, options("key"))
	table.turn <- struct{}{} // another event's are at work
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	p := table.Plan(ctx, invoice())
	if plain, made := p.Targets[0], p.Targets[1]; plain.Err != nil || made.Err == nil || !made.Passes {
		t.Errorf("%v; what needs none goes on, what does waits: %v", plain.Err, made.Err)
	}
	<-table.turn
	if p := table.Plan(t.Context(), invoice()); p.Targets[1].Err != nil {
		t.Error(p.Targets[1].Err)
	}
}

func TestAPartOfALongIdentityHasOneThatFits(t *testing.T) {
	t.Parallel()
	if id := partID(strings.Repeat("a", event.MaxID), 7); len(id) > event.MaxID || !strings.HasSuffix(id, "/7") {
		t.Error(id)
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, bench := range []struct {
		name  string
		route config.Route
	}{
		{"as it is", config.Route{}},
		{"when", config.Route{When: `.type | startswith("invoice.")`}},
		{"transform", config.Route{Name: "paid", Transform: "{id, total: .data.total, lines: [.data.lines[].sku]}"}},
		{"privacy", config.Route{Name: "paid", Privacy: &config.Privacy{Hash: config.Paths{".customer", ".email"}, Key: config.Secrets{"env:KEY"}}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bench.route.From, bench.route.To = names{"*"}, names{"crm"}
			table, e := New([]config.Route{bench.route}, options("key")), invoice()
			for b.Loop() {
				if p := table.Plan(b.Context(), e); len(p.Targets) != 1 || p.Targets[0].Err != nil {
					b.Fatal(shown(p))
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for i := range b.N {
		r := config.Route{
			Name: "paid", From: names{"*"}, To: names{"crm"}, When: `.type | startswith("invoice.")`,
			Transform: fmt.Sprintf("{id, n: %d, total: .data.total, lines: [.data.lines[].sku]}", i),
		}
		New([]config.Route{r}, options("key")).of("stripe")
	}
}
