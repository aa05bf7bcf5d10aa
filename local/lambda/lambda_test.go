package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pushpull-lambda")
	if err != nil {
		return "", err
	}
	return Binary(dir, "function"), Build(context.Background(), ".", dir, "./testdata/function")
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func start(t *testing.T, o Options, f Function) *Runtime {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // end them at once
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	f.Name = "f"
	if f.Path == "" {
		f.Path = path
	}
	if f.Timeout == 0 {
		f.Timeout = 20 * time.Second
	}
	r.Add(f)
	return r
}

func call(t *testing.T, r *Runtime, do, text string) (string, error) {
	t.Helper()
	payload, err := json.Marshal(map[string]string{"Do": do, "Text": text})
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Invoke(t.Context(), "f", payload)
	if err != nil {
		return "", err
	}
	var s string
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("the answer %q: %v", out, err)
	}
	return s, nil
}

func wantType(t *testing.T, err error, want, text string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Type != want || !strings.Contains(e.Message, text) {
		t.Errorf("error %v, want %s with %q", err, want, text)
	}
}

func TestAFunctionAnswersFromOneEnvironmentAgainAndAgain(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{Env: []string{"MINE=yes"}, Memory: 256})
	first, err := call(t, r, "pid", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, err := call(t, r, "pid", ""); err != nil || again != first {
			t.Fatalf("pid %s, %v: want %s again", again, err, first)
		}
	}
	for name, want := range map[string]string{"MINE": "yes", "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"} {
		if got, err := call(t, r, "env", name); err != nil || got != want {
			t.Errorf("%s is %q, %v: want %q", name, got, err, want)
		}
	}
	if got, _ := call(t, r, "deadline", ""); got != "20s" {
		t.Errorf("deadline in %s, want 20s", got)
	}
}

func TestTheEnvironmentOfTheUserDoesNotReachAFunction(t *testing.T) {
	t.Setenv("MY_PRIVATE_TOKEN", "x")
	r := start(t, Options{}, Function{})
	if got, err := call(t, r, "environ", ""); err != nil || strings.Contains(got, "MY_PRIVATE_TOKEN") {
		t.Errorf("environment %q, %v", got, err)
	}
}

func TestBusyEnvironmentsAreJoinedByOthersUpToTheLimit(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{Limit: 3})
	if err := r.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := call(t, r, "sleep", "150ms"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p := r.pools["f"]
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) != 3 {
		t.Errorf("%d environments, want 3", len(p.all))
	}
}

func TestWhatAFunctionFailsWithIsItsCallersError(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{})
	_, err := call(t, r, "fail", "no luck")
	wantType(t, err, "errorString", "no luck")
	_, err = call(t, r, "large", "")
	wantType(t, err, TypeTooLarge, "6 MiB")
	if got, err := call(t, r, "echo", "still here"); err != nil || got != "still here" {
		t.Errorf("then %q, %v", got, err)
	}
}

func TestAProcessThatDiesFailsItsInvocationAndIsReplaced(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{})
	first, _ := call(t, r, "pid", "")
	_, err := call(t, r, "exit", "")
	wantType(t, err, TypeExit, "exit status 7")
	_, err = call(t, r, "panic", "")
	wantType(t, err, "string", "as asked")
	second, err := call(t, r, "pid", "")
	if err != nil || second == first {
		t.Errorf("pid %s, %v: want another than %s", second, err, first)
	}
}

func TestAnInvocationThatTakesTooLongIsEnded(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{Timeout: 300 * time.Millisecond})
	_, err := call(t, r, "sleep", "1h")
	wantType(t, err, TypeTimeout, "Task timed out after 0.30 seconds")
	if got, err := call(t, r, "echo", "next"); err != nil || got != "next" {
		t.Errorf("then %q, %v", got, err)
	}
}

func TestAFunctionThatCannotStartSaysWhyAndDoesNotSpin(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	starts := 0
	r := start(t, Options{Output: func(Line) { mu.Lock(); starts++; mu.Unlock() }}, Function{Env: []string{"FAIL=the reason"}})
	err := r.Warm(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Fatalf("error %v, want what the function said", err)
	}
	for range 100 {
		_, err := call(t, r, "echo", "")
		wantType(t, err, TypeExit, "the reason")
	}
	mu.Lock()
	defer mu.Unlock()
	if starts > 5 {
		t.Errorf("it was started %d times for 100 calls", starts)
	}
}

func TestABinaryThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{Path: "/does/not/exist"})
	if err := r.Warm(t.Context()); err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("error %v", err)
	}
}

func TestReplacingAFunctionLosesNoInvocation(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{Env: []string{"VERSION=1"}, Limit: 2})
	if err := r.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := r.pools["f"].fn
	next.Env = []string{"VERSION=2"}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := call(t, r, "env", "VERSION"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	err := r.Replace(t.Context(), next)
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := call(t, r, "env", "VERSION"); err != nil || got != "2" {
		t.Errorf("version %s, %v: want 2", got, err)
	}
	next.Env = []string{"FAIL=broken"}
	if err := r.Replace(t.Context(), next); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v, want the reason", err)
	}
	if got, err := call(t, r, "env", "VERSION"); err != nil || got != "2" {
		t.Errorf("after a broken version %s, %v: want 2", got, err)
	}
}

func TestWhatAFunctionWritesIsReadLineByLine(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var lines []string
	r := start(t, Options{Output: func(l Line) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, l.Function+": "+string(l.Text))
	}}, Function{})
	if _, err := call(t, r, "echo", "x"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		mu.Lock()
		found := slices.Contains(lines, "f: doing echo")
		mu.Unlock()
		if found {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("lines %q", lines)
		}
		runtime.Gosched()
	}
}

func TestCloseEndsEveryProcess(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}, Function{Limit: 2})
	pid, err := call(t, r, "pid", "")
	if err != nil {
		t.Fatal(err)
	}
	busy := make(chan error, 1)
	go func() { _, err := call(t, r, "sleep", "1h"); busy <- err }()
	p := r.pools["f"]
	for running := false; !running; runtime.Gosched() {
		p.mu.Lock()
		for e := range p.all {
			running = running || e.current != nil && e.current.taken
		}
		p.mu.Unlock()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}
	wantType(t, <-busy, TypeExit, "ended")
	if _, err := call(t, r, "echo", ""); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	if runtime.GOOS == "linux" {
		n, _ := strconv.Atoi(pid)
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", n)); err == nil {
			t.Errorf("the process %d still runs", n)
		}
	}
}

func TestLinesOfAnyLengthAreCut(t *testing.T) {
	t.Parallel()
	var got []int
	copyLines(strings.NewReader("a\n\n"+strings.Repeat("x", 3<<20)+"\nbc\r\nlast"), func(b []byte) { got = append(got, len(b)) })
	if want := []int{1, maxLine, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("lengths %v, want %v", got, want)
	}
}

func BenchmarkInvoke(b *testing.B) {
	path, err := binary()
	if err != nil {
		b.Fatal(err)
	}
	r, err := New(b.Context(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close(context.Background()) }()
	r.Add(Function{Name: "f", Path: path, Timeout: time.Minute})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.Invoke(b.Context(), "f", []byte(`{"Do":"echo","Text":"x"}`)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
