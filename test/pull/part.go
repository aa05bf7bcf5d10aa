package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"pushpull/local/dynamodb"
	"pushpull/local/lambda"
	"pushpull/local/scheduler"
	"pushpull/local/sqs"
	"pushpull/local/template"
	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/test/harness"
)

// A part is the deployed poller with its queues and tables, and nothing that works
// on what it queues: what the poller takes is then the poller's own.
type part struct {
	queues  *sqs.Server
	tables  *dynamodb.Server
	states  *checkpoint.Store
	runtime *lambda.Runtime
	closing []func()
	working sync.WaitGroup
}

const (
	eventQueue = "events"
	pollQueue  = "polls"
)

// startPart builds the poller and gives it the jobs of the poll queue.
func startPart(ctx context.Context, sources string, timeout time.Duration) (_ *part, err error) {
	p := &part{}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	root, err := harness.Root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pull")
	if err != nil {
		return nil, err
	}
	p.closing = append(p.closing, func() { os.RemoveAll(dir) })
	if err := compile(dir, sources); err != nil {
		return nil, err
	}
	if p.queues, err = sqs.Open(filepath.Join(dir, "queues.db"), sqs.Options{}); err != nil {
		return nil, err
	}
	p.closing = append(p.closing, func() { p.queues.Close() })
	if p.tables, err = dynamodb.Open(filepath.Join(dir, "tables.db"), dynamodb.Options{}); err != nil {
		return nil, err
	}
	p.closing = append(p.closing, func() { p.tables.Close() })
	queuesAt, tablesAt := httptest.NewServer(p.queues), httptest.NewServer(p.tables)
	p.closing = append(p.closing, queuesAt.Close, tablesAt.Close)
	p.queues.SetBaseURL(queuesAt.URL)

	t, err := template.Read(filepath.Join(root, "template.yaml"), template.Options{})
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, table := range t.Tables {
		names[table.ID] = table.Name
		if err := p.tables.EnsureTable(definition(table)); err != nil {
			return nil, err
		}
	}
	env := []string{
		"EVENTS_TABLE=" + names["EventsTable"], "STATE_TABLE=" + names["StateTable"],
		"BODIES=file://" + filepath.Join(dir, "bodies"), "PUSHPULL_CONFIG=" + dir, "LOG_LEVEL=WARN", "GOMAXPROCS=1",
		"AWS_ENDPOINT_URL_SQS=" + queuesAt.URL, "AWS_ENDPOINT_URL_DYNAMODB=" + tablesAt.URL,
		"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH"),
	}
	for name, variable := range map[string]string{eventQueue: "EVENT_QUEUE_URL", pollQueue: "POLL_QUEUE_URL", "dead": "POLL_DEAD_LETTER_QUEUE_URL"} {
		url, _, err := p.queues.EnsureQueue(name, map[string]string{"VisibilityTimeout": "120"})
		if err != nil {
			return nil, err
		}
		env = append(env, variable+"="+url)
	}
	if err := lambda.Build(ctx, root, dir, "./functions/poller"); err != nil {
		return nil, err
	}
	if p.runtime, err = lambda.New(ctx, lambda.Options{Output: complain}); err != nil {
		return nil, err
	}
	memory := 256
	for _, f := range t.Functions {
		if f.ID == "PollerFunction" {
			memory = f.Memory
		}
	}
	p.runtime.Add(lambda.Function{Name: "poller", ARN: "arn:aws:lambda:us-east-1:000000000000:function:poller", Path: lambda.Binary(dir, "poller"), Env: env, Timeout: timeout, Memory: memory, Limit: 2})
	client := sdk.New(sdk.Options{BaseEndpoint: aws.String(tablesAt.URL), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	p.states = checkpoint.New(client, names["StateTable"], time.Now)
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.working.Go(func() {
		scheduler.Mapping{Name: "polls", Function: "poller", Queue: pollQueue, BatchSize: 1, Concurrency: 2, PartialBatch: true}.Run(working, p.queues, p.runtime.Invoke, slog.New(slog.DiscardHandler))
	})
	p.closing = append(p.closing, func() {
		cancel()
		ended, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		_ = p.runtime.Close(ended)
		p.working.Wait()
	})
	return p, nil
}

// complain shows what the poller says that is no metric.
func complain(l lambda.Line) {
	if !bytes.HasPrefix(l.Text, []byte(`{"_aws"`)) {
		fmt.Fprintf(os.Stderr, "%.500s\n", l.Text)
	}
}

func (p *part) close() {
	for i := range p.closing {
		p.closing[len(p.closing)-1-i]()
	}
}

func compile(dir, sources string) error {
	file := load.File{Name: "pull.yaml", Data: []byte("sources:\n" + sources + "destinations:\n  none: { kind: http, url: \"https://example.com\" }\nroutes:\n  - { from: \"*\", to: none }\n")}
	cfg, problems := load.Load([]load.File{file})
	if wrong := load.Errors(problems); len(wrong) > 0 {
		return fmt.Errorf("the configuration has mistakes: %v", wrong)
	}
	text, err := load.Compile(cfg, []load.File{file})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, config.CompiledFile), []byte(text), 0o600)
}

func definition(t template.Table) dynamodb.TableDefinition {
	d := dynamodb.TableDefinition{TableName: t.Name, KeySchema: keys(t.Keys), BillingMode: "PAY_PER_REQUEST"}
	for name, kind := range t.Attributes {
		d.AttributeDefinitions = append(d.AttributeDefinitions, dynamodb.AttributeDefinition{AttributeName: name, AttributeType: kind})
	}
	for _, x := range t.Indexes {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, dynamodb.IndexDefinition{
			IndexName: x.Name, KeySchema: keys(x.Keys), Projection: dynamodb.Projection{ProjectionType: x.Projection, NonKeyAttributes: x.Include},
		})
	}
	return d
}

func keys(in []template.Key) []dynamodb.KeySchemaElement {
	out := make([]dynamodb.KeySchemaElement, len(in))
	for i, k := range in {
		out[i] = dynamodb.KeySchemaElement{AttributeName: k.Attribute, KeyType: k.Type}
	}
	return out
}

// drain takes what the poller queues, until ctx ends.
func (p *part) drain(ctx context.Context, take func(body string) error) error {
	for ctx.Err() == nil {
		messages, err := p.queues.Receive(ctx, eventQueue, 10, time.Second)
		if err != nil {
			return err
		}
		handles := make([]string, len(messages))
		for i, m := range messages {
			handles[i] = m.ReceiptHandle
			err = errors.Join(err, take(m.Body))
		}
		if err != nil {
			return err
		}
		if err := p.queues.Delete(ctx, eventQueue, handles); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}
