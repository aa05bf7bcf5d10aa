// Package destination delivers events: one file a kind, one line for it in the
// table of kinds. Its one invariant: Deliver returns nil only when the
// destination has said that it has the event.
package destination

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/event"
)

// A Destination is where events are delivered. It is safe for concurrent use.
type Destination interface {
	// Deliver makes one attempt with an event that has its data. Its errors are
	// a *Retryable or a *Permanent; anything else may be tried again.
	Deliver(ctx context.Context, e event.Event) (Result, error)
}

// A Result is what is worth recording of an attempt, whatever came of it.
type Result struct {
	Status int // HTTP status; 0 where there is none
}

// Retryable is a failure that may pass.
type Retryable struct {
	Err   error
	After time.Duration // the destination asked to be left alone for so long; 0 where it did not say
}

func (e *Retryable) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Retryable) Unwrap() error { return e.Err }

// Permanent is a failure that the same attempt would meet again.
type Permanent struct{ Err error }

func (e *Permanent) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Permanent) Unwrap() error { return e.Err }

// A Kind is one kind of destination.
type Kind struct {
	Name   string   // as written in config
	Doc    string   // one sentence, for the reference page
	Fields []string // of config.Destination, those that count for this kind, as written in config
	// Permissions are those that the processor's role needs; nil where it needs none.
	Permissions func(config.Destination) []Permission
	Idempotency string // what becomes of an event that is delivered twice, in one sentence
	Limits      string // of what it takes, in one sentence
	open        func(config.Destination, *Env) (Destination, error)
}

// A Permission is one statement of an IAM policy. In its resources ${AWS::Partition},
// ${AWS::Region} and ${AWS::AccountId} stand for what the configuration does not say.
type Permission struct {
	Actions   []string
	Resources []string
}

// Kinds is every kind there is, in the order of the docs. To add one: a file
// with its Kind, its line here, its row in the contract test.
func Kinds() []Kind {
	return []Kind{
		eventBridgeKind, fileKind, firehoseKind, httpKind, kinesisKind, lambdaKind, logKind, postgresKind, s3Kind, slackKind, snsKind, sqsKind,
	}
}

// ErrUnknownKind is wrapped by the error of a kind that is not in the table.
var ErrUnknownKind = errors.New("no such kind of destination")

// Open returns the destination that the configuration describes.
func Open(c config.Destination, env *Env) (Destination, error) {
	var names []string
	for _, k := range Kinds() {
		if k.Name == c.Kind {
			d, err := k.open(c, env)
			if err != nil {
				return nil, err
			}
			return gather(d, c.Batch), nil
		}
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("kind %q: %w: write one of %s", c.Kind, ErrUnknownKind, strings.Join(names, ", "))
}

// Options are what the destinations of a process have in common.
type Options struct {
	Secrets apiauth.Secrets          // resolves references; nil where no destination has any
	Locker  apiauth.Locker           // for refresh tokens that rotate
	Getenv  func(name string) string // for requests that are signed with the function's own role
	Data    string                   // the folder where relative paths begin
	Log     *slog.Logger             // what log destinations write to; nil where there is none
	Now     func() time.Time
	// AWS is asked once, when the first destination in AWS is opened; nil where there is none.
	AWS func() (aws.Config, error)
}

// Env is what destinations share: make one for the life of the process.
type Env struct {
	secrets apiauth.Secrets
	locker  apiauth.Locker
	getenv  func(string) string
	data    string
	log     *slog.Logger
	now     func() time.Time
	aws     func() (aws.Config, error)
	clients clients
}

// NewEnv returns what destinations share.
func NewEnv(o Options) *Env {
	return &Env{
		secrets: o.Secrets, locker: o.Locker, getenv: o.Getenv, data: o.Data, log: o.Log,
		now: o.Now, aws: onceAWS(o.AWS), clients: newClients(),
	}
}

// resolve resolves references; a failure may pass, as it is ours and not the event's.
func (env *Env) resolve(ctx context.Context, refs []string) ([]string, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	if env.secrets == nil {
		return nil, &Retryable{Err: errors.New("there is nothing to resolve secrets with")}
	}
	values, err := env.secrets.All(ctx, refs)
	if err != nil {
		return nil, &Retryable{Err: err}
	}
	return values, nil
}
