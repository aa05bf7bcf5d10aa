package presets

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"pushpull/local/keyring"
	"pushpull/local/secrets"
	"pushpull/local/stack"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/provider"
	"pushpull/test/harness"
)

// A system is the running stack, and what a test may look at from outside.
type system struct {
	*harness.Stack
	address stack.Address
	config  config.Compiled
	secrets *secrets.Store
	keys    keyring.Ring
	ledger  *ledger.Ledger
}

// start builds the command, and starts it with a source for each preset.
func start(t *testing.T) *system {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	binary, err := harness.Build(t.Context(), root, dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := harness.New(harness.Options{
		Binary: binary, Root: root, Dir: dir,
		Config: map[string]string{"sources.yaml": configuration(t)},
		// One secret of our own; the stack makes up the others.
		Secrets: map[string]string{"ssm:/pushpull/github/webhook": "a secret for the tests"},
		Flags:   []string{"--sandbox=false"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(h.Tail())
		}
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	return open(t, h)
}

func open(t *testing.T, h *harness.Stack) *system {
	t.Helper()
	at, err := stack.Find(h.Data())
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Open(at.Config, "")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := secrets.Open(filepath.Join(h.Data(), "secrets.yaml"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	db := dynamodb.New(dynamodb.Options{
		Region: at.Region, BaseEndpoint: aws.String(at.DynamoDB), Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	return &system{
		Stack: h, address: at, config: cfg, secrets: kept, keys: keyring.New(at.Data),
		ledger: ledger.New(db, at.Tables["EventsTable"], nil, time.Now),
	}
}

// configuration has a source for each preset that has a webhook, called as the
// preset is, with all that its set-up asks for; and one file for all events.
func configuration(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("sources:\n")
	for _, name := range webhooks(t) {
		p := load(t, name)
		fmt.Fprintf(&b, "  %s:\n    webhook:\n      provider: %s\n", name, name)
		setup := strings.Join(p.Setup, "\n")
		if strings.Contains(setup, "{secret}") {
			fmt.Fprintf(&b, "      secret: ssm:/pushpull/%s/webhook\n", name)
		}
		if strings.Contains(setup, "{verify_token}") {
			fmt.Fprintf(&b, "      verify_token: ssm:/pushpull/%s/verify_token\n", name)
		}
		if len(p.Parameters) > 0 {
			b.WriteString("      with:\n")
		}
		for parameter := range p.Parameters {
			value, ok := parameters[name+"."+parameter]
			if !ok {
				t.Errorf("no value for with.%s of %s: add one to parameters", parameter, name)
			}
			fmt.Fprintf(&b, "        %s: %q\n", parameter, value)
		}
	}
	b.WriteString("destinations:\n  all: { kind: file, path: all.ndjson }\nroutes:\n  - { from: \"*\", to: all }\n")
	return b.String()
}

// webhooks are the presets that have a webhook half.
func webhooks(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(provider.Names(), func(name string) bool { return load(t, name).Webhook == nil })
}

func load(t *testing.T, name string) provider.Preset {
	t.Helper()
	p, err := provider.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// arrived are the events that the destination has, in their order.
func (s *system) arrived(t *testing.T) []event.Event {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Data(), "all.ndjson"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var all []event.Event
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		e, err := event.Decode([]byte(line))
		if err != nil {
			t.Fatalf("the destination has a line that is no event: %v: %.200s", err, line)
		}
		all = append(all, e)
	}
	return all
}

// until waits until check is content, for a minute at most, and says where it
// stands if it is not.
func until(t *testing.T, what string, check func() (stands string, done bool)) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		stands, done := check()
		if done {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("not within a minute: %s: %s", what, stands)
		case <-tick.C:
		}
	}
}
