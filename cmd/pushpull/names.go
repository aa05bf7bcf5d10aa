package main

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
)

// nearest is the known name most like the one that was typed, if one is.
func nearest(typed string, known []string) (string, bool) {
	best, at := "", len(typed)/2+1
	for _, name := range known {
		if d := levenshtein.ComputeDistance(typed, name); d < at {
			best, at = name, d
		}
	}
	return best, best != ""
}

// unknownSource says that the config has no such source.
func unknownSource(c *cobra.Command, name string, known []string) error {
	if near, ok := nearest(name, known); ok {
		return usage(c, "no source is named %q: did you mean %q?", name, near)
	}
	return usage(c, "no source is named %q: there are %s", name, strings.Join(known, ", "))
}

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
