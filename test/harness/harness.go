// Package harness runs the real `pushpull dev` as a process, for the tests that
// look at it from outside: they start it, kill it, start it again, and ask its
// command line.
package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options of a stack.
type Options struct {
	Binary     string            // the built pushpull command, see Build
	Root       string            // the module's folder
	Dir        string            // where its config, data and log go; must exist
	Config     map[string]string // the YAML files, by name
	Secrets    map[string]string // values by reference, beside those made at random
	Parameters map[string]string // of template.yaml
	Flags      []string          // more flags of dev
}

// A Stack is one `pushpull dev`, over any number of lives with the same data.
type Stack struct {
	URL string // of its gateway

	o    Options
	addr string
	cmd  *exec.Cmd
	done chan struct{}
}

// Build builds the command once, into dir.
func Build(ctx context.Context, root, dir string) (string, error) {
	binary := filepath.Join(dir, "pushpull")
	if os.PathSeparator == '\\' {
		binary += ".exe"
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/pushpull")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return binary, nil
}

// New writes the files of a stack; Start starts it.
func New(o Options) (*Stack, error) {
	for name, text := range o.Config {
		path := filepath.Join(o.Dir, "config", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "data"), 0o700); err != nil {
		return nil, err
	}
	var secrets strings.Builder
	for ref, value := range o.Secrets {
		fmt.Fprintf(&secrets, "%q: %q\n", ref, value)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "data", "secrets.yaml"), []byte(secrets.String()), 0o600); err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return &Stack{URL: "http://" + addr, o: o, addr: addr}, nil
}

// Start starts the process and returns when it is ready.
func (s *Stack) Start(ctx context.Context) error {
	args := []string{"dev", "--addr", s.addr, "--data", s.Data(), "--logs"}
	if len(s.o.Config) > 0 {
		args = append(args, "--config", filepath.Join(s.o.Dir, "config"))
	}
	for name, value := range s.o.Parameters {
		args = append(args, "--parameter", name+"="+value)
	}
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command(s.o.Binary, append(args, s.o.Flags...)...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.o.Root, log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done = make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // how it ended is in its log
		close(s.done)
	}()
	return s.ready(ctx)
}

func (s *Stack) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/healthz", nil)
		if err != nil {
			return err
		}
		if answer, err := client.Do(req); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.done:
			return fmt.Errorf("dev ended before it was ready:\n%s", s.Tail())
		case <-ctx.Done():
			return fmt.Errorf("dev was not ready: %w\n%s", ctx.Err(), s.Tail())
		case <-tick.C:
		}
	}
}

var client = &http.Client{Timeout: 5 * time.Second}

// Kill kills the whole stack as kill -9 does.
func (s *Stack) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.done
	return nil
}

// Stop ends the stack as a person does, and kills it if that takes too long.
func (s *Stack) Stop() error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return s.Kill()
	}
	select {
	case <-s.done:
		return nil
	case <-time.After(10 * time.Second):
		return errors.Join(errors.New("dev did not stop within 10 s"), s.Kill())
	}
}

// PID is the process id of the running dev.
func (s *Stack) PID() int { return s.cmd.Process.Pid }

// Binary is the pushpull command.
func (s *Stack) Binary() string { return s.o.Binary }

// Data is the stack's data folder.
func (s *Stack) Data() string { return filepath.Join(s.o.Dir, "data") }

// Log is the file its output goes to.
func (s *Stack) Log() string { return filepath.Join(s.o.Dir, "dev.log") }

// Tail is the end of its log.
func (s *Stack) Tail() string {
	b, err := os.ReadFile(s.Log())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// Command runs a command of pushpull against the stack and returns what it printed.
func (s *Stack) Command(ctx context.Context, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, s.o.Binary, append(args, "--data", s.Data())...)
	c.Dir = s.o.Root
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("pushpull %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.Bytes(), nil
}

// Root is the module's folder, found from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no go.mod above the working directory: run this inside the repository")
		}
		dir = filepath.Dir(dir)
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
