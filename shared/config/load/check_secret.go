package load

import (
	"slices"
	"strings"

	"pushpull/shared/config"
)

// readable are the beginnings of the names that the deployed functions may read:
// the policies in template.yaml.
var readable = []string{"ssm:/pushpull/", "secretsmanager:pushpull/", "secretsmanager:/pushpull/", "env:"}

// checkReadable warns of a secret that works here, and not once it is deployed.
func (l *loader) checkReadable(t thing, at []string, refs config.Secrets) {
	if !l.inAWS {
		return
	}
	for _, ref := range refs {
		if !slices.ContainsFunc(readable, func(begin string) bool { return strings.HasPrefix(ref, begin) }) {
			l.warn(t, at, "the deployed functions may read names under /pushpull/ only", "name it so, or widen the policies in template.yaml")
		}
	}
}
