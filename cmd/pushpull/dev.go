package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pushpull/local/stack"
)

// devFlags are what the flags of dev said.
type devFlags struct {
	addr, config, data    string
	parameters            []string
	fresh, sandbox, watch bool
	logs                  bool
}

func devCommand() *cobra.Command {
	var f devFlags
	c := &cobra.Command{
		Use:   "dev",
		Short: "run all of it on this machine: functions, queues, tables, and a provider to try",
		Long: `Run all of it on this machine: the functions that would be deployed, their
queues, tables, secrets and schedules as template.yaml has them, and a sandbox:
a provider that pushes and lists events, so that there is something to see.
Everything is kept in the data folder; stop it, start it, and nothing is gone.`,
		Example: `  pushpull dev
  pushpull dev --watch --sandbox=false
  pushpull dev --parameter ProcessorTimeout=10 --parameter EventVisibility=60`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if f.data, err = c.Flags().GetString("data"); err != nil {
				return err
			}
			return dev(c, f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "where webhooks are taken")
	flags.StringVar(&f.config, "config", "", "the folder of the configuration (config/ of the project)")
	flags.StringArrayVar(&f.parameters, "parameter", nil, "a parameter of template.yaml, `NAME=VALUE`; may be repeated")
	flags.BoolVar(&f.fresh, "fresh", false, "forget the events, queues, tables and delivered files of earlier runs; secrets are kept")
	flags.BoolVar(&f.sandbox, "sandbox", true, "run the provider to try with")
	flags.BoolVar(&f.watch, "watch", false, "rebuild the functions and take up the configuration when their files change")
	flags.BoolVar(&f.logs, "logs", false, "print what the functions log, as it is")
	return c
}

// heapGrowth lets the heap grow to five times what lives in it before it is
// collected. Little lives in that of the stack: the files are mapped.
const heapGrowth = 400

// dev runs the stack until it is told to stop.
func dev(c *cobra.Command, f devFlags) error {
	parameters, err := parseParameters(c, f.parameters)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	ctx := endWithGoRun(c.Context())
	// The first Ctrl-C ends ctx; from then on the next one ends us at once, and the
	// functions with us.
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt, syscall.SIGTERM) })

	out := newDevOutput(c.OutOrStdout(), f.logs || asJSON(c))
	defer out.close()
	s, err := stack.Start(ctx, stack.Options{
		ConfigDir: f.config, Data: f.data, Addr: f.addr, Parameters: parameters,
		Sandbox: f.sandbox, Watch: f.watch, Fresh: f.fresh,
		Logger: slog.New(out.handler()), Output: out.line, Progress: out.progress,
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := out.ready(s); err != nil {
		return err
	}
	out.summaries(ctx, s)
	out.note("stopping")
	return s.Stop(context.WithoutCancel(ctx))
}

func parseParameters(c *cobra.Command, given []string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range given {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, usage(c, "--parameter %s: write it as NAME=VALUE", p)
		}
		out[name] = value
	}
	return out, nil
}

// ready says what listens where.
func (o *devOutput) ready(s *stack.Stack) error {
	if o.raw {
		return nil
	}
	a := s.Address()
	sources := slices.Sorted(maps.Keys(s.Config().Sources))
	var b strings.Builder
	for _, w := range s.Warnings() {
		fmt.Fprintln(&b, o.paint(yellow, printable(w))) // it calls itself a warning
	}
	fmt.Fprintf(&b, "\n%s\n\n", o.paint(bold, "Pushpull runs."))
	row := func(what, where string) { fmt.Fprintf(&b, "  %-10s%s\n", what, where) }
	row("webhooks", a.Gateway+"/webhooks/{source}   sources: "+strings.Join(sources, ", "))
	row("SQS", a.SQS)
	row("DynamoDB", a.DynamoDB)
	row("secrets", a.Secrets+"   values: "+relative(filepath.Join(a.Data, "secrets.yaml")))
	if a.Sandbox != "" {
		row("sandbox", a.Sandbox+"   described in local/sandbox/sandbox.yaml, an example for your own provider")
	}
	row("state", relative(a.Data))
	fmt.Fprintf(&b, "\nIn another terminal: go run ./cmd/pushpull trigger github push, then … events. Ctrl-C ends it.\n\n")
	return o.print(b.String())
}

// relative is a path as seen from here, where that is shorter.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if r, err := filepath.Rel(here, path); err == nil && len(r) < len(path) {
		return r
	}
	return path
}

// summaries says every ten seconds what the sandbox counted, until ctx ends.
func (o *devOutput) summaries(ctx context.Context, s *stack.Stack) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n, ok := s.Sandbox(); ok && !o.raw {
			twice := "none twice"
			if n.DeliveredTwice > 0 {
				twice = fmt.Sprintf("%d twice", n.DeliveredTwice)
			}
			o.note(fmt.Sprintf("sandbox: %d events · its webhooks: %d lost, %d repeated, %d delayed, %d reordered · %d healed by the poll · %d delivered, %s · %d on their way",
				n.Made, n.Lost, n.Repeated, n.Delayed, n.Reordered, n.Healed, n.Delivered, twice, n.Waiting))
		}
	}
}
