// Command poller is the Lambda function that pulls: called by the schedule, it
// puts a job on the poll queue for each source that is due; given jobs, it reads
// pages and puts the events that are new on the event queue.
//
// Its one invariant: a checkpoint is saved only after the event queue took
// every event of the page it covers. A crash repeats a page, and never skips one.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	embedded "pushpull/config"
	"pushpull/shared/awslite"
	"pushpull/shared/budget"
	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/dynamolite"
	"pushpull/shared/ledger"
	"pushpull/shared/privacy"
	"pushpull/shared/queue"
	"pushpull/shared/secret"
	"pushpull/shared/telemetry"
)

func main() {
	log := telemetry.NewLogger(os.Stdout, os.Getenv("LOG_LEVEL"))
	h, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("poller cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// wire makes everything that outlives an invocation.
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
	db, sqs := dynamolite.New(client), queue.Direct(client)
	states, known := checkpoint.New(db, getenv("STATE_TABLE"), time.Now), secret.New(client, getenv, log)
	h := &handler{
		config:      compiled,
		states:      states,
		credentials: &credentials{store: known, locker: states, getenv: getenv, now: time.Now},
		budget:      budget.New(db, getenv("STATE_TABLE"), log, time.Now),
		hides:       privacy.NewEnv(privacy.Options{Secrets: known, KMS: client, Now: time.Now}),
		ledger:      ledger.New(db, getenv("EVENTS_TABLE"), nil, time.Now),
		events:      queue.New(sqs, getenv("EVENT_QUEUE_URL"), bodies),
		jobs:        queue.New(sqs, getenv("POLL_QUEUE_URL"), nil),
		dead:        queue.New(sqs, getenv("POLL_DEAD_LETTER_QUEUE_URL"), nil),
		visibility:  sqs,
		queueURL:    getenv("POLL_QUEUE_URL"),
		client:      &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
		log:         log,
		metrics:     telemetry.NewMetrics(os.Stdout, time.Now),
		now:         time.Now,
	}
	if strict := getenv("STRICT_QUEUE_URL"); strict != "" {
		h.strict = queue.New(sqs, strict, bodies)
	}
	return h, nil
}
