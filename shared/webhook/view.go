package webhook

import (
	"bytes"
	"net/url"

	"github.com/tidwall/gjson"

	"pushpull/shared/event"
	"pushpull/shared/form"
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
		v.document = jsonOf(v.plain())
	}
	return v.document
}

// jsonOf is a text as JSON, nil where it is none. A byte order mark, which some
// write before it, is no part of it.
func jsonOf(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !event.ValidJSON(text) {
		return nil
	}
	return text
}

// path is a value of the body as text, by a path of gjson's; false where it is
// absent, or no scalar.
func (v *view) path(path string) (string, bool) {
	return event.Value(v.json(), path)
}

// form is the fields of the body, where its type says that it has some.
func (v *view) form() url.Values {
	if !v.parsed {
		v.parsed = true
		v.fields = form.Exact(v.r.Header.Get("Content-Type"), v.plain())
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
