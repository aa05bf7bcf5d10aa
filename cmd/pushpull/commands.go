package main

import "github.com/spf13/cobra"

// commands are all commands, in the order of the help.
func commands() []*cobra.Command {
	return []*cobra.Command{
		devCommand(),
		checkCommand(),
		testCommand(),
		schemaCommand(),
		urlsCommand(), providersCommand(),
		triggerCommand(),
		sendCommand(),
		eventsCommand(),
		showCommand(),
		replayCommand(), deadCommand(), eraseCommand(), decryptCommand(),
		sourcesCommand(), pollCommand(), backfillCommand(),
	}
}
