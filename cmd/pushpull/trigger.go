package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

func triggerCommand() *cobra.Command {
	var count int
	var same bool
	c := &cobra.Command{
		Use:   "trigger PROVIDER TYPE",
		Short: "send a sample event through the front door, signed as its provider signs",
		Long:  "Send a sample event through the front door, signed as its provider signs. PROVIDER is\na source, or a provider that one source has. Without TYPE it says which there are.",
		Example: `  pushpull trigger github push
  pushpull trigger stripe invoice.paid --count 100
  pushpull trigger github push --same    (the same event each time: duplicates)`,
		Args:              sourceAndType,
		ValidArgsFunction: completeSources,
		RunE: func(c *cobra.Command, args []string) error {
			if count < 1 {
				return usage(c, "--count: %d is below 1", count)
			}
			return trigger(c, args[0], strings.Join(args[1:], ""), count, same)
		},
	}
	c.Flags().IntVar(&count, "count", 1, "how many to send")
	c.Flags().BoolVar(&same, "same", false, "send one and the same event each time")
	return c
}

func trigger(c *cobra.Command, source, typ string, count int, same bool) error {
	conn, err := connect(c)
	if err != nil {
		return err
	}
	source, hook, err := conn.webhookOf(c, source)
	if err != nil {
		return err
	}
	found, err := samples(hook)
	if err != nil {
		return err
	}
	s, err := choose(c, source, typ, found)
	if err != nil {
		return err
	}
	door, err := conn.frontDoor(c.Context(), source, hook)
	if err != nil {
		return err
	}
	bar := newProgress(c, "sent", count)
	defer bar.close()
	var signed webhook.Request
	for i := range count {
		if i == 0 || !same {
			at := time.Now()
			if signed, err = door.sign(request(s.Fill(typ, hook.With, at)), at); err != nil {
				return err
			}
		}
		sent, err := door.post(c.Context(), signed)
		if err != nil {
			return err
		}
		if err := reportSent(c, sent, count == 1); err != nil {
			return err
		}
		bar.add(1)
	}
	if count > 1 && !asJSON(c) {
		fmt.Fprintf(c.ErrOrStderr(), "%d sent\n", count)
	}
	return nil
}

// sourceAndType leaves a missing TYPE to choose, which knows those there are.
func sourceAndType(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return exactly("SOURCE", "TYPE")(c, args)
}

// webhookOf is the webhook half of a source, which may be called by its provider
// where no other source has that.
func (conn *connection) webhookOf(c *cobra.Command, name string) (source string, hook config.Webhook, err error) {
	s, err := conn.config.Source(name)
	if errors.Is(err, config.ErrUnknown) {
		return conn.byProvider(c, name)
	}
	if err != nil {
		return "", config.Webhook{}, err
	}
	if s.Webhook == nil {
		return "", config.Webhook{}, usage(c, "%s has no webhook: `pushpull poll %s` polls it", name, name)
	}
	return name, *s.Webhook, nil
}

func (conn *connection) byProvider(c *cobra.Command, name string) (string, config.Webhook, error) {
	var found []string
	var hook config.Webhook
	for source := range conn.config.Sources() {
		s, err := conn.config.Source(source)
		if err != nil {
			return "", config.Webhook{}, err
		}
		if s.Webhook != nil && s.Webhook.Provider == name {
			found, hook = append(found, source), *s.Webhook
		}
	}
	switch {
	case len(found) == 1:
		return found[0], hook, nil
	case len(found) > 1:
		return "", config.Webhook{}, usage(c, "%s is the provider of several sources: say which of %s", name, strings.Join(found, ", "))
	case slices.Contains(provider.Names(), name):
		return "", config.Webhook{}, usage(c, "no source of the running stack has the provider %s: add one to config/sources.yaml; "+takenUp, name)
	}
	return "", config.Webhook{}, notRunning(c, name, slices.Collect(conn.config.Sources()))
}

// reportSent prints what the receiver answered; a refusal is a failure.
func reportSent(c *cobra.Command, s sent, alone bool) error {
	switch {
	case asJSON(c):
		if err := printJSON(c.OutOrStdout(), s); err != nil {
			return err
		}
	case alone || s.Status/100 != 2:
		fmt.Fprintf(c.OutOrStdout(), "%d  %s/%s  %s\n", s.Status, s.Source, printable(s.ID), printable(s.Answer))
	}
	if s.Status/100 != 2 {
		return errSaid
	}
	return nil
}
