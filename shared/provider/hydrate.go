package provider

import (
	"slices"
	"strings"

	"pushpull/shared/apiauth"
)

// HydrateOf is what turns hydrate on in a source of that name, where the preset of
// a provider knows the rest, as it is written in YAML; "" where it does not.
func HydrateOf(name, source string) string {
	p, err := Load(name)
	if err != nil || p.Webhook == nil || p.Webhook.Hydrate == nil {
		return ""
	}
	place := "ssm:/pushpull/" + source + "/"
	var says, secrets, with []string
	_, lacks := apiauth.New(p.Webhook.Hydrate.Auth, apiauth.Options{})
	for _, m := range apiauth.Mistakes(lacks) {
		switch {
		case m.Name == "":
			says = append(says, "token: "+place+"key")
		case m.OfSecret():
			secrets = append(secrets, m.Name+": "+place+m.Name)
		default:
			with = append(with, m.Name+": …")
		}
	}
	for key, list := range map[string][]string{"secrets": secrets, "with": with} {
		if len(list) > 0 {
			slices.Sort(list)
			says = append(says, key+": { "+strings.Join(list, ", ")+" }")
		}
	}
	slices.Sort(says)
	return "hydrate: { " + strings.Join(says, ", ") + " }"
}
