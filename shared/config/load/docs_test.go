package load_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
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

func TestTheExamplesOfDestinationsLoad(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/destinations.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := yamlBlock.FindAllSubmatch(text, -1)
	if len(examples) == 0 {
		t.Error("there are no examples")
	}
	for i, example := range examples {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			t.Parallel()
			files := []load.File{{Name: "example.yaml", Data: example[1]}, {Name: "rest.yaml", Data: []byte("sources: { s: { webhook: { provider: github, secret: env:S } } }\n")}}
			cfg, _ := load.Load(files) // warnings, that no route is there
			to := strings.Join(slices.Sorted(maps.Keys(cfg.Destinations)), ", ")
			files = append(files, load.File{Name: "routes.yaml", Data: []byte("routes: [{ from: s, to: [" + to + "] }]\n")})
			if _, problems := load.Load(files); len(problems) > 0 || to == "" {
				t.Fatal(problems)
			}
		})
	}
}

func TestTheExampleOfDeliveryLoads(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/delivery.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := yamlBlock.FindAllSubmatch(text, -1)
	if len(examples) != 1 {
		t.Fatalf("there are %d examples, want 1", len(examples))
	}
	if _, problems := load.Load([]load.File{{Name: "example.yaml", Data: examples[0][1]}}); len(problems) > 0 {
		t.Error(problems)
	}
}
