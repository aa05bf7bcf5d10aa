package load_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"pushpull/shared/config/load"
	"pushpull/shared/provider"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// What a person copies from the documentation is a configuration without problems.
func TestTheExamplesOfTheDocumentationLoad(t *testing.T) {
	t.Parallel()
	for _, page := range []struct {
		name     string
		examples int
	}{{"polling-examples.md", 6}, {"polling.md", 21}} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", page.name))
		if err != nil {
			t.Fatal(err)
		}
		var examples []string
		for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
			examples = append(examples, strings.Split(string(block[1]), "\n---\n")...)
		}
		if len(examples) != page.examples {
			t.Errorf("%s has %d examples, want %d", page.name, len(examples), page.examples)
		}
		for _, example := range examples {
			for _, source := range sources(t, example) {
				first, _, _ := strings.Cut(example, "\n")
				t.Run(page.name+" "+first, func(t *testing.T) {
					t.Parallel()
					loads(t, source)
				})
			}
		}
	}
}

func loads(t *testing.T, source string) {
	t.Helper()
	rest := "destinations: { out: { kind: http, url: https://in.example.com } }\nroutes: [{ from: '*', to: out }]\n"
	cfg, problems := load.Load([]load.File{{Name: "example.yaml", Data: []byte(source)}, {Name: "rest.yaml", Data: []byte(rest)}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(cfg.Sources) != 1 {
		t.Errorf("%d sources, want 1", len(cfg.Sources))
	}
}

// usualPoll is what an example leaves out that shows some keys of a poll.
const usualPoll = `
base_url: https://api.example.com
auth: { type: none }
request: { path: /things }
incremental: { cursor_path: updated_at }
event: { entity: "{body.id}", version: "{body.updated_at}" }
`

// sources are the configurations that an example shows: a whole one, some keys of
// a poll, or the poll half of a preset with its resources.
func sources(t *testing.T, example string) []string {
	t.Helper()
	if strings.HasPrefix(example, "sources:") {
		return []string{example}
	}
	shown := mapping(t, example)
	half, ok := shown["poll"].(map[string]any)
	if !ok {
		usual := mapping(t, usualPoll)
		if shown["snapshot"] != nil {
			delete(usual, "incremental")
		}
		maps.Copy(usual, shown)
		return []string{source(t, usual)}
	}
	resources, _ := half["resources"].(map[string]any)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		poll, _ := resources[name].(map[string]any)
		common := maps.Clone(half)
		for _, key := range []string{"verified", "setup", "resources"} {
			delete(common, key)
		}
		provider.Under(poll, common)
		poll["token"] = "ssm:/pushpull/example/key"
		all = append(all, source(t, poll))
	}
	return all
}

func mapping(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return m
}

func source(t *testing.T, poll map[string]any) string {
	t.Helper()
	text, err := yaml.Marshal(map[string]any{"sources": map[string]any{"example": map[string]any{"poll": poll}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
