package load

import (
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/privacy"
)

// checkPrivacy is of a source or a route.
func (l *loader) checkPrivacy(t thing, p *config.Privacy) {
	if p == nil {
		return
	}
	at := []string{"privacy"}
	if _, err := privacy.NewEnv(privacy.Options{}).Open(p); err != nil {
		for line := range strings.Lines(err.Error()) {
			l.problem(t, at, strings.TrimSpace(line), "")
		}
	}
	if len(p.Mask)+len(p.Hash)+len(p.Drop)+len(p.Tokenise)+len(p.Encrypt) == 0 {
		l.problem(t, at, "nothing is hidden", "name paths in mask, hash, drop, tokenise or encrypt, or leave it out")
	}
	if keyed := len(p.Hash)+len(p.Tokenise) > 0 || len(p.Encrypt) > 0 && p.KMS == privacy.Local; keyed && len(p.Key) == 0 {
		l.missing(t, append(at, "key"), "the reference to a secret that stays the same, such as ssm:/pushpull/privacy")
	}
	if len(p.Key) > 1 {
		l.problem(t, append(at, "key"), "more than one key", "a hash is of one key: with another, nothing that was hashed before would join")
	}
	if len(p.Encrypt) > 0 && p.KMS == "" {
		l.missing(t, append(at, "kms"), "the key that data keys come from, such as alias/pushpull; local: on one machine")
	}
	if l.inAWS && p.KMS == privacy.Local {
		l.warn(t, append(at, "kms"), "the data key is made of the secret in key: who may read that may read all", "name a key of KMS")
	}
	l.checkReadable(t, append(at, "key"), p.Key)
}
