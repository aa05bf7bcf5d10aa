package dynamodb

import (
	"maps"
	"slices"
)

// A scope holds a request's placeholders, and which of them were used: one
// that no expression uses is an error, as on AWS.
type scope struct {
	names      map[string]string
	values     map[string]value
	usedNames  map[string]bool
	usedValues map[string]bool
}

func newScope(names map[string]string, values map[string]value) *scope {
	return &scope{names: names, values: values, usedNames: map[string]bool{}, usedValues: map[string]bool{}}
}

// unused reports the placeholders that no expression used.
func (s *scope) unused() error {
	if left := missing(s.names, s.usedNames); len(left) > 0 {
		return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: %s", braced(left))
	}
	if left := missing(s.values, s.usedValues); len(left) > 0 {
		return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: %s", braced(left))
	}
	return nil
}

func missing[V any](given map[string]V, used map[string]bool) []string {
	var left []string
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !used[key] {
			left = append(left, key)
		}
	}
	return left
}

// An operator is the head of a node in an expression's tree.
type operator string

const (
	opPath    operator = "path"
	opValue   operator = "value"
	opAnd     operator = "AND"
	opOr      operator = "OR"
	opNot     operator = "NOT"
	opIn      operator = "IN"
	opBetween operator = "BETWEEN"
	opEqual   operator = "="
	opNot2    operator = "<>"
	opLess    operator = "<"
	opAtMost  operator = "<="
	opMore    operator = ">"
	opAtLeast operator = ">="
	opPlus    operator = "+"
	opMinus   operator = "-"

	opExists      operator = "attribute_exists"
	opNotExists   operator = "attribute_not_exists"
	opType        operator = "attribute_type"
	opBegins      operator = "begins_with"
	opContains    operator = "contains"
	opSize        operator = "size"
	opIfNotExists operator = "if_not_exists"
	opListAppend  operator = "list_append"
)

// A node is part of an expression. Placeholders are resolved as it is parsed.
type node struct {
	op    operator
	path  path  // of opPath
	value value // of opValue
	args  []*node

	parenthesised bool
}

// yields is what a node is worth: a truth value or an attribute value.
func (n *node) isCondition() bool {
	switch n.op {
	case opPath, opValue, opSize, opPlus, opMinus, opIfNotExists, opListAppend:
		return false
	default: // the rest goes on below
	}
	return true
}

// operandText is a node as AWS writes it in messages.
func (n *node) operandText() string {
	switch n.op {
	case opPath:
		return n.path.String()
	case opValue:
		return "AttributeValue: {" + n.value.kind.String() + ":" + n.value.text + "}"
	default: // the rest goes on below
	}
	return string(n.op)
}

// paths calls visit for each path in the expression.
func (n *node) paths(visit func(path)) {
	if n == nil {
		return
	}
	if n.op == opPath {
		visit(n.path)
	}
	for _, arg := range n.args {
		arg.paths(visit)
	}
}

// same reports whether two operands are the same path.
func (n *node) samePath(other *node) bool {
	return n.op == opPath && other.op == opPath && n.path.equal(other.path)
}

// named puts the parameter's name before what is wrong with an expression.
func named(parameter string, err error) error {
	if e, ok := err.(*apiError); ok && e.code == codeValidation { //nolint:errorlint // made here, never wrapped
		return invalid("Invalid %s: %s", parameter, e.message)
	}
	return err
}
