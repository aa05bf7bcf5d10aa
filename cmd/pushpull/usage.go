package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pushpull/shared/config/load"
)

// errSaid ends a command that has already printed what is wrong.
var errSaid = errors.New("said")

// A usageError is a command used wrongly: exit status 2.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(c *cobra.Command, format string, args ...any) error {
	return &usageError{command: c.CommandPath(), err: fmt.Errorf(format, args...)}
}

// exactly is cobra.ExactArgs with errors that name what is missing.
func exactly(names ...string) cobra.PositionalArgs { return atLeast(len(names), names...) }

// atLeast takes the first n of the names, and those after them where they are given.
func atLeast(n int, names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < n {
			return usage(c, "%s is missing", names[len(args)])
		}
		if len(args) > len(names) {
			return usage(c, "%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// knownCommand refuses what is no command, naming the nearest.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, command := range c.Commands() {
		names = append(names, command.Name())
	}
	if near, ok := load.Nearest(args[0], names); ok {
		return usage(c, "%q is not a command: did you mean %q?", args[0], near)
	}
	return usage(c, "%q is not a command", args[0])
}
