package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"pushpull/local/stack"
	"pushpull/shared/awslite"
	"pushpull/shared/budget"
	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
	"pushpull/shared/secret"
)

// A connection is a running Pushpull that a command talks to.
type connection struct {
	address stack.Address
	config  config.Compiled
	ledger  *ledger.Ledger
	bodies  queue.Bodies
	states  *checkpoint.Store
	budget  *budget.Store
	secrets *secret.Store
	queues  *queue.SQS
	sqs     *sqs.Client
}

// connect finds the stack that runs on this machine.
func connect(c *cobra.Command) (*connection, error) {
	data, err := c.Flags().GetString("data")
	if err != nil {
		return nil, err
	}
	at, err := stack.Find(data)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Open(at.Config, "")
	if err != nil {
		return nil, err
	}
	calls, err := awslite.New(localEnvironment(at), nil)
	if err != nil {
		return nil, err
	}
	bodies, err := queue.OpenBodies(at.Bodies, calls)
	if err != nil {
		return nil, err
	}
	// The local endpoints take any credentials; the SDK insists on some.
	auth := credentials.NewStaticCredentialsProvider("local", "local", "")
	log := slog.New(slog.DiscardHandler)
	tables := dynamodb.New(dynamodb.Options{Region: at.Region, BaseEndpoint: aws.String(at.DynamoDB), Credentials: auth})
	return &connection{
		address: at,
		config:  cfg,
		bodies:  bodies,
		ledger:  ledger.New(tables, at.Tables["EventsTable"], bodies, time.Now),
		states:  checkpoint.New(tables, at.Tables["StateTable"], time.Now),
		budget:  budget.New(tables, at.Tables["StateTable"], log, time.Now),
		secrets: secret.New(calls, os.Getenv, log), // of the environment are those of env: alone
		queues:  queue.Direct(calls),
		sqs:     sqs.New(sqs.Options{Region: at.Region, BaseEndpoint: aws.String(at.SQS), Credentials: auth}),
	}, nil
}

// localEnvironment is what a function of the local stack is given to reach it.
func localEnvironment(at stack.Address) func(string) string {
	env := map[string]string{
		"AWS_REGION":                       at.Region,
		"AWS_ACCESS_KEY_ID":                "local",
		"AWS_SECRET_ACCESS_KEY":            "local",
		"AWS_ENDPOINT_URL_SQS":             at.SQS,
		"AWS_ENDPOINT_URL_SSM":             at.Secrets,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": at.Secrets,
	}
	return func(name string) string { return env[name] }
}
