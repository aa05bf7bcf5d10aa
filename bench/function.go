package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// A function is one of the two that are compared, built as it is deployed.
type function struct {
	name   string
	binary string
	size   int64 // bytes
}

// build builds a package of this module as template.yaml has it built.
func build(ctx context.Context, name, pkg, folder string) (function, error) {
	f := function{name: name, binary: filepath.Join(folder, name)}
	if runtime.GOOS == "windows" {
		f.binary += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-tags", "lambda.norpc", "-o", f.binary, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return function{}, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	info, err := os.Stat(f.binary)
	if err != nil {
		return function{}, err
	}
	f.size = info.Size()
	return f, nil
}

// A run is what one process of a function took.
type run struct {
	init     time.Duration   // from the start of the process to its first request for work
	first    time.Duration   // from the start of the process to the first answer; 0 without one
	duration []time.Duration // of each event, from handing it out to its answer
	cpu      time.Duration   // user and system, of the whole process
	rss      int64           // at its peak, in bytes; 0 where the system does not say
}

// A stage is what a function runs on.
type stage struct {
	queue   string // address of the queue
	folder  string
	payload []byte
}

// run starts a function, hands it so many events, and ends it.
func (s stage) run(ctx context.Context, f function, events int) (run, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	api := newRuntimeAPI(s.payload, events)
	address, err := serve(ctx, api.handler())
	if err != nil {
		return run{}, err
	}
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, f.binary)
	cmd.Env = s.environment(address)
	cmd.Stderr = &output // standard output is the log, which costs the function what it costs to write it
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return run{}, err
	}
	result, err := api.wait(ctx, begin)
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed, which Wait calls an error
	if err != nil {
		return run{}, fmt.Errorf("%s: %w %s", f.name, err, output.Bytes())
	}
	result.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	result.rss = peakMemory(cmd.ProcessState)
	return result, nil
}

// wait waits until the function has asked for work, and answered what there is.
func (a *runtimeAPI) wait(ctx context.Context, begin time.Time) (run, error) {
	var result run
	select {
	case at := <-a.ready:
		result.init = at.Sub(begin)
	case err := <-a.failed:
		return run{}, err
	case <-ctx.Done():
		return run{}, fmt.Errorf("did not ask for work: %w", ctx.Err())
	}
	if a.want == 0 {
		return result, nil
	}
	select {
	case <-a.done:
		result.first = a.first.Sub(begin)
		result.duration = a.duration
		return result, nil
	case err := <-a.failed:
		return run{}, err
	case <-ctx.Done():
		return run{}, fmt.Errorf("did not answer everything: %w", ctx.Err())
	}
}

// environment is what Lambda and template.yaml give to a function.
func (s stage) environment(runtimeAPI string) []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_GROUP_NAME=bench", "AWS_LAMBDA_LOG_STREAM_NAME=bench",
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=bench", "AWS_SESSION_TOKEN=bench",
		"AWS_ENDPOINT_URL_SQS=http://" + s.queue, "EVENT_QUEUE_URL=http://" + s.queue + "/123456789012/events",
		"PUSHPULL_CONFIG=" + s.folder, secretName + "=" + secretValue, "HOME=" + s.folder, "PATH=" + os.Getenv("PATH"),
		"SystemRoot=" + os.Getenv("SystemRoot"),
	}
}
