package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/awslite"
	"pushpull/shared/config"
	"pushpull/shared/privacy"
)

func decryptCommand() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "decrypt FILE",
		Short: "put back the values that privacy encrypted in data",
		Long: "Put back the values that a privacy rule encrypted, wherever they are in a file of JSON.\n" +
			"Their data keys are unwrapped by KMS, with AWS_REGION and the credentials of the\n" +
			"environment; of a rule with kms: local: say its key with --key.",
		Example: `  pushpull decrypt event.json
  pushpull decrypt - --key ssm:/pushpull/privacy <event.json`,
		Args: exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error { return decrypt(c, args[0], key) },
	}
	c.Flags().StringVar(&key, "key", "", "the reference to the key of a rule with kms: local:, in the local stack")
	return c
}

func decrypt(c *cobra.Command, file, key string) error {
	data, err := readBody(c.InOrStdin(), file)
	if err != nil {
		return err
	}
	o := privacy.Options{Secrets: noKey{}, KMS: remoteKMS{}, Now: time.Now}
	var refs config.Secrets
	if key != "" {
		conn, err := connect(c)
		if err != nil {
			return err
		}
		o.Secrets, refs = conn.secrets, config.Secrets{key}
	}
	plain, err := privacy.NewEnv(o).Reveal(c.Context(), data, refs)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), string(plain))
	return err
}

// noKey is where no key was named.
type noKey struct{}

func (noKey) All(context.Context, []string) ([]string, error) {
	return nil, errors.New("the data key is made of a secret: name it with --key")
}

// remoteKMS is that of the account, connected to when it is needed.
type remoteKMS struct{}

func (remoteKMS) JSON(ctx context.Context, service, target, version string, in []byte, out any) error {
	client, err := awslite.New(os.Getenv, nil)
	if err != nil {
		return err
	}
	return client.JSON(ctx, service, target, version, in, out)
}
