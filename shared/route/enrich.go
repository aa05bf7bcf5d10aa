package route

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/jq"
	"pushpull/shared/privacy"
)

// An enrichment adds to the data what a table has for a key.
type enrichment struct {
	key   *jq.Program
	into  []string
	table config.Table
	name  string
	must  bool // a key that the table does not have is an error
}

func (t *Table) enrichment(of config.Enrich) (enrichment, error) {
	e := enrichment{name: of.Table, must: of.Missing == "dead"}
	var err error
	if e.key, err = (jq.Options{Values: 1}).Compile(of.Key); err != nil {
		return e, fmt.Errorf("key: %w", err)
	}
	if e.into, err = Into(of.Into); err != nil {
		return e, err
	}
	table, ok := t.tables[of.Table] // routes that look things up in one table share it
	if !ok {
		if table, err = t.o.Table(of.Table); err != nil {
			return e, err
		}
		t.tables[of.Table] = table
	}
	e.table = table
	return e, nil
}

// Into reads where an enrichment goes: a path of names.
func Into(path string) ([]string, error) {
	steps, err := privacy.ParsePath(path)
	if err != nil {
		return nil, fmt.Errorf("into: %w", err)
	}
	if slices.Contains(steps, privacy.Each) {
		return nil, fmt.Errorf("into: path %q leads to many places: write the names of members, such as .customer.plan", path)
	}
	return steps, nil
}

// enriched is the input with the tables' values in its data.
func (r *route) enriched(p *planner, input map[string]any) (map[string]any, error) {
	if _, ok := input["data"].(map[string]any); !ok {
		return nil, r.wrong("enrich: ", errors.New("the data are no object in JSON"))
	}
	input = maps.Clone(input)
	for _, e := range r.enrich {
		keys, err := e.key.Values(p.ctx, input)
		if err != nil {
			return nil, r.wrongIn(p, "enrich: key: ", err)
		}
		row, found := e.row(keys)
		if !found {
			if e.must {
				return nil, r.wrong("enrich: ", errors.New(e.name+" does not have the key"))
			}
			continue
		}
		value, err := jq.Decode(row)
		if err != nil {
			return nil, r.wrong("enrich: ", err)
		}
		if input["data"], err = put(input["data"], e.into, value); err != nil {
			return nil, r.wrong("enrich: into: ", err)
		}
	}
	return input, nil
}

func (e enrichment) row(keys []any) ([]byte, bool) {
	if len(keys) == 0 || keys[0] == nil {
		return nil, false
	}
	key, ok := keys[0].(string)
	if !ok { // a number is looked up as it is written
		b, err := jq.Encode(keys[0])
		if err != nil {
			return nil, false
		}
		key = string(b)
	}
	row, ok := e.table[key]
	return row, ok
}

// put gives data with a value at a path; the data themselves stay as they are.
func put(data any, into []string, value any) (any, error) {
	if len(into) == 0 {
		return value, nil
	}
	object, ok := data.(map[string]any)
	if !ok && data != nil {
		return nil, fmt.Errorf("%s leads into what is no object", "."+strings.Join(into, "."))
	}
	changed, err := put(object[into[0]], into[1:], value)
	if err != nil {
		return nil, err
	}
	object = maps.Clone(object)
	if object == nil {
		object = map[string]any{}
	}
	object[into[0]] = changed
	return object, nil
}
