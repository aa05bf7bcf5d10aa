package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/webhook"
)

// maxSend is the largest body that API Gateway takes.
const maxSend = 10 << 20

func sendCommand() *cobra.Command {
	var headers []string
	c := &cobra.Command{
		Use:   "send SOURCE FILE",
		Short: "send an event from a file through the front door, signed as its provider signs",
		Example: `  pushpull send github push.json --header 'X-GitHub-Event: push'
  jq -n '{id: "evt_1"}' | pushpull send stripe -`,
		Args:              exactly("SOURCE", "FILE"),
		ValidArgsFunction: completeSources,
		RunE:              func(c *cobra.Command, args []string) error { return send(c, args[0], args[1], headers) },
	}
	c.Flags().StringArrayVarP(&headers, "header", "H", nil, "a header of the request, as Name: value; may be given again")
	return c
}

func send(c *cobra.Command, source, file string, headers []string) error {
	var h webhook.Header
	for _, text := range headers {
		name, value, ok := strings.Cut(text, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return usage(c, "--header: %q is not of the form Name: value", text)
		}
		h.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	source, hook, err := conn.webhookOf(c, source)
	if err != nil {
		return err
	}
	body, err := readBody(c.InOrStdin(), file)
	if err != nil {
		return err
	}
	door, err := conn.frontDoor(c.Context(), source, hook)
	if err != nil {
		return err
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	sent, err := door.send(c.Context(), webhook.Request{Method: "POST", Header: h, Body: body}, time.Now())
	if err != nil {
		return err
	}
	return reportSent(c, sent, true)
}

// readBody reads a file, or standard input for "-".
func readBody(stdin io.Reader, file string) ([]byte, error) {
	from := stdin
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the person names the file
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // it was only read
		from = f
	}
	body, err := io.ReadAll(io.LimitReader(from, maxSend+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxSend {
		return nil, fmt.Errorf("%s is over %d bytes, more than API Gateway takes", file, maxSend)
	}
	return body, nil
}
