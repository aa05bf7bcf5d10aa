package dynamodb

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"
)

// item reads attributes by name. A number is made canonical, a set sorted;
// what AWS refuses in a value is refused here, once.
func (r *reader) item() (item, error) {
	it := make(item)
	err := r.object(func(name string) error {
		v, err := r.value()
		if err != nil {
			return err
		}
		it[name] = v
		return nil
	})
	return it, err
}

// value reads {"S": "text"}: exactly one type.
func (r *reader) value() (value, error) {
	v := value{}
	err := r.object(func(name string) error {
		if r.null() {
			return nil
		}
		if v.kind != kindNone {
			return invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		k := kindNamed(name)
		if k == kindNone {
			return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes (found %q)", name)
		}
		var err error
		v, err = r.valueOf(k)
		return err
	})
	if err == nil && v.kind == kindNone {
		err = invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	return v, err
}

func (r *reader) valueOf(k kind) (value, error) {
	v := value{kind: k}
	var err error
	switch k {
	case kindBool:
		v.bool, err = r.bool()
	case kindNull:
		if v.bool, err = r.bool(); err == nil && !v.bool {
			err = invalidValue("Null attribute value types must have the value of true")
		}
		v.bool = false
	case kindList:
		v.list = []value{}
		err = r.array(func() error {
			e, err := r.value()
			v.list = append(v.list, e)
			return err
		})
	case kindMap:
		v.m, err = r.item()
	case kindSS, kindNS, kindBS:
		return r.set(k)
	default:
		v.text, err = r.scalar(k)
	}
	return v, err
}

// scalar reads the content of an S, N or B.
func (r *reader) scalar(k kind) (string, error) {
	if k == kindN && r.peek() != '"' {
		return "", r.malformed("expected a number as text, as in {\"N\": \"1\"}")
	}
	s, err := r.string()
	if err != nil {
		return "", err
	}
	switch k {
	case kindN:
		return canonicalNumber(s)
	case kindB:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return "", r.malformed("text that is not base64")
		}
		return string(b), nil
	default: // the rest goes on below
	}
	return s, nil
}

var memberKinds = map[kind]kind{kindSS: kindS, kindNS: kindN, kindBS: kindB}

var setNames = map[kind]string{kindSS: "string", kindNS: "number", kindBS: "binary"}

func (r *reader) set(k kind) (value, error) {
	var members []string
	err := r.array(func() error {
		s, err := r.scalar(memberKinds[k])
		members = append(members, s)
		return err
	})
	if err != nil {
		return value{}, err
	}
	if len(members) == 0 {
		return value{}, invalidValue("An %s set  may not be empty", setNames[k])
	}
	given := slices.Clone(members)
	v, duplicate := makeSet(k, members)
	if duplicate {
		switch k {
		case kindNS:
			return value{}, invalid("Input collection contains duplicates")
		case kindBS:
			return value{}, invalidValue("Input collection of type BS contains duplicates.")
		default: // the rest goes on below
		}
		return value{}, invalidValue("Input collection %s contains duplicates.", bracketed(given))
	}
	return v, nil
}

// appendItemJSON writes attributes in the order of their names.
func appendItemJSON(b []byte, it item) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(it)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendTextJSON(b, name), ':')
		b = appendValueJSON(b, it[name])
	}
	return append(b, '}')
}

func appendValueJSON(b []byte, v value) []byte {
	b = append(b, '{', '"')
	b = append(b, v.kind.String()...)
	b = append(b, '"', ':')
	switch v.kind {
	case kindBool:
		if v.bool {
			b = append(b, "true"...)
		} else {
			b = append(b, "false"...)
		}
	case kindNull:
		b = append(b, "true"...)
	case kindList:
		b = append(b, '[')
		for i, e := range v.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValueJSON(b, e)
		}
		b = append(b, ']')
	case kindMap:
		b = appendItemJSON(b, v.m)
	case kindSS, kindNS, kindBS:
		b = append(b, '[')
		for i, s := range v.set {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendScalarJSON(b, memberKinds[v.kind], s)
		}
		b = append(b, ']')
	default:
		b = appendScalarJSON(b, v.kind, v.text)
	}
	return append(b, '}')
}

func appendScalarJSON(b []byte, k kind, s string) []byte {
	if k == kindB {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, []byte(s))
		return append(b, '"')
	}
	return appendTextJSON(b, s)
}

// appendTextJSON quotes; text that needs an escape goes the long way.
func appendTextJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil { // never, for a string
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
