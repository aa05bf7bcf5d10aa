package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"pushpull/shared/config"
)

// A function is one of those that are compared, built as it is deployed.
type function struct {
	name   string
	binary string
	size   int64    // bytes
	env    []string // what template.yaml gives to ours alone
}

// build builds a package of this module as template.yaml has it built.
func build(ctx context.Context, name, pkg, folder string, flags ...string) (function, error) {
	f := function{name: name, binary: filepath.Join(folder, name)}
	if runtime.GOOS == "windows" {
		f.binary += ".exe"
	}
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-tags", "lambda.norpc", "-o", f.binary}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return function{}, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	var err error
	f.size, err = rewrite(f.binary)
	return f, err
}

// rewrite writes a file anew, in one piece, and returns its size. As the linker
// leaves it, its pages are scattered, in each file otherwise: of two binaries with
// the same bytes one then starts up to a sixth slower than the other.
func rewrite(file string) (size int64, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	if err := os.Remove(file); err != nil {
		return 0, err
	}
	return int64(len(text)), os.WriteFile(file, text, 0o700)
}

// buildReceiver builds the receiver with a configuration in it, in the place of
// the project's own, as a deployment has it.
func buildReceiver(ctx context.Context, name string, s setting) (function, error) {
	replaced, err := filepath.Abs(filepath.Join("config", config.CompiledFile))
	if err != nil {
		return function{}, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{replaced: filepath.Join(s.folder, config.CompiledFile)}})
	if err != nil {
		return function{}, err
	}
	file := filepath.Join(s.folder, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return function{}, err
	}
	f, err := build(ctx, name, "./functions/receiver", s.folder, "-overlay", file)
	f.env = []string{"GOMAXPROCS=1"}
	return f, err
}

// A job is what a function is given.
type job struct {
	setting  setting
	payload  []byte
	events   int           // invocations with it; without any the function is only started
	patience time.Duration // of an invocation; 10 s where it is 0, as template.yaml has it
	any      bool          // any answer will do
}

// A run is what one process of a function took.
type run struct {
	init     time.Duration   // from the start of the process to its first request for work
	first    time.Duration   // from the start of the process to the first answer; 0 without one
	duration []time.Duration // of each event, from handing it out to its answer
	cpu      time.Duration   // user and system, of the whole process
	peak     int64           // of its memory, in bytes; 0 where the system does not say
	status   int             // of the last answer
	queued   int             // messages that the queue was given
	stored   int             // bodies that the claim check was given
}

// A stage is what a function runs on.
type stage struct {
	address string // of the queue and the claim check
	kept    *kept
}

// run starts a function, hands it what there is, and ends it.
func (s stage) run(ctx context.Context, f function, j job) (run, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	api := newRuntimeAPI(j)
	address, err := serve(ctx, api.handler())
	if err != nil {
		return run{}, err
	}
	s.kept.reset()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, f.binary)
	cmd.Env = slices.Concat(s.environment(address), j.setting.environment(), f.env)
	cmd.Stderr = &output // standard output is the log, which costs the function what it costs to write it
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return run{}, err
	}
	result, err := api.wait(ctx, begin)
	peak := peakMemory(cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed, which Wait calls an error
	if err != nil {
		return run{}, fmt.Errorf("%s: %w %s", f.name, err, output.Bytes())
	}
	result.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	result.peak = peak
	result.queued, result.stored = s.kept.counts()
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
	if a.job.events == 0 {
		return result, nil
	}
	select {
	case <-a.done:
		result.first = a.first.Sub(begin)
		result.duration = a.duration
		result.status = a.status
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
		"AWS_ENDPOINT_URL_SQS=http://" + s.address, "EVENT_QUEUE_URL=http://" + s.address + "/123456789012/events",
		"AWS_ENDPOINT_URL_S3=http://" + s.address, "BODIES=s3://bodies",
		"HOME=" + os.TempDir(), "PATH=" + os.Getenv("PATH"), "SystemRoot=" + os.Getenv("SystemRoot"),
	}
}
