package sqstest

import (
	"slices"
	"testing"
)

func fairCases() []testCase {
	return []testCase{
		{"a message of a standard queue may have a group, and says it", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x", inGroup("tenant"))
			equal(t, "the group", "tenant", e.one(t, url).Attributes["MessageGroupId"])
		}},
		{"a group of a standard queue is not locked while a message is in flight", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "1", inGroup("tenant"))
			e.send(t, url, "2", inGroup("tenant"))
			e.one(t, url)
			e.one(t, url)
		}},
		{"a group with a backlog does not hold up the others", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for range 30 {
				e.send(t, url, "noisy", inGroup("noisy"))
			}
			equal(t, "in flight", 10, len(e.receive(t, url)))
			for _, tenant := range []string{"a", "b", "c"} {
				e.send(t, url, tenant, inGroup(tenant))
			}
			got := bodies(e.receive(t, url, atMost(5)))
			for _, tenant := range []string{"a", "b", "c"} {
				if !slices.Contains(got, tenant) {
					t.Errorf("%s is not among %q", tenant, got)
				}
			}
		}},
	}
}
