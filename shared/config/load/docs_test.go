package load_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"pushpull/shared/config/load"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// What a person copies from the documentation is a configuration without problems.
func TestTheExamplesOfTheDocumentationLoad(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/polling-examples.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := yamlBlock.FindAllSubmatch(text, -1)
	if len(examples) != 6 {
		t.Errorf("%d examples, want 6", len(examples))
	}
	rest := "destinations: { out: { kind: http, url: https://in.example.com } }\nroutes: [{ from: '*', to: out }]\n"
	for i, example := range examples {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			t.Parallel()
			cfg, problems := load.Load([]load.File{{Name: "example.yaml", Data: example[1]}, {Name: "rest.yaml", Data: []byte(rest)}})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if len(cfg.Sources) != 1 {
				t.Errorf("%d sources, want 1", len(cfg.Sources))
			}
		})
	}
}
