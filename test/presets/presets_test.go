// Package presets proves that every preset works at the front door: the running
// stack has a source for each, and is sent what its provider would send.
package presets

import "testing"

func TestEveryPreset(t *testing.T) {
	t.Parallel()
	s := start(t)
	all := s.triggerAll(t)
	s.arrive(t, all)
}
