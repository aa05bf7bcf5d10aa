package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/job"
)

// A target is one poll of the configuration.
type target struct {
	source string
	of     config.Source
	poll   config.Poll
}

func (t target) key() string { return job.Key(t.source, t.poll.Name) }

// target finds the poll that a person names: SOURCE, or SOURCE POLL.
func (conn *connection) target(c *cobra.Command, args []string) (target, error) {
	of, err := conn.config.Source(args[0])
	if errors.Is(err, config.ErrUnknown) {
		return target{}, notRunning(c, args[0], slices.Collect(conn.config.Sources()))
	}
	if err != nil {
		return target{}, err
	}
	return targetOf(c, of, args)
}

// targetOf finds the poll in its source.
func targetOf(c *cobra.Command, of config.Source, args []string) (target, error) {
	source, name := args[0], ""
	if len(of.Poll) == 0 {
		return target{}, usage(c, "%s has no poll: give it one in its configuration", source)
	}
	if len(args) > 1 {
		name = args[1]
	} else if len(of.Poll) == 1 {
		name = of.Poll[0].Name
	}
	if p := of.Poll.Named(name); p != nil {
		return target{source, of, *p}, nil
	}
	names := pollNames(of)
	if name == "" {
		return target{}, usage(c, "%s has %s: say which, %s", source, counted(len(names), "poll"), strings.Join(names, " or "))
	}
	if near, ok := load.Nearest(name, names); ok {
		return target{}, usage(c, "%s has no poll named %q: did you mean %q?", source, name, near)
	}
	return target{}, usage(c, "%s has no poll named %q: there are %s", source, name, strings.Join(names, ", "))
}

// pollNames are the names of a source's polls that have one.
func pollNames(of config.Source) []string {
	var names []string
	for _, p := range of.Poll {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// targets are all polls of the sources, or of one of them where it is named.
func (conn *connection) targets(c *cobra.Command, args []string) ([]target, error) {
	if len(args) > 1 {
		one, err := conn.target(c, args)
		return []target{one}, err
	}
	names := slices.Collect(conn.config.Sources())
	if len(args) == 1 {
		if !slices.Contains(names, args[0]) {
			return nil, notRunning(c, args[0], names)
		}
		names = args
	}
	var all []target
	for _, name := range names {
		of, err := conn.config.Source(name)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		for _, p := range of.Poll {
			all = append(all, target{name, of, p})
		}
	}
	return all, nil
}

// completePolls completes a source's name, and then the name of its poll.
func completePolls(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return completeSources(c, args, typed)
	}
	conn, err := connect(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	of, err := conn.config.Source(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return pollNames(of), cobra.ShellCompDirectiveNoFileComp
}
