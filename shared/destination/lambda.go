package destination

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var lambdaKind = Kind{
	Name:   "lambda",
	Doc:    "Invokes a Lambda function with each event as CloudEvents JSON, and waits for its answer.",
	Fields: []string{"function", "timeout", "retry"},
	Permissions: func(c config.Destination) []Permission {
		return []Permission{{Actions: []string{"lambda:InvokeFunction"}, Resources: []string{resource(c.Function, "lambda", "function:")}}}
	},
	Idempotency: "The function is invoked again where its answer was lost or it failed; the id in its event tells.",
	Limits:      "A payload of 6 MiB, and an answer within the destination's timeout.",
	open:        openLambda,
}

const maxPayload = 6 << 20

type function struct {
	client  *lambda.Client
	name    string
	timeout time.Duration
}

func openLambda(c config.Destination, env *Env) (Destination, error) {
	if c.Function == "" {
		return nil, errors.New("function: is empty: write the name or the ARN of the function")
	}
	settings, err := env.aws()
	if err != nil {
		return nil, err
	}
	client := lambda.NewFromConfig(settings, func(o *lambda.Options) { o.Region = regionOf(c.Function, o.Region) })
	return &function{client: client, name: c.Function, timeout: timeoutOf(c)}, nil
}

// Deliver invokes the function once. What it answers is not read, as it may hold
// what the event holds; only whether it failed.
func (f *function) Deliver(ctx context.Context, e event.Event) (Result, error) {
	payload, err := envelope(e)
	if err == nil && len(payload) > maxPayload {
		err = fmt.Errorf("the event has %d bytes, the limit of a payload is %d: transform it to less, or keep it in s3", len(payload), maxPayload)
	}
	if err != nil {
		return Result{}, &Permanent{Err: err}
	}
	out, err := within(ctx, f.timeout, func(ctx context.Context) (*lambda.InvokeOutput, error) {
		return f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: payload})
	})
	if err != nil {
		return Result{}, err
	}
	result := Result{Status: int(out.StatusCode)}
	if failed := aws.ToString(out.FunctionError); failed != "" {
		return result, &Retryable{Err: fmt.Errorf("the function failed (%s): its own log says why", failed)}
	}
	return result, nil
}
