package stack

import (
	"context"
	"path/filepath"

	"pushpull/local/sandbox"
	"pushpull/shared/config/load"
)

// A provider is the sandbox as the stack runs it.
type provider struct {
	sandbox *sandbox.Sandbox
	stack   *Stack
}

func newProvider(s *Stack) (*provider, error) {
	sb, err := sandbox.New(sandbox.Options{
		Webhooks: s.address.Gateway,
		Secret:   func(_ context.Context, ref string) (string, error) { return s.secrets.Value(ref) },
		File:     filepath.Join(s.o.Data, "sandbox.db"),
		Every:    s.o.SandboxEvery,
		Logger:   s.o.Logger,
		Now:      s.o.Now,
	})
	if err != nil {
		return nil, err
	}
	return &provider{sandbox: sb, stack: s}, nil
}

// files are what the sandbox adds to the configuration.
func (p *provider) files() []load.File {
	return []load.File{{Name: "local/sandbox/sandbox.yaml", Data: sandbox.Config(p.stack.address.Sandbox)}}
}

func (p *provider) run(ctx context.Context) {
	if err := p.sandbox.Run(ctx); err != nil {
		p.stack.o.Logger.Error("the sandbox ended", "error", err)
	}
}

// Sandbox is what the sandbox counted; false where none runs.
func (s *Stack) Sandbox() (sandbox.Stats, bool) {
	if s.provider == nil {
		return sandbox.Stats{}, false
	}
	return s.provider.sandbox.Stats(), true
}
