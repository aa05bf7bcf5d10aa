package presets

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

// refuseAll sends to each source what is not authentic, and then what is. It
// returns how many events must be there more than before.
func (s *system) refuseAll(t *testing.T) int {
	t.Helper()
	taken := make(chan int, len(webhooks(t)))
	t.Run("what is not authentic is refused", func(t *testing.T) {
		for _, name := range webhooks(t) {
			if _, not := unsendable[name]; not {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				taken <- s.sender(t, name).refused(t)
			})
		}
	})
	close(taken)
	n := 0
	for one := range taken {
		n += one
	}
	return n
}

func (p sender) refused(t *testing.T) int {
	t.Helper()
	status := cmp.Or(p.hook.Refuse, 401)
	sample := p.preset.Samples[0]
	bare := p.addressed(p.request(sample))
	good := p.signed(t, p.request(sample))
	if p.hook.Auth.Scheme == "none" {
		bare = p.stranger(bare)
	}
	if got := p.send(t.Context(), t, bare); got.Status != status {
		t.Errorf("without a signature: answered %d, want %d", got.Status, status)
	}
	part, open := unsigned[p.name]
	if covered := p.coversBody(t); covered == open {
		t.Errorf("the scheme covers the body: %t, and the preset in the table of those that do not: %t", covered, open)
	}
	at := len(good.Body) / 2
	if open {
		at = bytes.Index(good.Body, []byte(part.before)) + len(part.before)
	}
	if signs(*p.hook.Auth) && len(good.Body) > 0 && (!open || part.before != "") {
		changed := good
		changed.Body = slices.Clone(good.Body)
		changed.Body[at] ^= 1
		if got := p.send(t.Context(), t, changed); got.Status != status {
			t.Errorf("changed: answered %d, want %d", got.Status, status)
		}
	}
	if got := p.send(t.Context(), t, good); got.Status != p.wantStatus() {
		t.Errorf("signed: answered %d %s, want %d", got.Status, got.Body, p.wantStatus())
	}
	return cmp.Or(batches[p.name+" "+sample.Type], 1)
}

func (p sender) wantStatus() int {
	if p.hook.Reply != nil {
		return cmp.Or(p.hook.Reply.Status, 202)
	}
	return 202
}

func (p sender) coversBody(t *testing.T) bool {
	t.Helper()
	v, err := webhook.Compile(*p.hook.Auth)
	if err != nil {
		t.Fatal(err)
	}
	return v.Covers("")
}

// stranger is the request of somebody else, for a provider that signs nothing:
// it does not say what is required.
func (p sender) stranger(r webhook.Request) webhook.Request {
	for _, value := range p.hook.With {
		r.Body = bytes.ReplaceAll(r.Body, []byte(value), []byte("0"))
	}
	return r
}

// signs reports whether the scheme signs, rather than shows a secret.
func signs(a config.Auth) bool {
	switch a.Scheme {
	case "token", "basic", "ip", "none":
		return false
	case "any":
		return signs(a.Of[0])
	case "all":
		return slices.ContainsFunc(a.Of, signs)
	}
	return true
}

// settled waits until there are as many events as were taken, and no more.
func (s *system) settled(t *testing.T, want int) {
	t.Helper()
	until(t, "the authentic events are at the destination", func() (string, bool) {
		n := len(s.arrived(t))
		return fmt.Sprintf("%d of %d are", n, want), n >= want
	})
	if n := len(s.arrived(t)); n != want {
		t.Errorf("%d events are at the destination, want %d: what was refused is among them", n, want)
	}
}
