package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDeps keeps the receiver small: a provider waits for it, and often for its
// cold start. Each ban has its reason.
func TestDeps(t *testing.T) {
	t.Parallel()
	banned := map[string]string{
		"github.com/aws/aws-sdk-go-v2/service/": "awslite makes its three kinds of call without the SDK's middleware and endpoint rules",
		"github.com/aws/aws-sdk-go-v2/config":   "Lambda puts the credentials into the environment: there is no chain to go along",
		"github.com/goccy/go-yaml":              "the configuration is compiled at build",
		"go.yaml.in/yaml":                       "the configuration is compiled at build",
		"github.com/itchyny/gojq":               "what is done with an event is the processor's",
		"github.com/invopop/jsonschema":         "the schema is for editors",
		"github.com/santhosh-tekuri/jsonschema": "what data must be is looked at behind the queue",
		"github.com/aws/aws-lambda-go/events":   "the payload is read by hand",
		"pushpull/shared/config/load":           "the configuration is compiled at build",
		"pushpull/shared/provider":              "presets are resolved when the configuration is compiled",
		"pushpull/shared/ledger":                "duplicates are the processor's: the receiver knows the queue only",
		"pushpull/shared/destination":           "the receiver knows nothing of destinations",
		"pushpull/shared/route":                 "the receiver knows nothing of destinations",
		"pushpull/shared/pull":                  "polls are the poller's",
		"pushpull/shared/hydrate":               "an event is completed behind the queue, not while the provider waits",
		"pushpull/shared/checkpoint":            "polls are the poller's",
		"pushpull/local":                        "what runs in AWS knows nothing of the local stack",
		"github.com/spf13/cobra":                "a function is no command line",
		"golang.org/x/text/encoding/htmlindex":  "it brings tables of the world's languages: the names of charsets are ours",
		"net/rpc":                               "Lambda's old protocol; build with -tags lambda.norpc",
		"html/template":                         "it would keep every exported method in the binary",
		"text/template":                         "it would keep every exported method in the binary",
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dep := range strings.Lines(string(out)) {
		for ban, reason := range banned {
			if dep := strings.TrimSpace(dep); strings.HasPrefix(dep, ban) {
				t.Errorf("the receiver links %s: %s", dep, reason)
			}
		}
	}
}
