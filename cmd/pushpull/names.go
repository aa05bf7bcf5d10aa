package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushpull/shared/config/load"
)

// unknownSource says that the config has no such source.
func unknownSource(c *cobra.Command, name string, known []string) error {
	if near, ok := load.Nearest(name, known); ok {
		return usage(c, "no source is named %q: did you mean %q?", name, near)
	}
	return usage(c, "no source is named %q: there are %s", name, strings.Join(known, ", "))
}

// notRunning says that the running stack has no such source.
func notRunning(c *cobra.Command, name string, known []string) error {
	if _, ok := load.Nearest(name, known); ok || len(known) == 0 {
		return unknownSource(c, name, known)
	}
	return usage(c, "the running stack has no source %q: there are %s; "+takenUp, name, strings.Join(known, ", "))
}

// takenUp is for a person who has just changed the configuration.
const takenUp = "a change to config/ is taken up when `pushpull dev` is started again, or at once with --watch"

// completeSources completes a source's name in a shell.
func completeSources(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	conn, err := connect(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.Collect(conn.config.Sources()), cobra.ShellCompDirectiveNoFileComp
}
