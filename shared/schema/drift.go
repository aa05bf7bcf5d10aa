package schema

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// mostUnknown bounds what one document, or one hour, can report.
const mostUnknown = 20

// drift finds members that no schema speaks of.
type drift struct{ found map[string]bool }

// value looks at a value of which the schemas speak.
func (d drift) value(v any, schemas []*jsonschema.Schema, path string) {
	if len(d.found) >= mostUnknown {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		all := within(schemas)
		if !slices.ContainsFunc(all, func(s *jsonschema.Schema) bool { return len(s.Properties) > 0 }) {
			return // any members are right
		}
		for name, member := range v {
			at := path + pathStep(name)
			speak, known := members(all, name)
			if !known {
				d.found[at] = true
			}
			d.value(member, speak, at)
		}
	case []any:
		all := within(schemas)
		for i, item := range v {
			d.value(item, items(all, i), path+"[]")
		}
	}
}

// within are the schemas and all that they are made of.
func within(schemas []*jsonschema.Schema) (all []*jsonschema.Schema) {
	var add func(s *jsonschema.Schema)
	add = func(s *jsonschema.Schema) {
		if s == nil || slices.Contains(all, s) {
			return
		}
		all = append(all, s)
		for _, one := range []*jsonschema.Schema{s.Ref, s.If, s.Then, s.Else} {
			add(one)
		}
		if s.DynamicRef != nil {
			add(s.DynamicRef.Ref)
		}
		for _, some := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
			for _, one := range some {
				add(one)
			}
		}
		for _, one := range s.DependentSchemas {
			add(one)
		}
	}
	for _, s := range schemas {
		add(s)
	}
	return all
}

// members are what the schemas say of a member.
func members(all []*jsonschema.Schema, name string) (speak []*jsonschema.Schema, known bool) {
	for _, s := range all {
		if p, ok := s.Properties[name]; ok {
			speak, known = append(speak, p), true
		}
		for pattern, p := range s.PatternProperties {
			if pattern.MatchString(name) {
				speak, known = append(speak, p), true
			}
		}
		if p, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && p.Bool == nil {
			speak, known = append(speak, p), true
		}
	}
	return speak, known
}

// items are what the schemas say of the item at i.
func items(all []*jsonschema.Schema, i int) (speak []*jsonschema.Schema) {
	for _, s := range all {
		switch {
		case i < len(s.PrefixItems):
			speak = append(speak, s.PrefixItems[i])
		case s.Items2020 != nil:
			speak = append(speak, s.Items2020)
		}
	}
	return speak
}

// pathStep is a step as it is shown. A name that is not like one in a schema may
// be a value, such as an address, and is not.
func pathStep(name string) string {
	switch {
	case name != "" && strings.Trim(name, "0123456789") == "":
		return "[]"
	case name == "" || len(name) > 64 || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_-$") != "":
		return ".*"
	}
	return "." + name
}

// A Drift gathers the unknown paths of each source and gives them out once an
// hour: the first at once. It is safe for concurrent use.
type Drift struct {
	mu      sync.Mutex
	sources map[string]*drifted
}

type drifted struct {
	paths map[string]bool
	next  time.Time
}

const driftEvery = time.Hour

// Note takes what one event's data had, and returns what is to be told now, if anything is.
func (d *Drift) Note(source string, unknown []string, now time.Time) []string {
	if len(unknown) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	of := d.sources[source]
	if of == nil {
		if d.sources == nil {
			d.sources = map[string]*drifted{}
		}
		of = &drifted{paths: map[string]bool{}}
		d.sources[source] = of
	}
	for _, path := range unknown {
		if len(of.paths) < mostUnknown {
			of.paths[path] = true
		}
	}
	if now.Before(of.next) {
		return nil
	}
	told := make([]string, 0, len(of.paths))
	for path := range of.paths {
		told = append(told, path)
	}
	slices.Sort(told)
	of.paths, of.next = map[string]bool{}, now.Add(driftEvery)
	return told
}
