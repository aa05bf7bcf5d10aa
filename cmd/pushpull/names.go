package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/config/load"
)

// knownSources are the sources that a person names, all where none is.
func knownSources(c *cobra.Command, cfg config.Compiled, names []string) ([]string, error) {
	known := slices.Collect(cfg.Sources())
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, notRunning(c, name, known)
		}
	}
	if len(names) == 0 {
		return known, nil
	}
	return names, nil
}

// knownDestination refuses what leads nowhere: a destination, or a route's delivery
// to one, such as paid/crm#2.
func knownDestination(c *cobra.Command, cfg config.Compiled, name string) error {
	known := slices.Collect(cfg.Destinations())
	if to, _, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], "#"); slices.Contains(known, to) {
		return nil
	}
	if near, ok := load.Nearest(name, known); ok {
		return usage(c, "no destination is named %q: did you mean %q?", name, near)
	}
	return usage(c, "no destination is named %q: there are %s", name, strings.Join(known, ", "))
}

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
