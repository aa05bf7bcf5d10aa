package dynamodb

import (
	"slices"
	"strings"
)

// A kind is the type of an attribute value. Its number is part of what is on
// disk: add at the end, never reorder.
type kind byte

const (
	kindNone kind = iota
	kindS
	kindN
	kindB
	kindBool
	kindNull
	kindList
	kindMap
	kindSS
	kindNS
	kindBS
)

var kindNames = [...]string{"", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}

func (k kind) String() string { return kindNames[k] }

func kindNamed(name string) kind {
	return kind(max(0, slices.Index(kindNames[:], name))) //nolint:gosec // at most 10
}

func (k kind) isSet() bool { return k == kindSS || k == kindNS || k == kindBS }

// isKey reports whether values of the kind can be a key, and be ordered.
func (k kind) isKey() bool { return k == kindS || k == kindN || k == kindB }

// setOf is the kind of the set whose members have kind k.
func setOf(k kind) kind {
	switch k {
	case kindS:
		return kindSS
	case kindN:
		return kindNS
	case kindB:
		return kindBS
	default: // the rest goes on below
	}
	return kindNone
}

// A value is one attribute value. It is never changed once made, so items may
// share values: update copies the containers on its way.
type value struct {
	kind kind
	bool bool
	text string   // S; N in canonical form; B as its bytes
	set  []string // SS, NS, BS: sorted, so that equal sets are equal slices
	list []value
	m    item // M
}

// An item is a table's row, or a map inside one.
type item map[string]value

func stringValue(s string) value { return value{kind: kindS, text: s} }

// compareScalars orders two values of one key kind.
func compareScalars(k kind, a, b string) int {
	if k == kindN {
		return compareNumbers(a, b)
	}
	return strings.Compare(a, b)
}

func (v value) equal(w value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case kindBool:
		return v.bool == w.bool
	case kindNull:
		return true
	case kindList:
		return slices.EqualFunc(v.list, w.list, value.equal)
	case kindMap:
		return v.m.equal(w.m)
	case kindSS, kindNS, kindBS:
		return slices.Equal(v.set, w.set)
	default:
		return v.text == w.text
	}
}

func (it item) equal(other item) bool {
	if len(it) != len(other) {
		return false
	}
	for name, v := range it {
		w, found := other[name]
		if !found || !v.equal(w) {
			return false
		}
	}
	return true
}

// makeSet sorts members; duplicate reports that one was there twice.
func makeSet(k kind, members []string) (v value, duplicate bool) {
	member := kindS
	if k == kindNS {
		member = kindN
	}
	slices.SortFunc(members, func(a, b string) int { return compareScalars(member, a, b) })
	for i := 1; i < len(members); i++ {
		if members[i] == members[i-1] {
			return value{}, true
		}
	}
	return value{kind: k, set: members}, false
}
