package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

// checkPollAuth looks at how a poll's requests are authenticated.
func (l *loader) checkPollAuth(t thing, p config.Poll) {
	l.checkAPIAuth(t, nil, p.Auth, apiauth.Options{Token: p.Token, Secrets: p.Secrets, With: p.With})
}

// checkAPIAuth looks at what has an auth: at is its path. What the poller would
// refuse is a problem here, whatever it is; and so is what it would not use.
func (l *loader) checkAPIAuth(t thing, at []string, a *config.APIAuth, o apiauth.Options) {
	under := func(keys ...string) []string { return append(slices.Clone(at), keys...) }
	if a == nil {
		l.missing(t, under("auth"), "type: bearer, basic, api_key or another, or none in so many words")
		return
	}
	if a.Type == "" {
		l.missing(t, under("auth", "type"), strings.Join(apiauth.Types(), ", "))
		return
	}
	fields := apiauth.Fields(a.Type)
	if fields == nil {
		return // the schema said so
	}
	var others []string
	for _, name := range apiauth.Types() {
		others = append(others, apiauth.Fields(name)...)
	}
	slices.Sort(others)
	for _, key := range slices.Compact(others) {
		if !slices.Contains(fields, key) {
			l.foreign(t, under("auth"), a.Type, key)
		}
	}
	auth, err := apiauth.New(a, o)
	if err == nil {
		l.checkUnusedSecrets(t, at, a.Type, auth.Names(), o)
	}
	for _, m := range apiauth.Mistakes(err) {
		l.apiAuthMistake(t, at, m, o)
	}
}

// apiAuthMistake shows a mistake where the user wrote it; of a preset's auth,
// what it lacks.
func (l *loader) apiAuthMistake(t thing, at []string, m *apiauth.Mistake, o apiauth.Options) {
	path := append(slices.Clone(at), m.Path...)
	what, mend, _ := strings.Cut(m.Problem, ": ")
	switch {
	case m.Name != "" && t.has(path...):
		known := slices.Concat([]string{"token"}, slices.Collect(maps.Keys(o.Secrets)), slices.Collect(maps.Keys(o.With)))
		l.problem(t, path, fmt.Sprintf("unknown placeholder {%s}", m.Name), orElse(didYouMeanOnly(m.Name, known), mend))
	case m.OfSecret():
		l.missing(t, append(slices.Clone(at), "secrets", m.Name), "a reference such as ssm:/pushpull/"+t.path[1]+"/"+m.Name)
		return
	case m.Name != "":
		l.missing(t, append(slices.Clone(at), "with", m.Name), "auth needs it")
		return
	case m.Missing && m.Path[0] != "auth": // the token or one of secrets
		l.missing(t, path, "a reference such as ssm:/pushpull/"+t.path[1]+"/"+strings.Replace(path[len(path)-1], "token", "key", 1))
		return
	case m.Missing:
		l.missing(t, path, m.Problem)
		return
	default:
		l.problem(t, path, what, mend)
	}
	l.problems[len(l.problems)-1].Text = "" // it may be the secret
}

// checkUnusedSecrets: a reference that nothing uses is a mistake of its name, or of the type.
func (l *loader) checkUnusedSecrets(t thing, at []string, kind string, used []string, o apiauth.Options) {
	if len(o.Token) > 0 && !slices.Contains(used, "token") {
		l.atKey(t, append(slices.Clone(at), "token"), fmt.Sprintf("a token that auth %s does not use", kind), "leave it out, or choose an auth")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Secrets)) {
		if path := append(slices.Clone(at), "secrets", name); !slices.Contains(used, name) && t.has(path...) {
			l.atKey(t, path, fmt.Sprintf("auth %s does not use {%s}", kind, name), didYouMeanOnly(name, used))
		}
	}
}
