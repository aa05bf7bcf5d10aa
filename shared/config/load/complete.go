package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/provider"
)

// source fills a source in and checks it.
func (l *loader) source(t thing) config.Source {
	var s config.Source
	if t.raw == nil {
		return s
	}
	if w := object(t.raw, "webhook"); w != nil {
		provider.Expand(w["event"])
		provider.ExpandHydrate(w["hydrate"])
		l.webhookPreset(t, w)
		completeWebhook(w)
	}
	polls := t.polls()
	for _, p := range polls {
		provider.Expand(p.raw["event"])
		l.pollPreset(p)
		completePoll(p.raw)
		fill(reflect.TypeFor[config.Poll](), p.raw)
		completeInterval(p.raw, t.raw["webhook"] != nil)
	}
	fill(reflect.TypeFor[config.Source](), t.raw)
	l.decode(t, &s)
	shareLimit(&s)
	l.checkSource(t, s)
	return s
}

// shareLimit has a hydrate that says no limit keep to that of a poll with the same
// credential: it is one budget.
func shareLimit(s *config.Source) {
	if s.Webhook == nil || s.Webhook.Hydrate == nil || s.Webhook.Hydrate.RateLimit != nil {
		return
	}
	h := s.Webhook.Hydrate
	for _, p := range s.Poll {
		if p.RateLimit != nil && slices.Equal(p.Token, h.Token) && maps.EqualFunc(p.Secrets, h.Secrets, slices.Equal) {
			h.RateLimit = p.RateLimit
			return
		}
	}
}

// destination fills a destination in and checks it.
func (l *loader) destination(t thing) config.Destination {
	var d config.Destination
	if t.raw == nil {
		return d
	}
	if t.raw["retry"] == nil {
		t.raw["retry"] = map[string]any{}
	}
	fill(reflect.TypeFor[config.Destination](), t.raw)
	if kind, _ := t.raw["kind"].(string); !t.has("timeout") && !slices.Contains(fieldsOf[kind], "timeout") {
		delete(t.raw, "timeout") // not this kind's
	}
	l.decode(t, &d)
	l.checkDestination(t, d)
	return d
}

// object is the mapping under a key, or nil.
func object(raw map[string]any, key string) map[string]any {
	m, _ := raw[key].(map[string]any)
	return m
}

// webhookPreset puts the preset's webhook under what the source says itself.
func (l *loader) webhookPreset(t thing, w map[string]any) {
	p, ok := l.preset(t, []string{"webhook", "provider"}, w["provider"])
	if !ok {
		l.parameters(t, w, provider.Preset{})
		return
	}
	if p.Webhook == nil {
		l.problem(t, []string{"webhook", "provider"}, fmt.Sprintf("the preset %q has no webhook", p.Name), "write auth and event yourself, or use poll")
		return
	}
	polled := slices.ContainsFunc(t.polls(), func(poll thing) bool { return poll.raw["provider"] == p.Name })
	preset := p.Webhook.Webhook
	preset.Event = new(p.Webhook.EventFor(polled))
	if object(w, "hydrate") == nil {
		preset.Hydrate = nil // a source turns it on
	}
	preset.Hint = p.Webhook.HintWithPoll && len(t.polls()) > 0
	provider.Under(w, raw(preset))
	l.parameters(t, w, p)
	l.ownToken(t, w)
}

// ownToken has a preset's scheme that shows verify_token take the source's.
func (l *loader) ownToken(t thing, w map[string]any) {
	references, ok := w["verify_token"]
	if !ok {
		references = "env:MISSING" // said; what it stands in is no second mistake
	}
	if provider.FillInToken(object(w, "auth"), references) && !ok {
		l.missing(t, []string{"webhook", "verify_token"}, "a reference such as ssm:/pushpull/"+t.path[1]+"/verify_token, with a text of your own that the address shows")
	}
}

// parameters fills {with.name} in, and asks for those that are not there.
func (l *loader) parameters(t thing, w map[string]any, p provider.Preset) {
	given := map[string]string{}
	for name, value := range object(w, "with") {
		given[name] = fmt.Sprint(value)
	}
	for _, name := range provider.FillIn(w, given) {
		l.missing(t, []string{"webhook", "with", name}, p.Parameter(name))
		given[name] = "missing" // said; what it stands in is no second mistake
	}
	provider.FillIn(w, given)
}

// pollPreset puts the preset's resource under what the source says itself.
func (l *loader) pollPreset(t thing) {
	p, ok := l.preset(t, []string{"provider"}, t.raw["provider"])
	if !ok {
		return
	}
	if p.Poll == nil {
		l.problem(t, []string{"provider"}, fmt.Sprintf("the preset %q has no poll", p.Name), "write base_url, auth, request and the rest yourself")
		return
	}
	names := slices.Sorted(maps.Keys(p.Poll.Resources))
	name, _ := t.raw["resource"].(string)
	if usual := usual(names); name == "" && usual != "" && !t.has("resource") {
		name = usual
		t.raw["resource"] = name
	}
	resource, ok := p.Poll.Resources[name]
	switch {
	case ok:
		provider.Under(t.raw, raw(resource))
	case name == "":
		l.missing(t, []string{"resource"}, "one of "+strings.Join(names, ", "))
	default:
		l.problem(t, []string{"resource"}, fmt.Sprintf("the preset %q has no resource %q", p.Name, name), didYouMean(name, names))
	}
}

