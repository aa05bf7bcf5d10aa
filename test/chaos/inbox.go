package main

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// An inbox is the destination: it verifies each delivery's signature and notes
// when it came.
type inbox struct {
	server *httptest.Server
	verify *standardwebhooks.Webhook

	mu     sync.Mutex
	came   map[string][]time.Time // by source/identity
	bodies map[string][]byte      // the first
	forged int
}

func newInbox() *inbox {
	verify, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(signKey))
	if err != nil {
		panic(err) // the key is a constant
	}
	in := &inbox{verify: verify, came: map[string][]time.Time{}, bodies: map[string][]byte{}}
	in.server = httptest.NewServer(in)
	return in
}

func (in *inbox) url() string { return in.server.URL }
func (in *inbox) close()      { in.server.Close() }

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off: its function was killed while it wrote
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.verify.Verify(body, r.Header); err != nil {
		in.forged++
		http.Error(w, "forged", http.StatusUnauthorized)
		return
	}
	key := r.Header.Get("ce-source") + "/" + r.Header.Get("webhook-id")
	if _, again := in.came[key]; !again {
		in.bodies[key] = body
	}
	in.came[key] = append(in.came[key], time.Now())
}

func (in *inbox) distinct() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.came)
}
