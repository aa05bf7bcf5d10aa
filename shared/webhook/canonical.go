package webhook

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/form"
)

// canonicals are the forms of a request that no template could write, by their
// placeholder. To add one: its line here, and in docs/webhooks.md.
var canonicals = map[string]func(*view) (string, bool){
	"sorted_form":       sortedForm,
	"sorted_params":     sortedParams,
	"php_form":          phpForm,
	"canonical_request": canonicalRequest,
	"sorted_url":        sortedURL,
}

// wholeForm is the fields of an urlencoded body; false where the body is
// something else, of which the fields would say nothing.
func wholeForm(v *view) (url.Values, bool) {
	if len(v.r.Body) == 0 {
		return url.Values{}, true
	}
	if form.Media(v.r.Header.Get("Content-Type")) != form.URLEncoded {
		return nil, false
	}
	fields := v.form()
	return fields, fields != nil
}

// sortedForm is each field's name and value, sorted by name, joined by nothing;
// of a name that is there several times its distinct values, sorted.
func sortedForm(v *view) (string, bool) {
	fields, ok := wholeForm(v)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		values := slices.Sorted(slices.Values(fields[name]))
		for _, value := range slices.Compact(values) {
			b.WriteString(name + value)
		}
	}
	return b.String(), true
}

// signatureFields are names under which a form carries its own signature: what
// is signed leaves them out.
var signatureFields = []string{"sig", "signature", "p_signature"}

// sortedParams is &name=value of query and form, sorted by name, without the
// signature; & and = within a value are written _. A name that is there twice
// has no place in it, so such a request is refused: it would not be signed.
func sortedParams(v *view) (string, bool) {
	all := maps.Clone(v.query())
	if all == nil {
		all = url.Values{}
	}
	if fields, ok := wholeForm(v); ok {
		for name, values := range fields {
			all[name] = append(slices.Clip(all[name]), values...)
		}
	} else if !scalars(v.json(), all) {
		return "", false
	}
	inert := strings.NewReplacer("&", "_", "=", "_")
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(signatureFields, name) {
			continue
		}
		value, ok := single(all, name)
		if !ok {
			return "", false
		}
		b.WriteString("&" + name + "=" + inert.Replace(value))
	}
	return b.String(), b.Len() > 0
}

// scalars copies the members of a flat JSON object; false where it is none.
func scalars(document []byte, to url.Values) bool {
	object := gjson.ParseBytes(document)
	flat := object.IsObject()
	object.ForEach(func(name, value gjson.Result) bool {
		flat = flat && !value.IsObject() && !value.IsArray() && to[name.Str] == nil
		to[name.Str] = []string{value.String()}
		return flat
	})
	return flat
}

// phpForm is the form without its signature as PHP's serialize writes it. Of a
// field that is there twice PHP knows the last alone, so such a form is refused.
func phpForm(v *view) (string, bool) {
	fields, ok := wholeForm(v)
	if !ok {
		return "", false
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(fields)), func(name string) bool {
		return slices.Contains(signatureFields, name)
	})
	var b strings.Builder
	text := func(s string) { b.WriteString("s:" + strconv.Itoa(len(s)) + `:"` + s + `";`) }
	b.WriteString("a:" + strconv.Itoa(len(names)) + ":{")
	for _, name := range names {
		value, ok := single(fields, name)
		if !ok {
			return "", false
		}
		text(name)
		text(value)
	}
	b.WriteString("}")
	return b.String(), len(names) > 0
}

// listedHeaders is name:value of the headers that the header lists, sorted,
// joined by semicolons, names in small letters.
func listedHeaders(v *view, header string) (string, bool) {
	list := v.r.Header.Get(header)
	if list == "" {
		return "", false
	}
	names := strings.Split(strings.ToLower(list), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + ":" + strings.TrimSpace(v.r.Header.Get(name))
	}
	return strings.Join(names, ";"), true
}

// canonicalRequest is METHOD&path&query, the query sorted and encoded, several
// values of a name joined by commas, the parameter jwt left out.
func canonicalRequest(v *view) (string, bool) {
	params := v.query()
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == "jwt" {
			continue
		}
		values := slices.Sorted(slices.Values(params[name]))
		for i := range values {
			values[i] = percent(values[i])
		}
		pairs = append(pairs, percent(name)+"="+strings.Join(values, ","))
	}
	path := strings.TrimSuffix(v.r.Path, "/")
	if path == "" {
		path = "/"
	}
	return strings.ToUpper(v.r.Method) + "&" + strings.ReplaceAll(path, "&", "%26") + "&" + strings.Join(pairs, "&"), true
}

// percent encodes as RFC 3986 does: a space is %20.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// sortedURL is the address with its parameters sorted by name, and behind it,
// for a POST, a dot and the form, sorted, name and value joined by nothing.
func sortedURL(v *view) (string, bool) {
	base, _, _ := strings.Cut(v.r.URL, "?")
	params, fields := v.query(), url.Values{}
	if v.r.Method == "POST" {
		var ok bool
		if fields, ok = wholeForm(v); !ok {
			return "", false
		}
	}
	if len(params) == 0 && len(fields) == 0 {
		return base, base != ""
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		for _, value := range slices.Sorted(slices.Values(params[name])) {
			pairs = append(pairs, name+"="+value)
		}
	}
	var text strings.Builder
	text.WriteString(base + "?" + strings.Join(pairs, "&"))
	if len(pairs) > 0 && len(fields) > 0 {
		text.WriteByte('.')
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, value := range slices.Sorted(slices.Values(fields[name])) {
			text.WriteString(name + value)
		}
	}
	return text.String(), base != ""
}