// usual is the resource of a poll that names none: the events, or the only one.
func usual(names []string) string {
	switch {
	case slices.Contains(names, "events"):
		return "events"
	case len(names) == 1:
		return names[0]
	}
	return ""
}

// preset is the one named at a place of the thing, if it names one.
func (l *loader) preset(t thing, at []string, name any) (provider.Preset, bool) {
	text, _ := name.(string)
	if text == "" {
		return provider.Preset{}, false
	}
	p, err := provider.Load(text)
	switch {
	case errors.Is(err, provider.ErrUnknown):
		l.problem(t, at, fmt.Sprintf("no preset for the provider %q", text), orElse(didYouMean(text, provider.Names()), "`pushpull providers` lists those there are; of any other, say auth and event yourself"))
	case err != nil:
		l.problem(t, at, err.Error(), "")
	}
	return p, err == nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// raw is a typed value as the decoder would have it.
func raw(v any) map[string]any {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

func completeWebhook(w map[string]any) {
	ensure(w, "event")
	if h := object(w, "hydrate"); h != nil {
		completeAuth(object(h, "auth"))
	}
}

func completePoll(p map[string]any) {
	for _, key := range []string{"event", "records", "request", "pagination"} {
		ensure(p, key)
	}
	if g := object(p, "pagination"); g != nil && g["type"] == nil {
		g["type"] = "none"
	}
	completeAuth(object(p, "auth"))
}

// completeInterval fills in how the interval is set, and between which bounds.
func completeInterval(p map[string]any, pushed bool) {
	if p["adapt"] == nil {
		p["adapt"] = "none"
		if pushed {
			p["adapt"] = "misses"
		}
	}
	text, _ := p["every"].(string)
	every, err := config.ParseDuration(text)
	if err != nil {
		return // which the schema says
	}
	if p["min"] == nil {
		p["min"] = min(every, max(every/15, config.Duration(time.Minute))).String()
	}
	if p["max"] != nil {
		return
	}
	longest := 8 * every
	text, _ = object(p, "incremental")["retention"].(string)
	if retention, err := config.ParseDuration(text); err == nil && retention > 0 {
		longest = max(every, min(longest, retention/4))
	}
	p["max"] = longest.String()
}

// completeAuth fills in what a way to authenticate leaves out.
func completeAuth(auth map[string]any) {
	switch {
	case auth == nil:
	case auth["type"] == "bearer" && auth["prefix"] == nil:
		auth["prefix"] = "Bearer"
	case auth["type"] == "basic" && auth["username"] == nil && auth["password"] == nil:
		auth["username"] = "{token}"
	}
}

func ensure(raw map[string]any, key string) {
	if _, ok := raw[key]; !ok {
		raw[key] = map[string]any{}
	}
}

// fill sets what is not there to the default that the field's tag names, and
// makes texts of the scalars that a map of texts holds.
func fill(t reflect.Type, raw map[string]any) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous {
			fill(f.Type, raw)
			continue
		}
		value, there := raw[name]
		if !there {
			if d, ok := defaultOf(f); ok {
				raw[name] = d
			}
			continue
		}
		ft := f.Type
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if n, ok := value.(json.Number); ok && ft.Kind() == reflect.Int {
			// 1.0 is a whole number to the schema, but not to the decoder.
			whole, _, _ := strings.Cut(n.String(), ".")
			raw[name] = json.Number(whole)
		}
		m, ok := value.(map[string]any)
		switch {
		case !ok:
		case ft.Kind() == reflect.Map:
			texts(m)
		case ft.Kind() == reflect.Struct:
			fill(ft, m)
		}
	}
}

// texts writes the scalars of a map of texts as texts: per_page: 100.
func texts(m map[string]any) {
	for key, value := range m {
		switch value := value.(type) {
		case map[string]any:
			texts(value)
		case json.Number, bool:
			m[key] = fmt.Sprint(value)
		}
	}
}

// defaultOf reads a field's default from its tag: jsonschema:"…,default=5m".
func defaultOf(f reflect.StructField) (any, bool) {
	for part := range strings.SplitSeq(f.Tag.Get("jsonschema"), ",") {
		value, ok := strings.CutPrefix(part, "default=")
		if !ok {
			continue
		}
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch {
		case t.Kind() == reflect.Bool:
			return value == "true", true
		case t.Kind() == reflect.Int:
			return json.Number(value), true
		}
		return value, true
	}
	return nil, false
}
