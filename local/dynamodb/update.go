package dynamodb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// An update is a parsed UpdateExpression: what is done to which path.
type update struct {
	actions []action
}

type action struct {
	verb    string // SET, REMOVE, ADD, DELETE
	path    path
	operand *node // nil for REMOVE
}

func parseUpdate(text string, s *scope) (*update, error) {
	const parameter = "UpdateExpression"
	p, err := newParser(text, s)
	if err != nil {
		return nil, named(parameter, err)
	}
	u := &update{}
	seen := map[string]bool{}
	for p.tok.kind != tokenEnd {
		verb := strings.ToUpper(p.current())
		if p.tok.kind != tokenWord || !isUpdateVerb(verb) {
			return nil, named(parameter, p.syntax())
		}
		if seen[verb] {
			return nil, named(parameter, invalid("The %q section can only be used once in an update expression;", verb))
		}
		seen[verb] = true
		p.advance()
		if err := p.section(verb, u); err != nil {
			return nil, named(parameter, err)
		}
	}
	return u, named(parameter, checkClashes(u.paths()))
}

func isUpdateVerb(verb string) bool {
	return verb == "SET" || verb == "REMOVE" || verb == "ADD" || verb == "DELETE"
}

// section := action { , action }
func (p *parser) section(verb string, u *update) error {
	for {
		at, err := p.path()
		if err != nil {
			return err
		}
		a := action{verb: verb, path: at}
		if a.operand, err = p.actionOperand(verb); err != nil {
			return err
		}
		u.actions = append(u.actions, a)
		if _, err := p.count(nil); err != nil {
			return err
		}
		if !p.symbol(",") {
			return nil
		}
	}
}

func (p *parser) actionOperand(verb string) (*node, error) {
	switch verb {
	case "REMOVE":
		return nil, nil
	case "SET":
		if !p.symbol("=") {
			return nil, p.syntax()
		}
		return p.sum()
	}
	if p.tok.kind != tokenValue {
		return nil, p.syntax()
	}
	n, err := p.placeholder()
	if err != nil {
		return nil, err
	}
	k := n.value.kind
	if allowed := k.isSet() || verb == "ADD" && k == kindN; !allowed {
		return nil, invalid("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND",
			verb, longKindNames[k], verb)
	}
	return n, nil
}

var longKindNames = map[kind]string{
	kindS: "STRING", kindN: "NUMBER", kindB: "BINARY", kindBool: "BOOLEAN",
	kindNull: "NULL", kindList: "LIST", kindMap: "MAP",
}

// sum := term [ (+|-) term ]
func (p *parser) sum() (*node, error) {
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	op := operator(p.current())
	if !p.symbol("+") && !p.symbol("-") {
		return left, nil
	}
	right, err := p.term()
	if err != nil {
		return nil, err
	}
	return p.checked(&node{op: op, args: []*node{left, right}})
}

// term := value | path | function | ( sum )
func (p *parser) term() (*node, error) {
	if p.symbol("(") {
		return p.sumInParentheses()
	}
	n, err := p.operand()
	if err != nil {
		return nil, err
	}
	if _, isFunction := functions[n.op]; isFunction && !functions[n.op].updates {
		return nil, invalid("The function is not allowed in an update expression; function: %s", n.op)
	}
	return n, nil
}

func (p *parser) sumInParentheses() (*node, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	n, err := p.sum()
	if err != nil {
		return nil, err
	}
	if !p.symbol(")") {
		return nil, p.syntax()
	}
	if n.parenthesised {
		return nil, invalid("The expression has redundant parentheses;")
	}
	n.parenthesised = true
	return n, nil
}

func (u *update) paths() []path {
	paths := make([]path, len(u.actions))
	for i, a := range u.actions {
		paths[i] = a.path
	}
	return paths
}

