package dynamodb

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// holds evaluates a condition against an item; nil is always true. What is
// missing or of another type makes a comparison false, never an error.
func (n *node) holds(it item) bool {
	if n == nil {
		return true
	}
	switch n.op {
	case opAnd:
		return !slices.ContainsFunc(n.args, func(arg *node) bool { return !arg.holds(it) })
	case opOr:
		return slices.ContainsFunc(n.args, func(arg *node) bool { return arg.holds(it) })
	case opNot:
		return !n.args[0].holds(it)
	case opExists, opNotExists:
		_, found := n.args[0].path.in(it)
		return found == (n.op == opExists)
	default: // the rest goes on below
	}
	first, found := n.args[0].operand(it)
	if n.op == opNot2 {
		second, alsoFound := n.args[1].operand(it)
		return !found || !alsoFound || !first.equal(second)
	}
	if !found {
		return false
	}
	return n.relates(first, it)
}

// relates evaluates an operator whose first operand is there.
func (n *node) relates(first value, it item) bool {
	matches := func(i int, relation func(first, second value) bool) bool {
		second, found := n.args[i].operand(it)
		return found && relation(first, second)
	}
	switch n.op {
	case opEqual:
		return matches(1, value.equal)
	case opIn:
		for i := 1; i < len(n.args); i++ {
			if matches(i, value.equal) {
				return true
			}
		}
		return false
	case opBetween:
		return matches(1, ordered(func(c int) bool { return c >= 0 })) &&
			matches(2, ordered(func(c int) bool { return c <= 0 }))
	case opLess:
		return matches(1, ordered(func(c int) bool { return c < 0 }))
	case opAtMost:
		return matches(1, ordered(func(c int) bool { return c <= 0 }))
	case opMore:
		return matches(1, ordered(func(c int) bool { return c > 0 }))
	case opAtLeast:
		return matches(1, ordered(func(c int) bool { return c >= 0 }))
	case opType:
		return matches(1, func(v, name value) bool { return v.kind.String() == name.text })
	case opBegins:
		return matches(1, func(v, prefix value) bool {
			return v.kind == prefix.kind && (v.kind == kindS || v.kind == kindB) && strings.HasPrefix(v.text, prefix.text)
		})
	case opContains:
		return matches(1, contains)
	default: // the rest goes on below
	}
	return false
}

func ordered(want func(order int) bool) func(a, b value) bool {
	return func(a, b value) bool {
		return a.kind == b.kind && a.kind.isKey() && want(compareScalars(a.kind, a.text, b.text))
	}
}

// contains finds text in text, a member in a set, or an element in a list.
func contains(v, part value) bool {
	switch {
	case v.kind == kindList:
		return slices.ContainsFunc(v.list, part.equal)
	case v.kind.isSet():
		return v.kind == setOf(part.kind) && slices.Contains(v.set, part.text)
	case v.kind == kindS || v.kind == kindB:
		return v.kind == part.kind && strings.Contains(v.text, part.text)
	}
	return false
}

// operand is the value of a path, a placeholder or size(); found is false
// where there is none.
func (n *node) operand(it item) (v value, found bool) {
	switch n.op {
	case opValue:
		return n.value, true
	case opPath:
		return n.path.in(it)
	case opSize:
		of, found := n.args[0].operand(it)
		if !found {
			return value{}, false
		}
		return sizeOf(of)
	default: // the rest goes on below
	}
	return value{}, false
}

// sizeOf is what size() gives: the length of text in UTF-16 units, as AWS,
// being Java, counts; of other things their bytes, members or elements.
func sizeOf(v value) (value, bool) {
	n := 0
	switch v.kind {
	case kindS:
		for _, r := range v.text {
			n += utf16.RuneLen(r)
		}
	case kindB:
		n = len(v.text)
	case kindList:
		n = len(v.list)
	case kindMap:
		n = len(v.m)
	case kindSS, kindNS, kindBS:
		n = len(v.set)
	default:
		return value{}, false
	}
	return value{kind: kindN, text: strconv.Itoa(n)}, true
}
