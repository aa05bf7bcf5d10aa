package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/body"
	"pushpull/shared/config"
	configload "pushpull/shared/config/load"
	"pushpull/shared/event"
	"pushpull/shared/provider"
	"pushpull/shared/pull"
)

// A fixture is what one resource of a preset asks its API at noon, what the API
// answers, and what comes of it: testdata/poll/NAME.RESOURCE.yaml.
type fixture struct {
	// With are the values of the {names}.
	With map[string]string `json:"with"`
	// Initial is how far back the first run reads, where a sample is older than a day.
	Initial string `json:"initial"`
	// Pages are the exchanges of the first run, in order: those of parents and details too.
	Pages []exchange `json:"pages"`
	// Events are what the first run gives out.
	Events []polled `json:"events"`
	// Again is the first request of the next run.
	Again exchange `json:"again"`
	// Then are the events of the next run, where again has an answer: for a list that
	// gives nothing out at first.
	Then []polled `json:"then"`
	// Sample is the type of a sample of the webhook half that tells the same as one
	// of the records. In a page or an event, {{sample}} is that sample's body, and
	// {{sample.path}} a value of it; what its webhook gives must be among the events,
	// where it stands as {sample: true}, with a type where the poll has other words for it.
	Sample string `json:"sample"`
}

// An exchange is a request and its answer.
type exchange struct {
	// Ask is the method, the path and the query, decoded, its parameters sorted.
	Ask string `json:"ask"`
	// Headers are some of the request's.
	Headers map[string]string `json:"headers"`
	// Send is the body: JSON, or the text of a form.
	Send any `json:"send"`
	// Status is 200 by default.
	Status int `json:"status"`
	// Answered are headers of the answer.
	Answered map[string]string `json:"answered"`
	// Answer is its body.
	Answer string `json:"answer"`
}

// A polled is an event as the fixture expects it.
type polled struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Entity  string `json:"entity"`
	Version string `json:"version"`
	Time    string `json:"time"`
	Deleted bool   `json:"deleted"`
	Sample  bool   `json:"sample"`
}

func fixtures(t *testing.T) map[string]fixture {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "poll", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]fixture, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var f fixture
		if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict(), yaml.UseJSONUnmarshaler()); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = f
	}
	return all
}

func TestEveryPollSaysHowItWasCheckedAndHasAFixture(t *testing.T) {
	t.Parallel()
	all := fixtures(t)
	known := map[string]bool{}
	for _, name := range provider.Names() {
		p, err := provider.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Poll == nil {
			continue
		}
		if v := p.Poll.Verified; v.How == "" || v.By != provider.ByDocumentation && v.By != provider.ByRecalled {
			t.Errorf("%s: poll.verified must say by (documentation or recalled) and how", name)
		}
		if len(p.Poll.Setup) == 0 || !strings.Contains(strings.Join(p.Poll.Setup, " "), "{secret}") && needsToken(*p.Poll) {
			t.Errorf("%s: poll.setup must say what to do for a credential, and that it goes to {secret}", name)
		}
		for resource := range p.Poll.Resources {
			known[name+"."+resource] = true
			if _, ok := all[name+"."+resource]; !ok {
				t.Errorf("no testdata/poll/%s.%s.yaml", name, resource)
			}
		}
	}
	for name := range all {
		if !known[name] {
			t.Errorf("testdata/poll/%s.yaml is of no preset's resource", name)
		}
	}
}

func needsToken(p provider.Poll) bool {
	for _, r := range p.Resources {
		if takesToken(r.Auth) {
			return true
		}
	}
	return false
}

// takesToken tells whether a way to authenticate has {token}, which some have by default.
func takesToken(a *config.APIAuth) bool {
	if slices.Contains(apiauth.Placeholders(a), "token") {
		return true
	}
	switch a.Type {
	case "bearer":
		return true
	case "api_key":
		return a.Value == "" && len(a.Keys) == 0
	case "basic":
		return a.Username == "" && a.Password == ""
	case "jwt_bearer", "hmac":
		return a.Key == ""
	}
	return false
}

// Each resource runs as a source has it, against what its API answers.
func TestEveryPollReadsWhatItsAPIAnswers(t *testing.T) {
	t.Parallel()
	for name, f := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of, resource, _ := strings.Cut(name, ".")
			f.run(t, of, resource)
		})
	}
}

