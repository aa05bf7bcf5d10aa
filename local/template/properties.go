package template

import (
	"fmt"
	"maps"
	"strconv"
)

// properties reads the properties of one resource and remembers which were
// read, so that the rest can be named. Errors are kept for done.
type properties struct {
	b       *builder
	where   string
	node    *node
	globals *node // defaults of Globals, merged one level deep as SAM does
	read    map[string]bool
	subs    []*properties
	err     error
}

func (p *properties) fail(err error) {
	if err != nil && p.err == nil {
		p.err = err
	}
}

func (p *properties) line() int {
	if p.node == nil {
		return 0
	}
	return p.node.line
}

// lookup finds a property, in the resource or in Globals.
func (p *properties) lookup(name string) *node {
	p.read[name] = true
	if n := p.node.field(name); n != nil {
		return n
	}
	return p.globals.field(name)
}

// value evaluates a property; nil where it is not there.
func (p *properties) value(name string) any {
	v, err := p.b.value(p.lookup(name))
	p.fail(err)
	if v == (noValue{}) {
		return nil
	}
	return v
}

func (p *properties) text(name, missing string) string {
	v := p.value(name)
	if v == nil {
		return missing
	}
	s, err := scalarText(v, p.lookup(name))
	p.fail(err)
	return s
}

func (p *properties) number(name string, missing float64) float64 {
	s := p.text(name, "")
	if s == "" {
		return missing
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		p.fail(fmt.Errorf("line %d: %s.%s is %q: a number belongs here", p.lookup(name).line, p.where, name, s))
	}
	return v
}

// texts reads a list of scalars; a single one may stand instead.
func (p *properties) texts(name string) []string {
	var out []string
	switch v := p.value(name).(type) {
	case nil:
	case []any:
		for _, item := range v {
			s, err := scalarText(item, p.lookup(name))
			p.fail(err)
			out = append(out, s)
		}
	default:
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// texts2 reads a mapping of scalars, merged with the one in Globals.
func (p *properties) texts2(name string) map[string]string {
	p.read[name] = true
	out := map[string]string{}
	for _, n := range []*node{p.globals.field(name), p.node.field(name)} {
		if n == nil {
			continue
		}
		for _, key := range n.keys {
			v, err := p.b.value(n.field(key))
			p.fail(err)
			if v == (noValue{}) {
				continue
			}
			out[key], err = scalarText(v, n.field(key))
			p.fail(err)
		}
	}
	return out
}

// sub is a property that has properties of its own.
func (p *properties) sub(name string) *properties {
	p.read[name] = true
	s := &properties{b: p.b, where: p.where + "." + name, node: p.node.field(name), globals: p.globals.field(name), read: map[string]bool{}}
	p.subs = append(p.subs, s)
	return s
}

// list is a property that is a list of such.
func (p *properties) list(name string) []*properties {
	n := p.lookup(name)
	if n == nil {
		return nil
	}
	var out []*properties
	for i, item := range n.items {
		s := &properties{b: p.b, where: fmt.Sprintf("%s.%s[%d]", p.where, name, i), node: item, read: map[string]bool{}}
		p.subs = append(p.subs, s)
		out = append(out, s)
	}
	return out
}

// skip names properties that change nothing on one machine.
func (p *properties) skip(names ...string) {
	for _, name := range names {
		p.read[name] = true
	}
}

func (p *properties) skipAll() {
	if p.node != nil {
		p.skip(p.node.keys...)
	}
}

// done returns the first error, and warns of each property that nobody read.
func (p *properties) done() error {
	unread := map[string]*node{}
	for _, n := range []*node{p.globals, p.node} {
		if n == nil {
			continue
		}
		for _, key := range n.keys {
			if !p.read[key] {
				unread[key] = n.field(key)
			}
		}
	}
	for key := range maps.Keys(unread) {
		p.b.warn(unread[key].line, "%s.%s is not understood here", p.where, key)
	}
	for _, s := range p.subs {
		p.fail(s.done())
	}
	return p.err
}
