package pull

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"pushpull/shared/api"
	"pushpull/shared/config"
	"pushpull/shared/guard"
)

// A form is a request as it is configured, ready to be filled in.
type form struct {
	config.Request
	key  string // where it stands in the configuration
	base *url.URL
	with map[string]string
	uses []string // its placeholders
}

func newForm(key string, req config.Request, base *url.URL, with map[string]string) (*form, error) {
	f := &form{Request: req, key: key, base: base, with: with}
	for _, template := range templates(req) {
		for _, p := range placeholder.FindAllString(template, -1) {
			f.uses = append(f.uses, nameOf(p))
		}
	}
	var unknown []string
	for _, name := range f.uses {
		_, given := with[name]
		kind, _, _ := strings.Cut(name, ".")
		if !given && !slices.Contains(dynamic, name) && kind != "parent" && kind != "record" {
			unknown = append(unknown, name)
		}
	}
	if err := nothing(unknown); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return f, nil
}

// templates lists the texts of a request that are templates.
func templates(req config.Request) []string {
	all := []string{req.Path}
	for _, m := range []map[string]string{req.Params, req.Headers, req.Form} {
		all = slices.AppendSeq(all, maps.Values(m))
	}
	if req.GraphQL != nil {
		all = slices.AppendSeq(all, maps.Values(req.GraphQL.Variables))
	}
	var walk func(any)
	walk = func(doc any) {
		switch doc := doc.(type) {
		case string:
			all = append(all, doc)
		case map[string]any:
			for _, member := range doc {
				walk(member)
			}
		case []any:
			for _, element := range doc {
				walk(element)
			}
		}
	}
	walk(req.JSON)
	return all
}

// fill makes the request. Extra are query parameters besides those of params;
// those that are first_only are left out on later pages.
func (f *form) fill(find lookup, extra map[string]given, later bool) (api.Request, error) {
	u, err := f.address(f.find(find))
	if err != nil {
		return api.Request{}, err
	}
	query := u.Query()
	set := func(name, value string) {
		if !later || !slices.Contains(f.FirstOnly, name) {
			query.Set(name, value)
		}
	}
	for name, template := range f.Params {
		if v, ok := fill(template, f.find(find), nil); ok {
			set(name, v)
		}
	}
	for name, v := range extra {
		set(name, v.text)
	}
	u.RawQuery = query.Encode()
	return f.rest(u, find)
}

// at makes the request for a page whose address is known.
func (f *form) at(address string, find lookup) (api.Request, error) {
	u, err := url.Parse(address)
	if err != nil {
		return api.Request{}, permanent(0, "the saved page's address is not one: reset the poll")
	}
	return f.rest(u, find)
}

// rest adds what does not stand in the address.
func (f *form) rest(u *url.URL, find lookup) (api.Request, error) {
	req := api.Request{Method: f.Method, URL: u, Header: http.Header{}}
	for name, template := range f.Headers {
		v, ok := fill(template, f.find(find), nil)
		if strings.ContainsFunc(v, unicode.IsControl) {
			return api.Request{}, permanent(http.StatusNotFound, "%s.headers.%s would have a character that no header may have, and is not asked for", f.key, name)
		}
		if ok {
			req.Header.Set(name, v)
		}
	}
	kind, err := "", error(nil)
	kind, req.Body, err = f.body(f.find(find))
	if err != nil {
		return api.Request{}, permanent(0, "%s: %v", f.key, err)
	}
	if kind != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", kind)
	}
	switch {
	case req.Method != "":
	case kind != "":
		req.Method = http.MethodPost
	default:
		req.Method = http.MethodGet
	}
	return req, nil
}

// findParent looks into with first.
func (f *form) find(find lookup) lookup {
	return func(name string) (given, bool) {
		if v, ok := f.with[name]; ok {
			return given{text: v}, true
		}
		return find(name)
	}
}

// address is base_url and path. A path that is one placeholder may be a whole address.
func (f *form) address(find lookup) (*url.URL, error) {
	escape := url.PathEscape
	if placeholder.FindString(f.Path) == f.Path {
		escape = nil
	}
	written, query, has := strings.Cut(f.Path, "?")
	path, ok := fill(written, find, escape)
	if has {
		params, all := fill(query, find, url.QueryEscape)
		path, ok = path+"?"+params, ok && all
	}
	if !ok {
		return nil, permanent(0, "%s.path %q has a placeholder that stands for nothing here", f.key, f.Path)
	}
	if strings.HasPrefix(path, "https://") || strings.HasPrefix(path, "http://") {
		return parseAddress(path)
	}
	if path != "" && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "?") {
		path = "/" + path
	}
	u, err := url.Parse(f.base.String() + path)
	if err != nil {
		return nil, permanent(0, "poll.base_url and %s.path make no address", f.key)
	}
	if escape != nil && guard.Climbs(u) {
		return nil, permanent(http.StatusNotFound, "%s.path would lead elsewhere with a value such as .., and is not asked for", f.key)
	}
	return u, nil
}

func parseAddress(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, permanent(0, "what the api gives as an address is not one: check request.path")
	}
	return u, nil
}

// body is what the request carries, and its type.
func (f *form) body(find lookup) (kind string, body []byte, err error) {
	switch {
	case f.GraphQL != nil:
		doc := map[string]any{"query": f.GraphQL.Query}
		if f.GraphQL.Operation != "" {
			doc["operationName"] = f.GraphQL.Operation
		}
		variables := map[string]any{}
		for name, template := range f.GraphQL.Variables {
			if v, ok := fillJSON(template, find); ok {
				variables[name] = v
			}
		}
		if len(variables) > 0 {
			doc["variables"] = variables
		}
		body, err = json.Marshal(doc)
		return "application/json", body, err
	case f.JSON != nil:
		doc, ok := fillJSON(f.JSON, find)
		if !ok {
			doc = map[string]any{}
		}
		body, err = json.Marshal(doc)
		return "application/json", body, err
	case len(f.Form) > 0:
		fields := url.Values{}
		for name, template := range f.Form {
			if v, ok := fill(template, find, nil); ok {
				fields.Set(name, v)
			}
		}
		return "application/x-www-form-urlencoded", []byte(fields.Encode()), nil
	default:
		return "", nil, nil
	}
}