func (f fixture) run(t *testing.T, name, resource string) {
	t.Helper()
	poll := f.configured(t, name, resource)
	pushed := f.pair(t, name)
	identifier, err := event.Compile(*poll.Event)
	if err != nil {
		t.Fatal(err)
	}
	identify := func(record []byte) event.Fields {
		return identifier.Identify(event.Input{Body: record, DefaultType: name})
	}
	peer := &stub{t: t, pages: f.Pages}
	s, err := pull.New(poll, pull.Options{
		API: api.Options{
			Client: &http.Client{Transport: peer}, Now: func() time.Time { return noon },
			Sleep: func(context.Context, time.Duration) error { return nil },
		},
		Identity: func(record []byte) (string, error) { return identify(record).ID, nil },
		Entity:   func(record []byte) (string, error) { return identify(record).Entity, nil },
		Snapshot: blank{},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []polled
	var last pull.State
	for page, err := range s.Run(t.Context(), pull.State{}) {
		if err != nil {
			t.Fatalf("the first run: %v", err)
		}
		for _, r := range page.Records {
			got = append(got, describe(identify(r.Data), r))
		}
		last = page.Next
	}
	if n := len(peer.pages); n > 0 {
		t.Errorf("the first run ended with %d requests to go: next %s", n, peer.pages[0].Ask)
	}
	want := slices.Clone(f.Events)
	for i := range want {
		if want[i].Sample {
			if i >= len(got) {
				t.Fatalf("only %d events: %v", len(got), got)
			}
			f.compare(t, pushed, want[i].Type, got[i])
			want[i] = got[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events: %s", diff)
	}
	peer.pages = []exchange{f.Again}
	var then []polled
	for page := range s.Run(t.Context(), last) {
		for _, r := range page.Records {
			then = append(then, describe(identify(r.Data), r))
		}
	}
	if diff := cmp.Diff(f.Then, then); f.Again.Answer != "" && diff != "" {
		t.Errorf("events of the next run: %s", diff)
	}
	if len(peer.pages) > 0 {
		t.Error("the next run asked for nothing")
	}
}

// configured is the poll as a source has it that names the preset and the resource.
func (f fixture) configured(t *testing.T, name, resource string) config.Poll {
	t.Helper()
	p, err := provider.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	poll := map[string]any{"provider": name, "resource": resource}
	secrets := map[string]string{}
	auth := p.Poll.Resources[resource].Auth
	needed := apiauth.Placeholders(auth)
	if auth.Grant == "refresh_token" && auth.RefreshToken == "" {
		needed = append(needed, "refresh_token")
	}
	for _, secret := range needed {
		switch _, given := f.With[secret]; {
		case given, strings.HasPrefix(secret, "key."):
		case secret == "token":
		default:
			secrets[secret] = "ssm:/pushpull/tried/" + secret
		}
	}
	if takesToken(auth) {
		poll["token"] = "ssm:/pushpull/tried/token"
	}
	if f.Initial != "" {
		poll["incremental"] = map[string]any{"initial": f.Initial}
	}
	if len(f.With) > 0 {
		poll["with"] = f.With
	}
	if len(secrets) > 0 {
		poll["secrets"] = secrets
	}
	text, err := yaml.Marshal(map[string]any{
		"sources":      map[string]any{"tried": map[string]any{"poll": poll}},
		"destinations": map[string]any{"here": map[string]any{"kind": "file", "path": "events.ndjson"}},
		"routes":       []any{map[string]any{"from": []string{"tried"}, "to": []string{"here"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg, problems := configload.Load([]configload.File{{Name: "tried.yaml", Data: text}})
	for _, problem := range configload.Errors(problems) {
		t.Errorf("%s", problem)
	}
	if t.Failed() {
		t.FailNow()
	}
	return cfg.Sources["tried"].Poll[0]
}

// pair fills in what the answers take from a sample, and is what its webhook gives.
func (f fixture) pair(t *testing.T, name string) (pushed event.Fields) {
	t.Helper()
	if f.Sample == "" {
		return pushed
	}
	c := load(t, name)
	i := slices.IndexFunc(c.preset.Samples, func(s provider.Sample) bool { return s.Type == f.Sample })
	if i < 0 {
		t.Fatalf("the preset has no sample of the type %q", f.Sample)
	}
	identifier, err := event.Compile(c.preset.Webhook.EventFor(true))
	if err != nil {
		t.Fatal(err)
	}
	r := c.request(t, c.preset.Samples[i])
	part := c.first(t, r.Body, r.Header.Get("Content-Type"))
	query, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(texts ...*string) {
		for _, text := range texts {
			*text = fromSample(t, *text, part.View)
		}
	}
	for i := range f.Pages {
		fill(&f.Pages[i].Ask, &f.Pages[i].Answer)
		for name, value := range f.Pages[i].Answered {
			f.Pages[i].Answered[name] = fromSample(t, value, part.View)
		}
	}
	for i := range f.Events {
		fill(&f.Events[i].ID, &f.Events[i].Entity, &f.Events[i].Version, &f.Events[i].Time)
	}
	return identifier.Identify(event.Input{
		Body: part.View, Root: part.Root, Parent: part.Parent, Data: part.Data,
		Header: r.Header.Get, Query: query.Get, DefaultType: name,
	})
}

// first is the first event of a webhook's body.
func (c candidate) first(t *testing.T, text []byte, contentType string) body.Part {
	t.Helper()
	var spec config.Body
	if c.hook.Body != nil {
		spec = *c.hook.Body
	}
	reader, err := body.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	message := reader.Read(text, contentType)
	if message.Unreadable != nil || len(message.Parts) == 0 {
		t.Fatalf("the sample has no event: %v", message.Unreadable)
	}
	return message.Parts[0]
}

// fromSample fills {{sample}} and {{sample.path}} in.
func fromSample(t *testing.T, text string, sample []byte) string {
	t.Helper()
	for {
		before, after, found := strings.Cut(text, "{{sample")
		if !found {
			return text
		}
		path, rest, _ := strings.Cut(after, "}}")
		value := gjson.ParseBytes(sample)
		if path != "" {
			value = value.Get(path[1:])
		}
		if !value.Exists() {
			t.Fatalf("the sample has nothing at %q", path)
		}
		if value.IsObject() || value.IsArray() {
			text = before + value.Raw + rest
		} else {
			text = before + value.String() + rest
		}
	}
}

// compare: typ is the type in the poll's words, where they are not the webhook's.
func (f fixture) compare(t *testing.T, pushed event.Fields, typ string, got polled) {
	t.Helper()
	if f.Sample == "" {
		t.Fatal("an event is said to be the sample's, and no sample is named")
	}
	if typ == "" {
		typ = pushed.Type
	}
	want := polled{ID: pushed.ID, Type: typ, Entity: pushed.Entity, Version: got.Version, Time: got.Time}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the webhook and the poll tell of one event in two ways: %s", diff)
	}
}

func describe(f event.Fields, r pull.Record) polled {
	p := polled{ID: f.ID, Type: f.Type, Entity: f.Entity, Version: f.Version, Deleted: r.Deleted}
	if r.Change != "" {
		p.Entity = r.Entity
	}
	if !f.Time.IsZero() {
		p.Time = f.Time.Format(time.RFC3339Nano)
	}
	return p
}

// A stub answers the requests of a fixture, in order.
type stub struct {
	t     *testing.T
	mu    sync.Mutex
	pages []exchange
}

var errUnasked = errors.New("nothing more is asked for here")

// RoundTrip compares the request with the one that is next.
func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pages) == 0 {
		return nil, errUnasked
	}
	page := s.pages[0]
	s.pages = s.pages[1:]
	if diff := cmp.Diff(page.Ask, asked(r)); diff != "" {
		s.t.Errorf("asked: %s", diff)
	}
	for name, want := range page.Headers {
		if got := r.Header.Get(name); got != want {
			s.t.Errorf("%s: the header %s is %q, want %q", page.Ask, name, got, want)
		}
	}
	if diff := cmp.Diff(normal(s.t, page.Send), sent(s.t, r)); diff != "" {
		s.t.Errorf("%s: sent: %s", page.Ask, diff)
	}
	header := http.Header{"Date": {noon.Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	for name, value := range page.Answered {
		header.Set(name, value)
	}
	status := page.Status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Header: header, Request: r,
		Body: io.NopCloser(strings.NewReader(page.Answer)), ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// asked is a request as Ask has it.
func asked(r *http.Request) string {
	query := r.URL.Query()
	var params []string
	for name, values := range query {
		for _, value := range values {
			params = append(params, name+"="+value)
		}
	}
	slices.Sort(params)
	text := r.Method + " " + r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	if len(params) > 0 {
		text += "?" + strings.Join(params, "&")
	}
	return text
}

func sent(t *testing.T, r *http.Request) any {
	t.Helper()
	if r.Body == nil {
		return nil
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	if len(text) == 0 {
		return nil
	}
	var doc any
	if json.Unmarshal(text, &doc) != nil {
		return string(text)
	}
	if query := gjson.GetBytes(text, "query"); query.Type == gjson.String {
		delete(doc.(map[string]any), "query") // a document: its variables are what is sent
	}
	return doc
}

// normal is a document of YAML as one of JSON.
func normal(t *testing.T, doc any) any {
	t.Helper()
	if doc == nil {
		return nil
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// blank is a snapshot that remembers nothing.
type blank struct{}

func (blank) Lookup(context.Context, []string) (map[string]pull.Entry, error) { return nil, nil }
func (blank) Commit(context.Context, string, []pull.Entry) error              { return nil }
func (blank) Gone(context.Context, []string, string) ([]pull.Entry, string, error) {
	return nil, "", nil
}
