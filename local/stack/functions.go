package stack

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"pushpull/local/lambda"
	"pushpull/local/scheduler"
	"pushpull/local/template"
)

// folder is the folder of a function under functions/: that of ReceiverFunction
// is receiver. The Makefile builds by the same rule.
func folder(f template.Function) string {
	return strings.ToLower(strings.TrimSuffix(f.ID, "Function"))
}

func (s *Stack) binaries() string { return filepath.Join(s.o.Data, "bin") }

// build builds the functions of the template.
func (s *Stack) build(ctx context.Context) error {
	packages := make([]string, 0, len(s.template.Functions))
	for _, f := range s.template.Functions {
		at := filepath.Join("functions", folder(f))
		if _, err := os.Stat(filepath.Join(s.o.Root, at)); err != nil {
			return fmt.Errorf("template.yaml has the function %s, but there is no folder %s: add it, or rename one of them", f.ID, at)
		}
		packages = append(packages, "./functions/"+folder(f))
	}
	if len(packages) == 0 {
		return nil
	}
	done := s.o.Progress("building the functions")
	defer done()
	return lambda.Build(ctx, s.o.Root, s.binaries(), packages...)
}

// startFunctions starts one environment of each function.
func (s *Stack) startFunctions(ctx context.Context) error {
	var err error
	s.runtime, err = lambda.New(ctx, lambda.Options{Logger: s.o.Logger, Region: region, Output: s.o.Output})
	if err != nil {
		return err
	}
	for _, f := range s.template.Functions {
		s.runtime.Add(s.function(f))
	}
	return s.runtime.Warm(ctx)
}

func (s *Stack) limit(f template.Function) int {
	limit := s.o.Limit
	if limit == 0 {
		limit = max(2, 2*runtime.NumCPU())
	}
	if f.Reserved > 0 {
		limit = min(limit, f.Reserved)
	}
	return limit
}

func (s *Stack) function(f template.Function) lambda.Function {
	return lambda.Function{
		Name: f.ID, ARN: f.ARN, Path: lambda.Binary(s.binaries(), folder(f)), Env: s.environment(f),
		Timeout: f.Timeout, Memory: f.Memory, Limit: s.limit(f),
	}
}

// passed are the variables of this machine that a process needs to reach the
// network and the file system, whoever it belongs to.
var passed = []string{
	"PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	// Where a stand-in answers for destinations in AWS; without it they are AWS's own.
	"AWS_ENDPOINT_URL_EVENTBRIDGE", "AWS_ENDPOINT_URL_FIREHOSE", "AWS_ENDPOINT_URL_KINESIS",
	"AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SNS",
}

// environment is what a function is given: the template's variables, where this
// stack answers, and the variables that env: references name; nothing else.
func (s *Stack) environment(f template.Function) []string {
	a := s.address
	set := map[string]string{}
	for _, name := range passed {
		if v, ok := os.LookupEnv(name); ok {
			set[name] = v
		}
	}
	for _, ref := range references(s.config) {
		if name, ok := strings.CutPrefix(ref, "env:"); ok {
			if v, ok := os.LookupEnv(name); ok {
				set[name] = v
			}
		}
	}
	maps.Copy(set, f.Environment)
	maps.Copy(set, map[string]string{
		"BODIES": a.Bodies, "PUSHPULL_CONFIG": a.Config, "PUSHPULL_DATA": a.Data,
		"PUSHPULL_KEYS":        s.keys.Folder(),
		"AWS_ENDPOINT_URL_SQS": a.SQS, "AWS_ENDPOINT_URL_DYNAMODB": a.DynamoDB,
		"AWS_ENDPOINT_URL_SSM": a.Secrets, "AWS_ENDPOINT_URL_SECRETS_MANAGER": a.Secrets,
	})
	out := make([]string, 0, len(set))
	for name, v := range set {
		out = append(out, name+"="+v)
	}
	return out
}

// startWork starts all that gives the functions work.
func (s *Stack) startWork(ctx context.Context) error {
	for _, m := range s.template.Mappings {
		mapping, err := s.mapping(m)
		if err != nil {
			return err
		}
		// Whoever had a message in hand when the last run ended is gone.
		if err := s.queues.GiveBack(mapping.Queue); err != nil {
			return err
		}
		s.work.Go(func() { mapping.Run(ctx, s.queues, s.runtime.Invoke, s.o.Logger) })
	}
	for _, sc := range s.template.Schedules {
		if _, err := scheduler.Parse(sc.Expression); err != nil {
			return fmt.Errorf("template.yaml: %s: %w", sc.ID, err)
		}
		schedule := scheduler.Schedule{Name: sc.ID, Function: sc.Function, Expression: sc.Expression, Input: sc.Input, Region: region}
		s.work.Go(func() { _ = schedule.Run(ctx, s.runtime.Invoke, s.o.Logger, s.o.Now) }) // the expression was parsed above
	}
	if s.provider != nil {
		s.work.Go(func() { s.provider.run(ctx) })
	}
	if s.o.Watch {
		return s.watch(ctx)
	}
	return nil
}

func (s *Stack) mapping(m template.Mapping) (scheduler.Mapping, error) {
	out := scheduler.Mapping{Name: m.ID, Function: m.Function, Region: region, BatchSize: m.BatchSize, PartialBatch: m.PartialBatch}
	for _, f := range s.template.Functions {
		if f.ID != m.Function {
			continue
		}
		// More than there can be environments would only wait, with its messages hidden.
		out.Concurrency = s.limit(f)
		if m.Concurrency > 0 {
			out.Concurrency = min(out.Concurrency, m.Concurrency)
		}
	}
	for _, q := range s.template.Queues {
		if q.ID == m.Queue {
			out.Queue, out.QueueARN = q.Name, q.ARN
		}
	}
	if out.Queue == "" || out.Concurrency == 0 {
		return out, fmt.Errorf("template.yaml: %s joins a queue and a function that are not both there", m.ID)
	}
	return out, nil
}
