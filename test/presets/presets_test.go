// Package presets proves that every preset works at the front door: the running
// stack has a source for each, and is sent what its provider would send.
package presets

import "testing"

func TestEveryPreset(t *testing.T) {
	t.Parallel()
	checkSendable(t)
	s := start(t)
	s.urls(t)
	want := s.handOver(t)
	s.settled(t, want)
	all := s.triggerAll(t)
	s.arrive(t, all, want)
	want += all.events("") + s.refuseAll(t)
	s.greetAll(t)
	want += s.triggerAnother(t)
	s.settled(t, want)
}
