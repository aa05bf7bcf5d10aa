package privacy

import (
	"context"
	"encoding/json"

	"github.com/tidwall/gjson"
)

// masked stands in place of what is masked.
const masked = `"***"`

// A writer writes one event's data anew. What no path leads to stays byte for
// byte as it was written.
type writer struct {
	ctx     context.Context
	rules   *Rules
	key     []byte   // of hash and tokenise
	data    *dataKey // of encrypt
	changed bool
	err     error // the first
}

// prepare gets the keys that the rules need.
func (w *writer) prepare() (err error) {
	if w.rules.needsKey {
		if w.key, err = w.rules.env.secret(w.ctx, w.rules.key); err != nil {
			return err
		}
	}
	if w.rules.needsData {
		w.data, err = w.rules.env.dataKey(w.ctx, w.rules.kms, w.rules.key)
	}
	return err
}

// value appends v with everything done that n and what is below it say. A
// member that is there twice is hidden twice: nobody knows which one is read.
func (w *writer) value(dst []byte, v gjson.Result, n *node) []byte {
	switch {
	case n == nil:
		return append(dst, v.Raw...)
	case n.do != nothing:
		return w.replace(dst, v, n)
	case v.IsObject() && n.members != nil:
		dst = append(dst, '{')
		first := true
		v.ForEach(func(name, member gjson.Result) bool {
			below := n.members[name.Str]
			if below != nil && below.do == drop {
				w.changed = true
				return true
			}
			dst = comma(dst, &first)
			dst = append(append(dst, name.Raw...), ':')
			dst = w.value(dst, member, below)
			return true
		})
		return append(dst, '}')
	case v.IsArray() && n.items != nil:
		dst = append(dst, '[')
		first := true
		v.ForEach(func(_, item gjson.Result) bool {
			if n.items.do == drop {
				w.changed = true
				return true
			}
			dst = comma(dst, &first)
			dst = w.value(dst, item, n.items)
			return true
		})
		return append(dst, ']')
	}
	return append(dst, v.Raw...)
}

func comma(dst []byte, first *bool) []byte {
	if !*first {
		dst = append(dst, ',')
	}
	*first = false
	return dst
}

// replace appends what stands in place of v. Null says nothing, and stays.
func (w *writer) replace(dst []byte, v gjson.Result, n *node) []byte {
	if v.Type == gjson.Null {
		return append(dst, v.Raw...)
	}
	w.changed = true
	switch n.do {
	case mask:
		return append(dst, masked...)
	case encrypt:
		text, err := w.data.seal(w.rules.env.o.Rand, []byte(v.Raw))
		if err != nil && w.err == nil {
			w.err = err
		}
		return append(append(append(dst, '"'), text...), '"')
	default:
		return w.scalars(dst, v, n)
	}
}

// scalars hashes or tokenises v, or each value within it.
func (w *writer) scalars(dst []byte, v gjson.Result, n *node) []byte {
	switch {
	case v.IsObject():
		dst = append(dst, '{')
		first := true
		v.ForEach(func(name, member gjson.Result) bool {
			dst = append(append(comma(dst, &first), name.Raw...), ':')
			dst = w.scalars(dst, member, n)
			return true
		})
		return append(dst, '}')
	case v.IsArray():
		dst = append(dst, '[')
		first := true
		v.ForEach(func(_, item gjson.Result) bool {
			dst = w.scalars(comma(dst, &first), item, n)
			return true
		})
		return append(dst, ']')
	case v.Type == gjson.Null:
		return append(dst, v.Raw...)
	case n.do == hash:
		return appendHash(dst, w.key, plain(v))
	default:
		return appendToken(dst, w.key, v)
	}
}

// plain is a value as text: 17 and "17" are one value.
func plain(v gjson.Result) string {
	if v.Type == gjson.String {
		return v.Str
	}
	return v.Raw
}

func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""` // a text can always be written
	}
	return string(b)
}
