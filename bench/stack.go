package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"pushpull/local/stack"
	"pushpull/shared/awslite"
	"pushpull/shared/secret"
)

// The load on the stack: so many clients that post one event after the other.
const (
	clients       = 16
	aimThroughput = 1000 // events a second, from the first accepted to the last delivered
)

// throughput is what the whole local stack did.
type throughput struct {
	Events    int     `json:"events"`
	Accepted  float64 `json:"accepted_per_second"`  // while the clients posted
	Delivered float64 `json:"delivered_per_second"` // from the first post to the last delivery
	Ready     float64 `json:"ready_seconds"`        // from the start of dev, the functions built before, to its readiness
	Aim       float64 `json:"aim"`
}

func (t throughput) write(w io.Writer) error {
	reached := "reached"
	if t.Delivered < t.Aim {
		reached = "missed"
	}
	_, err := fmt.Fprintf(w, "\nlocal stack, %d clients: %d events; %.0f accepted a second; %.0f delivered a second, aim ≥ %.0f, %s; ready after %.1f s\n",
		clients, t.Events, t.Accepted, t.Delivered, t.Aim, reached, t.Ready)
	return err
}

const (
	stackSecret = "ssm:/bench/github"
	stackConfig = `sources:
  github:
    webhook:
      provider: github
      secret: ` + stackSecret + `
destinations:
  archive:
    kind: file
    path: delivered.ndjson
routes:
  - from: github
    to: archive
`
)

// measureStack starts `pushpull dev` with a folder of its own, posts signed
// events to it for that long, and waits until all are delivered.
func measureStack(ctx context.Context, folder string, length time.Duration) (throughput, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dev, err := startDev(ctx, folder)
	if err != nil {
		return throughput{}, err
	}
	defer dev.stop()
	key, err := dev.secret(ctx)
	if err != nil {
		return throughput{}, err
	}
	begin := time.Now()
	accepted, err := dev.post(ctx, key, length)
	if err != nil {
		return throughput{}, fmt.Errorf("%w\n%s", err, dev.output.tail())
	}
	posted := time.Since(begin)
	if err := dev.delivered(ctx, accepted); err != nil {
		return throughput{}, fmt.Errorf("%w\n%s", err, dev.output.tail())
	}
	return throughput{
		Events:    accepted,
		Accepted:  float64(accepted) / posted.Seconds(),
		Delivered: float64(accepted) / time.Since(begin).Seconds(),
		Ready:     dev.ready.Seconds(),
		Aim:       aimThroughput,
	}, nil
}

// dev is a running `pushpull dev`.
type dev struct {
	cmd    *exec.Cmd
	output *output
	at     stack.Address
	ready  time.Duration
	ended  chan struct{}
}

func startDev(ctx context.Context, folder string) (*dev, error) {
	config, data := filepath.Join(folder, "config"), filepath.Join(folder, "data")
	if err := os.MkdirAll(config, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(config, "bench.yaml"), []byte(stackConfig), 0o600); err != nil {
		return nil, err
	}
	command, err := build(ctx, "pushpull", "./cmd/pushpull", folder)
	if err != nil {
		return nil, err
	}
	d := &dev{output: &output{}, ended: make(chan struct{})}
	d.cmd = exec.CommandContext(ctx, command.binary, "dev", "--addr", "127.0.0.1:0", "--config", config, "--data", data, "--sandbox=false")
	d.cmd.Stdout, d.cmd.Stderr = d.output, d.output
	begin := time.Now()
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = d.cmd.Wait() // its output says why
		close(d.ended)
	}()
	if err := d.waitReady(ctx, data); err != nil {
		d.stop()
		return nil, fmt.Errorf("pushpull dev: %w\n%s", err, d.output.tail())
	}
	d.ready = time.Since(begin)
	return d, nil
}

