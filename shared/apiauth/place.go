package apiauth

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Something placed is a text at its place in a request.
type placed struct{ where, name, text string }

// into puts it into the request, in the place of what is there under its name.
func (p placed) into(req *http.Request) error {
	switch p.where {
	case "query":
		kept := without(req.URL.RawQuery, p.name)
		if kept != "" {
			kept += "&"
		}
		req.URL.RawQuery = kept + url.QueryEscape(p.name) + "=" + url.QueryEscape(p.text)
		return nil
	case "cookie":
		if strings.ContainsAny(p.text, ";,\" ") || !printable(p.text) {
			return lasting("auth.value", "the cookie %s would have a character that no cookie may have", p.name)
		}
		var kept []string
		for _, c := range req.Cookies() {
			if c.Name != p.name {
				kept = append(kept, c.Name+"="+c.Value)
			}
		}
		req.Header.Set("Cookie", strings.Join(append(kept, p.name+"="+p.text), "; "))
		return nil
	case "body":
		return p.intoBody(req)
	default:
		if !printable(p.text) {
			return lasting("token", "the header %s would have a character that no header may have: store the secret again, on one line", p.name)
		}
		if strings.EqualFold(p.name, "Host") {
			req.Host = p.text
		}
		req.Header.Set(p.name, p.text)
		return nil
	}
}

// in reports whether the request carries it.
func (p placed) in(req *http.Request) bool {
	switch p.where {
	case "query":
		return req.URL.Query().Get(p.name) == p.text
	case "cookie":
		c, err := req.Cookie(p.name)
		return err == nil && c.Value == p.text
	case "body":
		var text string
		return json.Unmarshal(sentObject(req)[p.name], &text) == nil && text == p.text
	default:
		return req.Header.Get(p.name) == p.text
	}
}

// intoBody makes it a member of the JSON that the request sends.
func (p placed) intoBody(req *http.Request) error {
	doc := sentObject(req)
	if doc == nil {
		return lasting("auth.in", "the request sends no JSON object that could carry %s: say request.method and request.json", p.name)
	}
	doc[p.name] = jsonOf(p.text)
	body := jsonOf(doc)
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody() // it never fails
	req.ContentLength = int64(len(body))
	return nil
}

// sentObject has the members of the JSON object that a request sends; nil where it sends none.
func sentObject(req *http.Request) map[string]json.RawMessage {
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer body.Close() //nolint:errcheck // it was only read
	var doc map[string]json.RawMessage
	if json.NewDecoder(body).Decode(&doc) != nil {
		return nil
	}
	return doc
}

func printable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}

// Strip removes from an address the parameters that carry the credential: an API
// may show them in the address of its next page.
func (a *Authenticator) Strip(u *url.URL) {
	for _, name := range a.query {
		u.RawQuery = without(u.RawQuery, name)
	}
}

// without leaves a parameter out of a query, the rest of which stays byte by byte.
func without(query, name string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(key); pair == "" || err == nil && plain == name {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}
