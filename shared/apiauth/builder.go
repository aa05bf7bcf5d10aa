package apiauth

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/config"
)

// A builder makes an authenticator and gathers the mistakes.
type builder struct {
	*Authenticator
	mistakes []error
}

func (b *builder) wrong(key, format string, args ...any) {
	b.mistakes = append(b.mistakes, &Mistake{Path: path(key), Problem: fmt.Sprintf(format, args...)})
}

// need notes a key that is not there.
func (b *builder) need(key, value, belongs string) {
	if value == "" {
		b.mistakes = append(b.mistakes, &Mistake{Path: path(key), Problem: belongs, Missing: true})
	}
}

// path is that of a key of auth: params.audience.
func path(key string) []string {
	return append([]string{"auth"}, strings.SplitN(key, ".", 2)...)
}

// template reads one, whose placeholders are secrets, with, or the kind's own.
func (b *builder) template(key, text string, own ...string) template {
	t, problem := parseTemplate(text)
	if problem != "" {
		b.wrong(key, "%s", problem)
		return nil
	}
	for _, p := range t {
		if p.name != "" && !slices.Contains(own, p.name) {
			b.known(key, p.name, own)
		}
	}
	return t
}

// known notes a secret as used, and a name that nothing gives a value as a mistake.
func (b *builder) known(key, name string, own []string) {
	if root, _, dotted := strings.Cut(name, "."); dotted && slices.Contains(own, root+".") {
		return
	}
	if _, ok := b.o.With[name]; ok {
		return
	}
	if refs, ok := b.o.Secrets[name]; ok && len(refs) > 0 {
		b.secrets[name] = refs
		return
	}
	if name != "token" {
		b.mistakes = append(b.mistakes, &Mistake{Path: path(key), Name: name, Problem: fmt.Sprintf("{%s} has no value: give it one in secrets or with", name)})
		return
	}
	if b.secrets["token"] = b.o.Token; len(b.o.Token) == 0 {
		delete(b.secrets, "token")
		b.mistakes = append(b.mistakes, &Mistake{Path: []string{"token"}, Missing: true, Problem: "a reference such as ssm:/pushpull/name/key"})
	}
}

// secret reads a template that is worth nothing without a secret.
func (b *builder) secret(key, text string) template {
	before := len(b.mistakes)
	t := b.template(key, text)
	for _, p := range t {
		if _, ok := b.secrets[p.name]; ok {
			return t
		}
	}
	if text != "" && len(b.mistakes) == before {
		b.wrong(key, `a secret is never written here: write "{token}", or the name of one of secrets in braces`)
	}
	return t
}

// templates reads those of a map, in the order of their names.
func (b *builder) templates(key string, texts map[string]string, own ...string) map[string]template {
	out := make(map[string]template, len(texts))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		out[name] = b.template(key+"."+name, texts[name], own...)
	}
	return out
}

// or is the text, or the other where there is none.
func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// all are the templates of a map, and others.
func all(m map[string]template, more ...template) []template {
	return append(slices.Collect(maps.Values(m)), more...)
}

// Placeholders are the names that the texts of auth have in braces, sorted,
// without filters.
func Placeholders(a *config.APIAuth) []string {
	if a == nil {
		return nil
	}
	texts := []string{
		a.Username, a.Password, a.Value, a.TokenURL, a.ClientID, a.ClientSecret, a.Key, a.KeyID, a.Signed,
		a.Region, a.AccessKey, a.SecretKey, a.SessionToken, a.Certificate, a.PrivateKey,
	}
	for _, m := range []map[string]string{a.Keys, a.Params, a.Claims, a.Headers} {
		texts = slices.AppendSeq(texts, maps.Values(m))
	}
	if r := a.Login; r != nil {
		texts = append(texts, r.Path)
		for _, m := range []map[string]string{r.Params, r.Headers, r.Form} {
			texts = slices.AppendSeq(texts, maps.Values(m))
		}
		if r.GraphQL != nil {
			texts = slices.AppendSeq(texts, maps.Values(r.GraphQL.Variables))
		}
		eachText(r.JSON, func(text string) { texts = append(texts, text) })
	}
	var names []string
	for _, text := range texts {
		t, _ := parseTemplate(text)
		for _, p := range t {
			if p.name != "" {
				names = append(names, p.name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
