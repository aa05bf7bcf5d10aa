package webhook

import (
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/event"
)

// A view reads a request for templates. What is parsed, is parsed when a
// template asks for it and once: most schemes need the raw bytes alone.
type view struct {
	r           *Request
	item        []byte // the element of the body that {body.…} is about, with each; nil is the whole
	timestamp   string // as it was written, since that is what was signed
	secret      string // of a digest
	signature   string // of a reply
	verifyToken string // of a reply

	document []byte // the body as JSON; nil where it is none
	looked   bool
	fields   url.Values // of a form or a multipart
	parsed   bool
	params   url.Values // of the query
	queried  bool
}

// plain is the body after its content encoding was undone.
func (v *view) plain() []byte {
	if v.r.Plain != nil {
		return v.r.Plain
	}
	return v.r.Body
}

// json is the body, or the element, as JSON; nil where it is none.
func (v *view) json() []byte {
	if v.item != nil {
		return v.item
	}
	if !v.looked {
		v.looked = true
		if body := v.plain(); event.ValidJSON(body) {
			v.document = body
		}
	}
	return v.document
}

// path is a value of the body as text, by a path of gjson's; false where it is
// absent, or no scalar.
func (v *view) path(path string) (string, bool) {
	found := gjson.GetBytes(v.json(), path)
	switch found.Type {
	case gjson.String:
		return found.Str, true
	case gjson.Number, gjson.True, gjson.False:
		return found.Raw, true
	default:
		return "", false
	}
}

// form is the fields of the body, where its type says that it has some.
func (v *view) form() url.Values {
	if !v.parsed {
		v.parsed = true
		v.fields = readForm(v.r.Header.Get("Content-Type"), v.plain())
	}
	return v.fields
}

// query is the parameters, decoded. What cannot be decoded is not there.
func (v *view) query() url.Values {
	if !v.queried {
		v.queried = true
		v.params, _ = url.ParseQuery(v.r.RawQuery)
	}
	return v.params
}

// single is the value of a name that is there once: of a name that is there
// twice one reader takes the first and another the last, so nothing rests on it.
func single(values url.Values, name string) (string, bool) {
	if all := values[name]; len(all) == 1 {
		return all[0], true
	}
	return "", false
}

// escapePath writes a path as gjson wants it: steps are names or indexes, a dot
// within a name is written \. by the user.
func escapePath(path string) string {
	var steps []string
	step := ""
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			step += string(path[i])
		case path[i] == '.':
			steps = append(steps, gjson.Escape(step))
			step = ""
		default:
			step += path[i : i+1]
		}
	}
	return strings.Join(append(steps, gjson.Escape(step)), ".")
}

// maxKeys bounds what duplicateKey remembers of a hostile body.
const maxKeys = 100_000

// duplicateKey reports whether an object in the document has a member twice, or
// is too large or too deep to tell. Where single fields are signed, not the
// bytes, a second member of a name would be what others read.
func duplicateKey(document []byte) bool {
	seen := 0
	return duplicateIn(gjson.ParseBytes(document), 0, &seen)
}

func duplicateIn(value gjson.Result, depth int, seen *int) (found bool) {
	if depth > 100 || *seen > maxKeys {
		return true
	}
	if !value.IsObject() && !value.IsArray() {
		return false
	}
	object, names := value.IsObject(), map[string]bool{}
	value.ForEach(func(key, child gjson.Result) bool {
		*seen++
		if object {
			found = names[key.Str]
			names[key.Str] = true
		}
		found = found || duplicateIn(child, depth+1, seen)
		return !found
	})
	return found
}
