package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "pushpull/local/dynamodb"
	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	ratebudget "pushpull/shared/budget"
	"pushpull/shared/config"
	"pushpull/test/pull/standin"
)

const pollers = 8

// A budgetCase is a limit, and how long the pollers press against it.
type budgetCase struct {
	requests int
	per      time.Duration
	lasts    time.Duration
}

// budget lets eight pollers, each with a store of its own, ask one API as often as
// their common budget lets them. The API counts every window.
func budget(ctx context.Context) error {
	fmt.Printf("budget: %d pollers on one credential, as fast as they may\n  %-14s %9s %14s %10s %6s\n", pollers, "limit", "requests", "most a window", "too many", "used")
	for _, c := range []budgetCase{{10, time.Second, 20 * time.Second}, {50, time.Second, 20 * time.Second}, {100, 10 * time.Second, 60 * time.Second}, {600, time.Minute, 3 * time.Minute}} {
		r, err := press(ctx, c)
		if err != nil {
			return err
		}
		fmt.Printf("  %4d a %-7s %9d %14d %10d %5.1f%%\n", c.requests, c.per, r.requests, r.most, r.violations, 100*r.used)
		if err := r.err(); err != nil {
			return err
		}
	}
	return nil
}

type pressed struct {
	requests, most, violations int
	used                       float64 // of what the limit gave in the time
}

func (p pressed) err() error {
	switch {
	case p.violations > 0:
		return fmt.Errorf("%d requests were more than the limit of their window", p.violations)
	case p.used < 0.9:
		return fmt.Errorf("only %.1f %% of the limit were used", 100*p.used)
	}
	return nil
}

func press(ctx context.Context, c budgetCase) (pressed, error) {
	table, done, err := stateTable(ctx)
	if err != nil {
		return pressed{}, err
	}
	defer done()
	window := standin.NewWindow(c.requests, c.per)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !window.Take(time.Now()) {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		time.Sleep(time.Duration(5+rand.IntN(40)) * time.Millisecond)
		fmt.Fprint(w, "[]")
	}))
	defer server.Close()

	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, began.Add(c.lasts))
	defer cancel()
	errs := make(chan error, pollers)
	for range pollers {
		go func() { errs <- askOn(ctx, table, server.URL, c) }()
	}
	for range pollers {
		err = errors.Join(err, <-errs)
	}
	var p pressed
	p.requests, p.most, p.violations = window.Seen()
	p.used = float64(p.requests) / (float64(c.requests) * float64(time.Since(began)) / float64(c.per))
	return p, err
}

// askOn is one poller: a client and a store that know of the others by the table alone.
func askOn(ctx context.Context, table *dynamodb.Client, address string, c budgetCase) error {
	base, err := url.Parse(address)
	if err != nil {
		return err
	}
	const ref = "ssm:/standin/shared"
	auth, err := apiauth.New(&config.APIAuth{Type: "bearer"}, apiauth.Options{Token: config.Secrets{ref}, Base: base, Store: secrets{ref: "one credential"}})
	if err != nil {
		return err
	}
	client, err := api.New(api.Config{Base: base, RateLimit: &config.RateLimit{Requests: c.requests, Per: config.Duration(c.per)}}, api.Options{
		Auth: auth, Budget: ratebudget.New(table, "state", slog.New(slog.DiscardHandler), time.Now), MaxWait: time.Hour,
	})
	if err != nil {
		return err
	}
	for {
		a, err := client.Do(ctx, api.Request{Method: http.MethodGet, URL: base.JoinPath("/list")})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err != nil {
			return nil //nolint:nilerr // its time was up
		}
		_, _ = io.Copy(io.Discard, a.Body)
		a.Body.Close()
	}
}

// stateTable is a DynamoDB table over a socket.
func stateTable(ctx context.Context) (*dynamodb.Client, func(), error) {
	dir, err := os.MkdirTemp("", "pull")
	if err != nil {
		return nil, nil, err
	}
	tables, err := local.Open(filepath.Join(dir, "tables.db"), local.Options{})
	if err != nil {
		return nil, nil, err
	}
	server := httptest.NewServer(tables)
	done := func() {
		server.Close()
		tables.Close()
		os.RemoveAll(dir)
	}
	client := dynamodb.New(dynamodb.Options{BaseEndpoint: &server.URL, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	_, err = client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("state"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		done()
		return nil, nil, err
	}
	return client, done, nil
}
