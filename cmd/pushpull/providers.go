package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pushpull/shared/config/load"
	"pushpull/shared/provider"
)

func providersCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "providers [NAME]",
		Short: "the providers that have a preset, or what is known of one",
		Example: `  pushpull providers
  pushpull providers paypal`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return provider.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return listProviders(c)
			case 1:
				return showProvider(c, args[0])
			}
			return usage(c, "%q is one argument too many", args[1])
		},
	}
}

// A listed is one provider in a list.
type listed struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Webhook  bool   `json:"webhook"`
	Poll     bool   `json:"poll"`
	Verified string `json:"verified"`
}

func listProviders(c *cobra.Command) error {
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, name := range provider.Names() {
		p, err := provider.Load(name)
		if err != nil {
			return err
		}
		if asJSON(c) {
			if err := printJSON(c.OutOrStdout(), listed{p.Name, p.Title, p.Webhook != nil, p.Poll != nil, p.Verified.By}); err != nil {
				return err
			}
			continue
		}
		transports := map[[2]bool]string{{true, false}: "webhook", {true, true}: "webhook, poll", {false, true}: "poll"}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name, p.Title, transports[[2]bool{p.Webhook != nil, p.Poll != nil}], p.Verified.By)
	}
	return w.Flush()
}

func showProvider(c *cobra.Command, name string) error {
	p, err := provider.Load(name)
	if errors.Is(err, provider.ErrUnknown) {
		if near, ok := load.Nearest(name, provider.Names()); ok {
			return usage(c, "no preset for %q: did you mean %q?", name, near)
		}
		return usage(c, "no preset for %q: `pushpull providers` lists those there are, and docs/webhooks.md says how to describe another", name)
	}
	if err != nil {
		return err
	}
	if asJSON(c) {
		return printJSON(c.OutOrStdout(), p)
	}
	printProvider(c.OutOrStdout(), p)
	return nil
}

func printProvider(w io.Writer, p provider.Preset) {
	fmt.Fprintf(w, "%s\n\n", p.Title)
	printExample(w, p)
	printSteps(w, p.Setup)
	if p.Answer.Expects != "" {
		fmt.Fprintf(w, "\n  expects   %s%s\n", p.Answer.Expects, within(p.Answer))
	}
	if p.Answer.Retries != "" {
		fmt.Fprintf(w, "  retries   %s\n", p.Answer.Retries)
	}
	if says := provider.HydrateOf(p.Name, p.Name); says != "" {
		fmt.Fprintf(w, "  hydrate   its API can be asked for the data of an event: %s\n", says)
	}
	types := make([]string, 0, len(p.Samples))
	for _, s := range p.Samples {
		types = append(types, s.Type)
	}
	if len(types) > 0 {
		fmt.Fprintf(w, "  samples   %s\n", strings.Join(types, ", "))
	}
	if p.Webhook != nil {
		printVerified(w, p.Verified)
	}
	fmt.Fprintf(w, "  docs      %s\n", strings.Join(p.Docs, "; "))
	if p.Poll != nil {
		printPoll(w, p)
	}
}

func printVerified(w io.Writer, v provider.Verified) {
	fmt.Fprintf(w, "  verified  by %s: %s\n", v.By, strings.Join(strings.Fields(v.How), " "))
}

func within(a provider.Answer) string {
	if a.Within == 0 {
		return ""
	}
	return fmt.Sprintf(", within %s", a.Within)
}

// printExample is what a source with this provider looks like.
func printExample(w io.Writer, p provider.Preset) {
	if p.Webhook == nil {
		return
	}
	fmt.Fprintf(w, "  sources:\n    %s:\n      webhook:\n        provider: %s\n", p.Name, p.Name)
	setup := strings.Join(p.Setup, "\n")
	for _, name := range []string{"secret", "verify_token"} {
		if strings.Contains(setup, "{"+name+"}") {
			place := map[string]string{"secret": "webhook", "verify_token": "verify_token"}[name]
			fmt.Fprintf(w, "        %s: ssm:/pushpull/%s/%s\n", name, p.Name, place)
		}
	}
	if len(p.Parameters) > 0 {
		fmt.Fprintln(w, "        with:")
		for _, name := range slices.Sorted(maps.Keys(p.Parameters)) {
			fmt.Fprintf(w, "          %s: …   # %s\n", name, p.Parameters[name])
		}
	}
	fmt.Fprintln(w)
}
