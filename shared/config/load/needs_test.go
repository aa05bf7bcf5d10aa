package load_test

import (
	"testing"

	"pushpull/shared/config/load"
	"pushpull/shared/provider"
)

// What NeedsOf asks for is enough, and nothing of it is too much.
func TestAPollOfAPresetIsCompleteWithWhatItNeeds(t *testing.T) {
	t.Parallel()
	for _, name := range provider.Names() {
		p, err := provider.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Poll == nil {
			continue
		}
		for resource, poll := range p.Poll.Resources {
			t.Run(name+"."+resource, func(t *testing.T) {
				t.Parallel()
				need := load.NeedsOf(poll)
				said := map[string]any{"provider": name, "resource": resource}
				if need.Token {
					said["token"] = "ssm:/pushpull/example/key"
				}
				for _, of := range []struct {
					key, value string
					names      []string
				}{{"secrets", "ssm:/pushpull/example/other", need.Secrets}, {"with", "value", need.With}} {
					values := map[string]string{}
					for _, one := range of.names {
						values[one] = of.value
					}
					if len(values) > 0 {
						said[of.key] = values
					}
				}
				loads(t, source(t, said))
			})
		}
	}
}