// apply is the item after the update. Every operand is read from the item as
// it was. Elements are removed from lists last and from the end, so that each
// index means what it meant before.
func (u *update) apply(old item) (item, error) {
	out := maps.Clone(old)
	if out == nil {
		out = item{}
	}
	for _, a := range u.ordered() {
		v, keep, err := a.result(old)
		if err != nil {
			return nil, err
		}
		root := value{kind: kindMap, m: out}
		if _, err := a.change(root, a.path, v, keep); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ordered puts actions in the order in which they can be applied one by one:
// those that set, by rising index, before those that remove, by falling index.
func (u *update) ordered() []action {
	order := slices.Clone(u.actions)
	slices.SortStableFunc(order, func(a, b action) int {
		if removing := cmp.Compare(rank(a), rank(b)); removing != 0 {
			return removing
		}
		c := cmp.Compare(a.path[len(a.path)-1].index, b.path[len(b.path)-1].index)
		if a.verb == "REMOVE" {
			return -c
		}
		return c
	})
	return order
}

func rank(a action) int {
	if a.verb == "REMOVE" {
		return 1
	}
	return 0
}

func invalidPath() error {
	return invalid("The document path provided in the update expression is invalid for update")
}

// change is v with the action done at the path below it. The first container
// is the copy that apply made; those below are copied on the way.
func (a action) change(v value, at path, set value, keep bool) (value, error) {
	s := at[0]
	switch {
	case s.isIndex && v.kind == kindList:
		return a.changeList(v, at, set, keep)
	case !s.isIndex && v.kind == kindMap:
		return v, a.changeMap(v.m, at, set, keep)
	}
	return value{}, invalidPath()
}

func (a action) changeMap(m item, at path, set value, keep bool) error {
	name := at[0].name
	if len(at) == 1 {
		if keep {
			m[name] = set
		} else {
			delete(m, name)
		}
		return nil
	}
	child, found := m[name]
	if !found {
		return invalidPath()
	}
	changed, err := a.change(child.copied(), at[1:], set, keep)
	if err != nil {
		return err
	}
	m[name] = changed
	return nil
}

func (a action) changeList(v value, at path, set value, keep bool) (value, error) {
	i := at[0].index
	inside := i < len(v.list)
	switch {
	case len(at) > 1 && !inside:
		return value{}, invalidPath()
	case len(at) > 1:
		changed, err := a.change(v.list[i].copied(), at[1:], set, keep)
		if err != nil {
			return value{}, err
		}
		v.list[i] = changed
	case keep && inside:
		v.list[i] = set
	case keep:
		v.list = append(v.list, set) // beyond the end is at the end
	case inside:
		v.list = slices.Delete(v.list, i, i+1)
	}
	return v, nil
}

// copied is the value with a container of its own.
func (v value) copied() value {
	switch v.kind {
	case kindMap:
		v.m = maps.Clone(v.m)
	case kindList:
		v.list = slices.Clone(v.list)
	default: // the rest goes on below
	}
	return v
}

// result is what the action puts at its path; keep is false where it leaves
// nothing there.
func (a action) result(old item) (v value, keep bool, err error) {
	switch a.verb {
	case "REMOVE":
		return value{}, false, nil
	case "SET":
		v, err = a.operand.compute(old)
		return v, true, err
	}
	before, found := a.path.in(old)
	if a.verb == "ADD" {
		v, err = added(before, found, a.operand.value)
		return v, true, err
	}
	if !found {
		return value{}, false, nil
	}
	return without(before, a.operand.value)
}

func wrongType() error {
	return invalid("An operand in the update expression has an incorrect data type")
}

func added(before value, found bool, operand value) (value, error) {
	switch {
	case !found:
		return operand, nil
	case before.kind != operand.kind:
		return value{}, wrongType()
	case operand.kind == kindN:
		return sumOf(opPlus, before, operand)
	}
	union := slices.Clone(before.set)
	for _, member := range operand.set {
		if !slices.Contains(before.set, member) {
			union = append(union, member)
		}
	}
	v, _ := makeSet(before.kind, union)
	return v, nil
}

func without(before, operand value) (v value, keep bool, err error) {
	if before.kind != operand.kind {
		return value{}, false, wrongType()
	}
	left := slices.DeleteFunc(slices.Clone(before.set), func(member string) bool {
		return slices.Contains(operand.set, member)
	})
	return value{kind: before.kind, set: left}, len(left) > 0, nil // an empty set does not exist
}

// compute is the value of a SET's right side.
func (n *node) compute(old item) (value, error) {
	switch n.op {
	case opIfNotExists:
		if v, found := n.args[0].path.in(old); found {
			return v, nil
		}
		return n.args[1].compute(old)
	case opListAppend, opPlus, opMinus:
		left, err := n.args[0].compute(old)
		if err != nil {
			return value{}, err
		}
		right, err := n.args[1].compute(old)
		if err != nil {
			return value{}, err
		}
		if n.op == opListAppend {
			return appended(left, right)
		}
		return sumOf(n.op, left, right)
	default: // the rest goes on below
	}
	v, found := n.operand(old)
	if !found {
		return value{}, invalid("The provided expression refers to an attribute that does not exist in the item")
	}
	return v, nil
}

func appended(left, right value) (value, error) {
	if left.kind != kindList || right.kind != kindList {
		return value{}, wrongType()
	}
	return value{kind: kindList, list: slices.Concat(left.list, right.list)}, nil
}

func sumOf(op operator, left, right value) (value, error) {
	if left.kind != kindN || right.kind != kindN {
		return value{}, wrongType()
	}
	text, err := addNumbers(left.text, right.text, op == opMinus)
	return value{kind: kindN, text: text}, err
}
