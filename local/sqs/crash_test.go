package sqs_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pushpull/local/sqs"
)

// crashFile names, for the test binary run again as a child, the file to serve.
const crashFile = "PUSHPULL_TEST_CRASH_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		os.Exit(serveUntilKilled(path))
	}
	os.Exit(m.Run())
}

func serveUntilKilled(path string) int {
	s, err := sqs.Open(path, sqs.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	web := httptest.NewServer(s)
	_, _ = fmt.Fprintln(os.Stdout, web.URL) // the parent sees that it is missing
	_, _ = io.Copy(io.Discard, os.Stdin)    // until the parent is gone, should it not kill us
	return 0
}

// TestKilledWhileInUse kills the server with -9, again and again, while clients
// send, receive and delete. What was answered must hold.
func TestKilledWhileInUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "queues.db")
	seen := &witness{sent: map[string]bool{}, asked: map[string]bool{}, deleted: map[string]bool{}}
	for life := range 3 {
		child, endpoint := startChild(t, path)
		var clients sync.WaitGroup
		for client := range 4 {
			clients.Go(func() { seen.use(endpoint, fmt.Sprintf("%d-%d", life, client)) })
		}
		seen.waitFor(t, (life+1)*300)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		clients.Wait()
		_ = child.Wait() // killed, as it should be
	}
	seen.check(t, open(t, path, sqs.Options{}))
}

func startChild(t *testing.T, path string) (*exec.Cmd, remote) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), crashFile+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	endpoint := dial(strings.TrimSpace(line))
	if err := endpoint.post("CreateQueue", map[string]any{"QueueName": "q"}, nil); err != nil {
		t.Fatal(err)
	}
	return child, endpoint
}

// A witness writes down what was answered.
type witness struct {
	mu      sync.Mutex
	sent    map[string]bool // by body
	asked   map[string]bool // to be deleted, whether or not that was answered
	deleted map[string]bool
}

// use sends two batches, receives and deletes one, and so on until the server is gone.
func (w *witness) use(endpoint remote, name string) {
	url := endpoint.url + "/000000000000/q"
	for n := 0; ; n++ {
		for part := range 2 {
			var entries []map[string]any
			var bodies []string
			for i := range 10 {
				body := fmt.Sprintf("%s-%d-%d-%d", name, n, part, i)
				bodies = append(bodies, body)
				entries = append(entries, map[string]any{"Id": fmt.Sprint(i), "MessageBody": body})
			}
			if endpoint.post("SendMessageBatch", map[string]any{"QueueUrl": url, "Entries": entries}, nil) != nil {
				return
			}
			w.note(w.sent, bodies)
		}
		if !w.consume(endpoint, url) {
			return
		}
	}
}

func (w *witness) consume(endpoint remote, url string) bool {
	var got struct {
		Messages []struct{ Body, ReceiptHandle string }
	}
	if endpoint.post("ReceiveMessage", map[string]any{"QueueUrl": url, "MaxNumberOfMessages": 10}, &got) != nil {
		return false
	}
	if len(got.Messages) == 0 {
		return true
	}
	var entries []map[string]any
	var bodies []string
	for i, m := range got.Messages {
		bodies = append(bodies, m.Body)
		entries = append(entries, map[string]any{"Id": fmt.Sprint(i), "ReceiptHandle": m.ReceiptHandle})
	}
	w.note(w.asked, bodies)
	if endpoint.post("DeleteMessageBatch", map[string]any{"QueueUrl": url, "Entries": entries}, nil) != nil {
		return false
	}
	w.note(w.deleted, bodies)
	return true
}

func (w *witness) note(where map[string]bool, bodies []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, body := range bodies {
		where[body] = true
	}
}

func (w *witness) waitFor(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; <-time.After(5 * time.Millisecond) {
		w.mu.Lock()
		enough := len(w.deleted) >= n
		w.mu.Unlock()
		if enough {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the clients did not delete %d messages", n)
		}
	}
}

// check receives everything, in flight or not, and compares.
func (w *witness) check(t *testing.T, s *sqs.Server) {
	t.Helper()
	left := map[string]bool{}
	for {
		got, err := s.Receive(t.Context(), "q", 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			if left[m.Body] {
				t.Errorf("%s is there twice", m.Body)
			}
			left[m.Body] = true
		}
	}
	for body := range w.deleted {
		if left[body] {
			t.Errorf("%s was deleted, and is back", body)
		}
	}
	lost := 0
	for body := range w.sent {
		if !left[body] && !w.asked[body] {
			lost++
		}
	}
	// What was received but not yet asked to be deleted is still in flight: at most
	// one batch of each client of each life.
	if inFlight := 3 * 4 * 10; lost > inFlight {
		t.Errorf("%d messages are lost, where at most %d can be in flight", lost, inFlight)
	}
	hidden := w.hidden(t, s)
	if lost > hidden {
		t.Errorf("%d messages cannot be received, but only %d are in flight", lost, hidden)
	}
	t.Logf("%d sent, %d deleted, %d left, %d in flight", len(w.sent), len(w.deleted), len(left), lost)
}

// hidden is how many messages were in flight before check received the others.
func (w *witness) hidden(t *testing.T, s *sqs.Server) int {
	t.Helper()
	purged := call(s, "GetQueueAttributes", `{"QueueUrl":"http://x/000000000000/q","AttributeNames":["ApproximateNumberOfMessagesNotVisible"]}`)
	var answer struct {
		Attributes struct {
			ApproximateNumberOfMessagesNotVisible int `json:",string"`
		}
	}
	if err := json.Unmarshal(purged.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Attributes.ApproximateNumberOfMessagesNotVisible
}

// A remote is an endpoint at the other end of a connection.
type remote struct {
	url  string
	http *http.Client
}

func dial(url string) remote {
	return remote{url, &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// post makes one call over HTTP. Any answer but 200 is an error.
func (e remote) post(action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	answer, err := e.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}
