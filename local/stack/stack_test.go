package stack

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"pushpull/local/lambda"
	"pushpull/shared/ledger"
)

const push = `{"ref":"refs/heads/main","after":"4f1c…","repository":{"full_name":"octo/hello","id":7},"pusher":{"name":"octo"}}`

// testWriter has what is logged shown with the test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(b)))
	return len(b), nil
}

const githubToFile = `
sources:
  github:
    webhook: { provider: github, secret: "ssm:/pushpull/github/webhook" }
destinations:
  archive: { kind: file, path: delivered.ndjson }
routes:
  - { from: github, to: archive }
`

// configDir is a folder with that configuration, and not the one that a team edits.
func configDir(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "all.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startStack(t *testing.T, o Options) *Stack {
	t.Helper()
	o.Addr = "127.0.0.1:0"
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	o.Logger = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	o.Output = func(l lambda.Line) { t.Logf("%s: %s", l.Function, l.Text) }
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(t.Context()); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
	})
	return s
}

// postPush sends a push as GitHub would, signed with the stack's secret.
func postPush(t *testing.T, s *Stack, delivery, body string) int {
	t.Helper()
	secret, err := s.secrets.Value("ssm:/pushpull/github/webhook")
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Address().Gateway+"/webhooks/github", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery,
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, v)
	}
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// until waits until check is content, for a minute at most.
func until(t *testing.T, what string, check func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !check() {
		select {
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		case <-tick.C:
		}
	}
}

func records(t *testing.T, s *Stack, source string) []ledger.Record {
	t.Helper()
	a := s.Address()
	db := awsdynamodb.New(awsdynamodb.Options{Region: a.Region, BaseEndpoint: aws.String(a.DynamoDB), Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	var out []ledger.Record
	for r, err := range ledger.New(db, a.Tables["EventsTable"], nil, time.Now).Records(t.Context(), ledger.Filter{Sources: []string{source}, Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Minute)}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestWebhookToFile(t *testing.T) {
	t.Parallel()
	s := startStack(t, Options{ConfigDir: configDir(t, githubToFile)})
	if status := postPush(t, s, "72d3162e-cc78-11e3-81ab-4c9367dc0958", push); status/100 != 2 {
		t.Fatalf("the webhook was answered %d", status)
	}
	if status := postPush(t, s, "72d3162e-cc78-11e3-81ab-4c9367dc0958", push); status/100 != 2 {
		t.Fatalf("the second webhook was answered %d", status)
	}
	until(t, "the ledger has it as delivered, and its duplicate", func() bool {
		r := records(t, s, "github")
		return len(r) == 1 && r[0].Status == ledger.Delivered && r[0].Type == "push" && r[0].Duplicates["webhook"] == 1
	})
	data, err := os.ReadFile(filepath.Join(s.Address().Data, "delivered.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("\n")); n != 1 || !bytes.Contains(data, []byte(`octo/hello`)) {
		t.Errorf("the file has %d lines: %s", n, data)
	}
	found, err := Find(s.Address().Data)
	if err != nil || found.Gateway != s.Address().Gateway {
		t.Errorf("found %+v, %v", found, err)
	}
	if _, err := Start(t.Context(), Options{Data: s.Address().Data, Addr: "127.0.0.1:0"}); !errors.Is(err, ErrRunning) {
		t.Errorf("a second stack: %v, want ErrRunning", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := Find(s.Address().Data); !errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "go run ./cmd/pushpull dev") {
		t.Errorf("after its end: %v, want ErrNotRunning with the mend", err)
	}
}

func TestAConfigurationWithMistakesIsShownAndNothingIsLeftRunning(t *testing.T) {
	t.Parallel()
	o := Options{ConfigDir: configDir(t, "sources:\n  github:\n    webhok: {}\n"), Data: t.TempDir(), Addr: "127.0.0.1:0"}
	for range 2 { // the second shows that the first let the folder go
		_, err := Start(t.Context(), o)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "all.yaml:3") {
			t.Fatalf("error %v, want the mistake at its line", err)
		}
	}
}

func TestAnUnknownParameterIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Data: t.TempDir(), Addr: "127.0.0.1:0", Parameters: map[string]string{"Nope": "1"}})
	if err == nil || !strings.Contains(err.Error(), "no parameter Nope") {
		t.Errorf("error %v", err)
	}
}

func TestPortsStayTheSame(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	o := Options{ConfigDir: configDir(t, githubToFile), Data: data}
	first := startStack(t, o)
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := startStack(t, o)
	if first.Address().SQS != second.Address().SQS || first.Address().DynamoDB != second.Address().DynamoDB {
		t.Errorf("first %+v, then %+v", first.Address(), second.Address())
	}
}

func TestWatchTakesUpANewConfigurationAndKeepsTheOldOneForABrokenOne(t *testing.T) {
	t.Parallel()
	dir := configDir(t, githubToFile)
	s := startStack(t, Options{ConfigDir: dir, Watch: true})
	edit := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "all.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit("sources: [broken")
	edit(strings.Replace(githubToFile, "delivered.ndjson", "elsewhere.ndjson", 1))
	n := 0
	until(t, "events go to the new file", func() bool {
		n++
		if status := postPush(t, s, "72d3162e-cc78-11e3-81ab-00000000"+fmt.Sprintf("%04d", n), push); status/100 != 2 {
			t.Fatalf("a webhook was answered %d while functions were replaced", status)
		}
		_, err := os.Stat(filepath.Join(s.Address().Data, "elsewhere.ndjson"))
		return err == nil
	})
}
