package load

import (
	"regexp"
	"slices"
	"strings"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

// Needs is what a source must say of a preset's poll besides provider and resource.
type Needs struct {
	Token   bool
	Secrets []string // names of secrets
	With    []string // names of with
}

// NeedsOf finds what a poll as a preset has it still lacks.
func NeedsOf(p config.Poll) Needs {
	var n Needs
	for _, name := range authNeeds(p.Auth) {
		switch {
		case name == "secrets.token":
			n.Token = true
		case strings.HasPrefix(name, "secrets."):
			n.Secrets = append(n.Secrets, strings.TrimPrefix(name, "secrets."))
		default:
			n.With = append(n.With, name)
		}
	}
	n.With = append(n.With, requestNeeds(p)...)
	slices.Sort(n.Secrets)
	slices.Sort(n.With)
	n.With = slices.Compact(n.With)
	return n
}

// authNeeds are the names without which auth is not complete, those of secrets with
// secrets. before them. A name may be looked for only once another is there.
func authNeeds(a *config.APIAuth) []string {
	o := apiauth.Options{Secrets: map[string]config.Secrets{}, With: map[string]string{}}
	var names []string
	for {
		before := len(names)
		_, err := apiauth.New(a, o)
		for _, m := range apiauth.Mistakes(err) {
			name := m.Name
			if m.Missing && m.Path[0] != "auth" {
				name = m.Path[len(m.Path)-1]
			}
			secret := name == "token" || m.OfSecret() || m.Path[0] == "secrets"
			switch {
			case name == "":
				continue
			case name == "token":
				o.Token = config.Secrets{"ssm:/token"}
			case secret:
				o.Secrets[name] = config.Secrets{"ssm:/" + name}
			default:
				o.With[name] = "x"
			}
			if secret {
				name = "secrets." + name
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == before {
			return names
		}
	}
}

var blank = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_-]*)(?:\|text)?\}`)

// requestNeeds are the placeholders of the requests that no run fills in.
func requestNeeds(p config.Poll) []string {
	requests := []*config.Request{p.Request}
	if p.Parent != nil {
		requests = append(requests, p.Parent.Request)
	}
	if p.Detail != nil {
		requests = append(requests, p.Detail.Request)
	}
	if p.Export != nil {
		requests = append(requests, p.Export.Status, p.Export.Download)
	}
	if p.Pagination != nil && p.Pagination.Seed != nil {
		requests = append(requests, &p.Pagination.Seed.Request)
	}
	texts := []string{p.BaseURL}
	for _, r := range requests {
		if r == nil {
			continue
		}
		for _, u := range requestUses(nil, *r) {
			texts = append(texts, u.template)
		}
	}
	var names []string
	for _, text := range texts {
		for _, found := range blank.FindAllStringSubmatch(text, -1) {
			if name := found[1]; p.With[name] == "" && !slices.Contains(runNames, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
