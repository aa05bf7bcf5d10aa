package stack

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// benchLimit lets a run try another number of environments than the default.
func benchLimit() int {
	n, _ := strconv.Atoi(os.Getenv("PUSHPULL_BENCH_LIMIT"))
	return n
}

// BenchmarkWebhooks measures the whole way: signed webhooks in, over HTTP, lines
// of the file destination out, with everything of it on this machine.
func BenchmarkWebhooks(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as dev does
	s, err := Start(b.Context(), Options{Addr: "127.0.0.1:0", ConfigDir: configDir(b, githubToFile), Data: b.TempDir(), Limit: benchLimit()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Stop(b.Context()) }()
	secret, err := s.secrets.Value("ssm:/pushpull/github/webhook")
	if err != nil {
		b.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(push))
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.ResetTimer()
	began := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				req, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, s.Address().Gateway+"/webhooks/github", strings.NewReader(push))
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("X-GitHub-Event", "push")
				req.Header.Set("X-GitHub-Delivery", fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012d", n))
				req.Header.Set("X-Hub-Signature-256", signature)
				res, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode/100 != 2 {
					b.Errorf("answered %d", res.StatusCode)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "taken/s")
	for deadline := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		data, _ := os.ReadFile(filepath.Join(s.Address().Data, "delivered.ndjson"))
		if bytes.Count(data, []byte("\n")) >= b.N {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d events delivered", bytes.Count(data, []byte("\n")), b.N)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "events/s")
}
