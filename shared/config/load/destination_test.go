package load

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/destination"
)

func TestEachKindOfDestinationHasItsKeysHere(t *testing.T) {
	t.Parallel()
	want := map[string][]string{}
	for _, k := range destination.Kinds() {
		want[k.Name] = slices.DeleteFunc(slices.Sorted(slices.Values(k.Fields)), func(key string) bool { return key == "retry" })
	}
	got := map[string][]string{}
	for kind, keys := range fieldsOf {
		got[kind] = slices.Sorted(slices.Values(keys))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
