package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/provider"
)

// printPoll is what a preset can read, and what that takes.
func printPoll(w io.Writer, p provider.Preset) {
	names := slices.Sorted(maps.Keys(p.Poll.Resources))
	first := names[0]
	if slices.Contains(names, "events") {
		first = "events"
	}
	printPollExample(w, p, first)
	printSteps(w, pollSetup(p))
	fmt.Fprintln(w)
	for _, name := range names {
		resource := p.Poll.Resources[name]
		fmt.Fprintf(w, "  resource  %s%s\n", name, about(p, resource, p.Poll.Resources[first]))
	}
	printVerified(w, p.Poll.Verified)
}

// about is what is to know of a resource: whether push brings the same, how long its
// history is, and what it needs besides what the example shows.
func about(p provider.Preset, resource, example config.Poll) string {
	var parts []string
	switch {
	case p.Shares(resource):
		parts = append(parts, "the webhook's events, under the same identity")
	case p.Webhook != nil:
		parts = append(parts, "shares no identity with the webhook")
	}
	if inc := resource.Incremental; inc != nil && inc.Retention > 0 {
		parts = append(parts, "the API keeps "+inc.Retention.String())
	}
	shown, need := load.NeedsOf(example), load.NeedsOf(resource)
	more := slices.DeleteFunc(need.With, func(name string) bool { return slices.Contains(shown.With, name) })
	if len(more) > 0 {
		parts = append(parts, "needs "+strings.Join(more, " and ")+" in with")
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, "; ")
}

// printPollExample is what a source that reads the resource looks like.
func printPollExample(w io.Writer, p provider.Preset, resource string) {
	fmt.Fprintf(w, "\n  sources:\n    %s:\n      poll:\n        provider: %s\n", p.Name, p.Name)
	if len(p.Poll.Resources) > 1 {
		fmt.Fprintf(w, "        resource: %s\n", resource)
	}
	need := load.NeedsOf(p.Poll.Resources[resource])
	if need.Token {
		fmt.Fprintf(w, "        token: ssm:/pushpull/%s/key\n", p.Name)
	}
	for i, name := range need.Secrets {
		if i == 0 {
			fmt.Fprintln(w, "        secrets:")
		}
		fmt.Fprintf(w, "          %s: ssm:/pushpull/%s/%s\n", name, p.Name, name)
	}
	for i, name := range need.With {
		if i == 0 {
			fmt.Fprintln(w, "        with:")
		}
		fmt.Fprintf(w, "          %s: …\n", name)
	}
	fmt.Fprintln(w)
}

// pollSetup are the steps, with the place of the credential filled in.
func pollSetup(p provider.Preset) []string {
	steps := make([]string, len(p.Poll.Setup))
	for i, step := range p.Poll.Setup {
		steps[i] = strings.ReplaceAll(step, "{secret}", "ssm:/pushpull/"+p.Name+"/key")
	}
	return steps
}
