package replay

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// leastSecret is how long a value must be to be taken for a secret, in bytes:
// replacing shorter ones would garble everything.
const leastSecret = 4

// names of parameters that carry credentials, in whatever address they stand.
const names = `access_token|auth_token|api[-_]?key|apikey|client_secret|password|refresh_token|secret|session_token|sig|signature|token|` +
	`awsaccesskeyid|x-amz-credential|x-amz-security-token|x-amz-signature|x-goog-credential|x-goog-signature`

var (
	parameterName = regexp.MustCompile(`(?i)^(?:` + names + `)$`)
	// An address may stand in JSON, where & may be \u0026, or in XML, where it is &amp;.
	parameter = regexp.MustCompile(`(?i)((?:^|[?&]|\\u0026|&amp;)(?:` + names + `)=)([^&#"'\s<>\\]+)`)
	member    = regexp.MustCompile(`(?i)("(?:access_token|auth_token|api[-_]?key|client_secret|id_token|password|private_key|refresh_token|secret_key|session_token)"\s*:\s*")((?:[^"\\]|\\.)+)"`)
	telling   = regexp.MustCompile(`(?i)key|password|secret|token`) // names of members of a secret that are secret
	private   = regexp.MustCompile(`(?i)cookie|authorization|authenticat`)
	escape    = regexp.MustCompile(`%[0-9A-F]{2}`)
	redacted  = regexp.MustCompile(`redacted-\d+`)
)

// A Scrubber cuts secrets out of texts. One value becomes one name everywhere,
// redacted-1, so that what belongs together still does. It is safe for concurrent use.
type Scrubber struct {
	mu     sync.Mutex
	names  map[string]string // by value
	values []form
	known  map[string]bool // the secrets
}

// A form is how a secret may be written, and what stands there instead.
type form struct{ text, name string }

// NewScrubber knows the secrets besides what its names give away.
func NewScrubber(secrets ...string) *Scrubber {
	s := &Scrubber{names: map[string]string{}, known: map[string]bool{}}
	for _, secret := range secrets {
		s.Learn(secret)
	}
	return s
}

// Learn adds a secret. Of a JSON document, such as a service account's, its
// members that are secret are learnt, too.
func (s *Scrubber) Learn(secret string) {
	secret = strings.TrimSpace(secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.learn(secret)
	var document map[string]any
	if json.Unmarshal([]byte(secret), &document) != nil {
		return
	}
	for name, value := range document {
		if text, ok := value.(string); ok && telling.MatchString(name) {
			s.learn(text)
		}
	}
}

func (s *Scrubber) learn(secret string) {
	if len(secret) < leastSecret || s.known[secret] {
		return
	}
	s.known[secret] = true
	name := s.name(secret)
	for _, text := range written(secret) {
		s.values = append(s.values, form{text, name})
	}
	slices.SortStableFunc(s.values, func(a, b form) int { return cmp.Compare(len(b.text), len(a.text)) })
}

// written are the ways to write a value.
func written(value string) []string {
	all := []string{
		value, html.EscapeString(value),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value)} {
		all = append(all, escaped, escape.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	if quoted, err := json.Marshal(value); err == nil {
		text := strings.Trim(string(quoted), `"`)
		all = append(all, text, strings.ReplaceAll(text, "/", `\/`))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// name is what stands for a value.
func (s *Scrubber) name(value string) string {
	if redacted.FindString(value) == value {
		return value
	}
	if s.names[value] == "" {
		s.names[value] = fmt.Sprintf("redacted-%d", len(s.names)+1)
	}
	return s.names[value]
}

// Text is a text without what is secret in it.
func (s *Scrubber) Text(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.values {
		text = strings.ReplaceAll(text, v.text, v.name)
	}
	text = parameter.ReplaceAllStringFunc(text, func(found string) string {
		parts := parameter.FindStringSubmatch(found)
		return parts[1] + s.name(parts[2])
	})
	return member.ReplaceAllStringFunc(text, func(found string) string {
		parts := member.FindStringSubmatch(found)
		return parts[1] + s.name(parts[2]) + `"`
	})
}

// URL is an address without what is secret in it.
func (s *Scrubber) URL(u *url.URL) string {
	plain := *u
	plain.User = nil
	return s.Text(plain.String())
}

// Header is an answer's without those that are secret by their names, and what is
// secret in the others.
func (s *Scrubber) Header(h http.Header) http.Header {
	kept := http.Header{}
	for name, values := range h {
		if private.MatchString(name) {
			continue
		}
		for _, value := range values {
			kept[name] = append(kept[name], s.Text(value))
		}
	}
	return kept
}