// waitReady waits until the stack says where it listens, and that it is healthy.
func (d *dev) waitReady(ctx context.Context, data string) error {
	return d.poll(ctx, 3*time.Minute, "is not ready", func() bool {
		at, err := stack.Find(data)
		if err != nil {
			return false
		}
		d.at = at
		status, err := send(ctx, http.DefaultTransport, http.MethodGet, at.Gateway+"/healthz", nil, nil)
		return err == nil && status == http.StatusOK
	})
}

// secret asks the stack for the secret that it made for the source.
func (d *dev) secret(ctx context.Context) ([]byte, error) {
	env := map[string]string{
		"AWS_REGION": d.at.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": d.at.Secrets,
	}
	getenv := func(name string) string { return env[name] }
	client, err := awslite.New(getenv, nil)
	if err != nil {
		return nil, err
	}
	values, err := secret.New(client, getenv, slog.New(slog.DiscardHandler)).All(ctx, []string{stackSecret})
	if err != nil {
		return nil, err
	}
	return []byte(values[0]), nil
}

// post has the clients post events, each of its own identity, and returns how
// many were accepted. One that was not is an error: the stack is to slow its
// clients down, not to turn them away.
func (d *dev) post(ctx context.Context, key []byte, length time.Duration) (int, error) {
	body := []byte(sampleBody())
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()

	var (
		wait     sync.WaitGroup
		accepted atomic.Int64
		failures = make(chan error, clients)
		until    = time.Now().Add(length)
	)
	for range clients {
		wait.Go(func() {
			for time.Now().Before(until) {
				status, err := send(ctx, transport, http.MethodPost, d.at.Gateway+"/webhooks/github", body, map[string]string{
					"Content-Type": "application/json", "X-GitHub-Event": "push",
					"X-GitHub-Delivery": rand.Text(), "X-Hub-Signature-256": signature,
				})
				if err == nil && status/100 != 2 {
					err = fmt.Errorf("an event was answered %d", status)
				}
				if err != nil {
					failures <- err
					return
				}
				accepted.Add(1)
			}
		})
	}
	wait.Wait()
	close(failures)
	return int(accepted.Load()), <-failures
}

// delivered waits until the destination has that many events.
func (d *dev) delivered(ctx context.Context, want int) error {
	var reader lineCounter
	defer reader.close()
	return d.poll(ctx, 2*time.Minute, "did not deliver everything", func() bool {
		reader.open(d.at.Data)
		return reader.count() >= want
	})
}

// poll asks until the answer is yes, the process has ended, or it took too long.
func (d *dev) poll(ctx context.Context, longest time.Duration, otherwise string, ask func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-d.ended:
			return errors.New("it ended")
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", otherwise, ctx.Err())
		}
	}
	return nil
}

// stop ends the stack, and its functions with it.
func (d *dev) stop() {
	if runtime.GOOS == "windows" {
		_ = d.cmd.Process.Kill()
	} else {
		_ = d.cmd.Process.Signal(os.Interrupt)
	}
	select {
	case <-d.ended:
	case <-time.After(20 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
}

// send makes one request and returns the status of its answer.
func send(ctx context.Context, transport http.RoundTripper, method, url string, body []byte, header map[string]string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// A lineCounter counts the lines of the destination's file as it grows.
type lineCounter struct {
	file  *os.File
	lines int
}

func (c *lineCounter) open(data string) {
	if c.file != nil {
		return
	}
	if file, err := os.Open(filepath.Join(data, "delivered.ndjson")); err == nil {
		c.file = file
	}
}

func (c *lineCounter) count() int {
	if c.file == nil {
		return 0
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := c.file.Read(buffer)
		c.lines += bytes.Count(buffer[:n], []byte{'\n'})
		if err != nil {
			return c.lines // the end so far
		}
	}
}

func (c *lineCounter) close() {
	if c.file != nil {
		_ = c.file.Close()
	}
}

// output keeps the end of what a process wrote, for the case that it fails.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	const kept = 4 << 10
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if len(o.text) > 2*kept {
		o.text = append([]byte(nil), o.text[len(o.text)-kept:]...)
	}
	return len(p), nil
}

func (o *output) tail() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.text)
}
