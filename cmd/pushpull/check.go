package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/config/load"
)

func checkCommand() *cobra.Command {
	var dir string
	var write, aws bool
	c := &cobra.Command{
		Use:   "check",
		Short: "prove the configuration: every mistake at its file, line and column",
		Example: `  pushpull check
  pushpull check --config ../our-config --aws
  pushpull check --write     (and compile it for the functions)`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error { return check(c, dir, write, aws) },
	}
	c.Flags().StringVar(&dir, "config", "config", "the folder of the configuration")
	c.Flags().BoolVar(&write, "write", false, "write what is made of it: compiled.txt and the JSON Schema")
	c.Flags().BoolVar(&aws, "aws", false, "warn of what works on one machine only")
	return c
}

func check(c *cobra.Command, dir string, write, aws bool) error {
	var options []load.Option
	if aws {
		options = append(options, load.InAWS())
	}
	cfg, problems, err := load.Dir(dir, options...)
	if err != nil {
		return fmt.Errorf("%w: say where the configuration is with --config", err)
	}
	if err := printProblems(c, problems); err != nil {
		return err
	}
	if n := len(load.Errors(problems)); n > 0 {
		if !asJSON(c) {
			fmt.Fprintln(c.ErrOrStderr(), counted(n, "mistake"))
		}
		return errSaid
	}
	if write {
		if _, err := load.Write(dir); err != nil {
			return err
		}
	}
	if !asJSON(c) {
		printNotes(c.OutOrStdout(), cfg)
		fmt.Fprintf(c.OutOrStdout(), "%s is good: %s, %s, %s\n", dir, counted(len(cfg.Sources), "source"),
			counted(len(cfg.Destinations), "destination"), counted(len(cfg.Routes), "route"))
	}
	return nil
}

func printProblems(c *cobra.Command, problems []load.Problem) error {
	for _, p := range problems {
		if asJSON(c) {
			if err := printJSON(c.OutOrStdout(), p); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(c.OutOrStdout(), printable(p.String()))
	}
	return nil
}

// loadConfig loads a folder for a command that needs it to be right.
func loadConfig(c *cobra.Command, dir string) (config.Config, error) {
	cfg, problems, err := load.Dir(dir)
	if err != nil {
		return config.Config{}, fmt.Errorf("%w: say where the configuration is with --config", err)
	}
	if wrong := load.Errors(problems); len(wrong) > 0 {
		return config.Config{}, errors.Join(printProblems(c, wrong), errSaid)
	}
	return cfg, nil
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
