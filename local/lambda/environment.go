package lambda

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// An environment is one process of a function. Its fields below mu's comment
// are guarded by the pool's mutex.
type environment struct {
	id         string
	pool       *pool
	fn         Function
	generation int
	work       chan *invocation // buffered by one: a single invocation at a time
	gone       chan struct{}    // closed when the process has ended
	ready      chan struct{}    // closed when it is up, or failed to be
	reported   atomic.Pointer[Error]
	process    atomic.Pointer[os.Process]
	killed     atomic.Bool
	asked      atomic.Int64 // how often the process asked for an invocation

	// guarded by pool.mu
	current *invocation
	timer   *time.Timer
	up      bool
	served  bool
	ended   bool
	failure *Error

	returning bool // has answered and not yet asked for more
}

func newEnvironment(p *pool, f Function, generation int) *environment {
	return &environment{
		id: uuid.NewString(), pool: p, fn: f, generation: generation,
		work: make(chan *invocation, 1), gone: make(chan struct{}), ready: make(chan struct{}),
	}
}

// wait returns nil once the environment is up.
func (e *environment) wait(ctx context.Context) error {
	select {
	case <-e.ready:
	case <-ctx.Done():
		return fmt.Errorf("%s is not up: %w", e.fn.Name, ctx.Err())
	}
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	if e.failure != nil {
		return e.failure
	}
	return nil
}

// assign gives the environment its invocation and starts the clock. The pool's mutex is held.
func (e *environment) assign(inv *invocation) {
	e.current = inv
	e.served = true
	e.timer = time.AfterFunc(e.fn.Timeout, func() { e.timedOut(inv) })
	e.work <- inv
}

// finish ends the current invocation. The pool's mutex is held.
func (e *environment) finish(r result) {
	e.timer.Stop()
	e.current.end(r)
	e.current = nil
}

func (e *environment) timedOut(inv *invocation) {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	if e.current != inv {
		return
	}
	message := fmt.Sprintf("%s Task timed out after %.2f seconds", inv.id, e.fn.Timeout.Seconds())
	e.finish(result{err: &Error{Function: e.fn.Name, Type: TypeTimeout, Message: message}})
	e.kill()
}

// kill ends the process; what it had in hand ends with it.
func (e *environment) kill() {
	e.killed.Store(true)
	if p := e.process.Load(); p != nil {
		_ = p.Kill() // it may have ended by itself
	}
}

// run is the life of the process, from start to exit.
func (e *environment) run() {
	started := time.Now()
	cause := e.execute()
	if reported := e.reported.Load(); reported != nil {
		cause = reported
	}
	close(e.gone)
	e.pool.rt.forget(e)
	e.pool.exited(e, cause)
	e.pool.rt.o.Logger.Debug("an environment ended", "function", e.fn.Name, "lived", time.Since(started).Round(time.Millisecond), "cause", cause.Message)
}

func (e *environment) execute() *Error {
	fail := func(format string, args ...any) *Error {
		return &Error{Function: e.fn.Name, Type: TypeExit, Message: fmt.Sprintf(format, args...)}
	}
	read, write, err := os.Pipe()
	if err != nil {
		return fail("make a pipe for its output: %v", err)
	}
	cmd := exec.Command(e.fn.Path) //nolint:gosec,noctx // the function that we built; its life is the pool's business
	cmd.Env = append(e.variables(), e.fn.Env...)
	cmd.Stdout, cmd.Stderr = write, write
	cmd.SysProcAttr = processAttributes()
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return fail("start %s: %v", e.fn.Path, err)
	}
	e.process.Store(cmd.Process)
	if e.killed.Load() {
		_ = cmd.Process.Kill()
	}
	init := time.AfterFunc(e.pool.rt.o.InitTimeout, e.initTimedOut)
	defer init.Stop()
	last := tail{}
	copyLines(read, func(text []byte) {
		last.keep(text)
		e.pool.rt.o.Output(Line{Function: e.fn.Name, Text: text})
	})
	_ = read.Close()
	return fail("the process ended: %s%s", exitText(cmd.Wait()), last.text())
}

func (e *environment) initTimedOut() {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	if e.up {
		return
	}
	e.reported.Store(&Error{Function: e.fn.Name, Type: TypeInit, Message: fmt.Sprintf("it did not ask for its first invocation within %v", e.pool.rt.o.InitTimeout)})
	e.kill()
}

func exitText(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "exit status 0"
	case errors.As(err, &exit):
		return exit.String()
	}
	return err.Error()
}

// variables are those that Lambda itself sets.
func (e *environment) variables() []string {
	region := e.pool.rt.o.Region
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + e.pool.rt.listener.Addr().String() + "/" + e.id,
		"AWS_LAMBDA_FUNCTION_NAME=" + e.fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(e.fn.Memory),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + e.fn.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + e.id,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_SESSION_TOKEN=local",
		"_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=.", "TZ=:UTC",
	}
}

// maxLine is the longest line that is handed on, in bytes; the rest of it is left out.
const maxLine = 1 << 20

// copyLines calls each for every line until r ends, whatever its length.
func copyLines(r io.Reader, each func([]byte)) {
	in := bufio.NewReaderSize(r, 64<<10)
	var long []byte
	for {
		part, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part[:min(len(part), maxLine-len(long))]...)
			continue
		}
		if len(long) > 0 {
			part = append(long, part[:min(len(part), maxLine-len(long))]...)
			long = nil
		}
		if part = bytes.TrimRight(part, "\r\n"); len(part) > 0 {
			each(part)
		}
		if err != nil {
			return
		}
	}
}

// A tail keeps the last lines that a process wrote, to say why it died.
type tail [][]byte

func (t *tail) keep(text []byte) {
	if len(*t) == 5 {
		copy(*t, (*t)[1:])
		*t = (*t)[:4]
	}
	*t = append(*t, append([]byte(nil), text[:min(len(text), 2000)]...))
}

func (t *tail) text() string {
	if len(*t) == 0 {
		return ""
	}
	return "; it said last: " + string(bytes.Join(*t, []byte("\n")))
}
