// Command receiver is the Lambda function that providers push to: it
// authenticates a request, finds the event in it and queues it.
//
// Its one invariant: a 2xx is answered only for an event that the queue has.
// What is our fault is a 503, so that the provider comes again; a 4xx is the
// request's own.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"pushpull/shared/awslite"
	"pushpull/shared/config"
	"pushpull/shared/privacy"
	"pushpull/shared/queue"
	"pushpull/shared/rate"
	"pushpull/shared/secret"
	"pushpull/shared/telemetry"
	"pushpull/shared/webhook"

	"github.com/aws/aws-lambda-go/lambda"

	embedded "pushpull/config"
)

func main() {
	log := telemetry.NewLogger(os.Stdout, os.Getenv("LOG_LEVEL"))
	h, err := wire(os.Getenv, log, os.Stdout)
	if err != nil {
		log.Error("receiver cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h)
}

// wire makes everything that outlives a request. Metrics are lines on out.
func wire(getenv func(string) string, log *slog.Logger, out io.Writer) (*handler, error) {
	queueURL := getenv("EVENT_QUEUE_URL")
	if queueURL == "" {
		return nil, errors.New("EVENT_QUEUE_URL is empty: set it to the address of the event queue (template.yaml does)")
	}
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
	outside, known := webhook.NewClient(), secret.New(client, getenv, log)
	h := &handler{
		config:  compiled,
		secrets: known,
		hides:   privacy.NewEnv(privacy.Options{Secrets: known, KMS: client, Now: time.Now}),
		queue:   queue.New(queue.Direct(client), queueURL, bodies),
		keys:    webhook.NewKeys(outside, getenv("PUSHPULL_KEYS"), time.Now),
		visit:   visit(outside),
		log:     log,
		metrics: telemetry.NewMetrics(out, time.Now),
		now:     time.Now,
	}
	if strict := getenv("STRICT_QUEUE_URL"); strict != "" {
		h.strict = queue.New(queue.Direct(client), strict, bodies)
	}
	if jobs := getenv("POLL_QUEUE_URL"); jobs != "" {
		h.jobs = queue.New(queue.Direct(client), jobs, nil)
	}
	if table := getenv("STATE_TABLE"); table != "" {
		h.limiter = rate.New(client.Retrying(1, 0), table, log, time.Now) // a payment sent twice would be charged twice
	}
	return h, nil
}

// visit fetches an address that a signed handshake named, to say yes.
func visit(client *http.Client) func(context.Context, string) error {
	return func(ctx context.Context, address string) error {
		_, _, err := webhook.Get(ctx, client, address, 1<<20)
		return err
	}
}
