package main

import (
	"github.com/spf13/cobra"

	"pushpull/shared/config/load"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "print the JSON Schema of the configuration, for editors",
		Example: "  pushpull schema > config/pushpull.schema.json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(load.Schema())
			return err
		},
	}
}
