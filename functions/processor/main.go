// Command processor is the Lambda function that delivers what is on the event
// queue. Its one invariant: a message is acknowledged only when the ledger or
// another message answers for its event.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	embedded "pushpull/config"
	"pushpull/shared/awslite"
	"pushpull/shared/breaker"
	"pushpull/shared/budget"
	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/destination"
	"pushpull/shared/dynamolite"
	"pushpull/shared/hydrate"
	"pushpull/shared/ledger"
	"pushpull/shared/privacy"
	"pushpull/shared/queue"
	"pushpull/shared/secret"
	"pushpull/shared/slots"
	"pushpull/shared/telemetry"
)

func main() {
	log := telemetry.NewLogger(os.Stdout, os.Getenv("LOG_LEVEL"))
	h, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("processor cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// wire makes everything that outlives a batch.
func wire(getenv func(string) string, log *slog.Logger) (*handler, error) {
	compiled, err := config.Open(getenv("PUSHPULL_CONFIG"), embedded.Compiled)
	if err != nil {
		return nil, err
	}
	client, err := awslite.New(getenv, nil)
	if err != nil {
		return nil, err
	}
	var bodies queue.Bodies
	if location := getenv("BODIES"); location != "" {
		if bodies, err = queue.OpenBodies(location, client); err != nil {
			return nil, err
		}
	}
	sqs := queue.Direct(client)
	data := getenv("PUSHPULL_DATA")
	if data == "" {
		data = "/tmp" // the one folder that Lambda lets a function write to
	}
	secrets := secret.New(client, getenv, log)
	db, table := dynamolite.New(client), getenv("STATE_TABLE")
	states := checkpoint.New(db, table, time.Now)
	budgets := budget.New(db, table, log, time.Now)
	apis := hydrate.NewEnv(hydrate.Options{
		Secrets: secrets, Locker: states, Budget: budgets, Getenv: getenv,
	})
	destinations := destination.NewEnv(destination.Options{
		Secrets: secrets, Locker: states, Getenv: getenv, Data: data, Log: log, Now: time.Now, AWS: settings,
	})
	catalog, err := newCatalog(compiled, destinations, apis, privacy.NewEnv(privacy.Options{Secrets: secrets, KMS: client, Now: time.Now}))
	if err != nil {
		return nil, err
	}
	return &handler{
		queueURL:  getenv("EVENT_QUEUE_URL"),
		strictURL: getenv("STRICT_QUEUE_URL"),
		hider:     sqs,
		letters:   queue.New(sqs, getenv("DEAD_LETTER_QUEUE_URL"), nil),
		bodies:    bodies,
		ledger:    ledger.New(db, getenv("EVENTS_TABLE"), bodies, time.Now),
		catalog:   catalog,
		late:      states,
		gates: gates{
			breakers: breaker.New(db, table, log, time.Now), budgets: budgets, places: slots.New(db, table, log, time.Now),
		},
		log:     log,
		metrics: telemetry.NewMetrics(os.Stdout, time.Now),
		now:     time.Now,
		jitter:  jitter,
	}, nil
}

// settings are those of the SDK's clients, which destinations in AWS use: the
// region and the credentials that Lambda puts into the environment.
func settings() (aws.Config, error) {
	return awsconfig.LoadDefaultConfig(context.Background())
}
