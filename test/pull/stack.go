package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"pushpull/test/harness"
)

// startStack builds and starts dev with these sources; done stops it.
func startStack(ctx context.Context, sources string, in *inbox, secrets, parameters map[string]string) (*harness.Stack, func(), error) {
	root, err := harness.Root()
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "pull")
	if err != nil {
		return nil, nil, err
	}
	binary, err := harness.Build(ctx, root, dir)
	if err != nil {
		return nil, nil, err
	}
	config := "sources:\n" + sources + fmt.Sprintf(`destinations:
  inbox: { kind: http, url: "%s", allow_private: true }
routes:
  - { from: "*", to: inbox }
`, in.server.URL)
	stack, err := harness.New(harness.Options{
		Binary: binary, Root: root, Dir: dir, Config: map[string]string{"pull.yaml": config},
		Secrets: secrets, Parameters: parameters, Flags: []string{"--sandbox=false"},
	})
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		if err := stack.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pull: stop the stack:", err)
		}
		if os.Getenv("KEEP") == "" {
			os.RemoveAll(dir)
			return
		}
		fmt.Println("pull: kept", dir)
	}
	if err := stack.Start(ctx); err != nil {
		done()
		return nil, nil, fmt.Errorf("%w\n%s", err, strings.TrimSpace(config))
	}
	return stack, done, nil
}
