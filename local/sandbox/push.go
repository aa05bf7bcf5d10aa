package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	pushTimeout  = 10 * time.Second
	pushAttempts = 9           // over four minutes; then the webhook is lost
	firstRetry   = time.Second // doubles
	longestRetry = 60 * time.Second
)

// owed are the events of earlier runs whose webhooks were still to be sent.
func (s *Sandbox) owed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, e := range s.shop.entries {
		if e.Pushed == 0 && e.Fate != lost && !e.GivenUp {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// push sends an event's webhook as its fate has it.
func (s *Sandbox) push(ctx context.Context, id string) {
	e, ok := s.entry(id)
	if !ok {
		return
	}
	times := 1
	switch e.Fate {
	case lost:
		return
	case repeated:
		times = 2
	case delayed:
		if sleep(ctx, time.Second+rand.N(4*time.Second)) != nil { //nolint:gosec // a delay needs no secrecy
			return
		}
	case reordered:
		if sleep(ctx, s.o.Every+s.o.Every/2) != nil {
			return
		}
	case onTime:
	}
	for range times {
		if !s.send(ctx, e) {
			return
		}
		if err := s.change(id, func(e *entry) { e.Pushed++ }); err != nil {
			s.log.Error("sandbox: its state is not written", "error", err)
			return
		}
	}
}

// entry is a copy; ok is false where the event was forgotten meanwhile.
func (s *Sandbox) entry(id string) (e entry, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.shop.byID[id]
	if found == nil {
		return entry{}, false
	}
	return *found, true
}

// send posts one webhook until it is taken, as providers do: again after what
// may pass, and no more after a refusal.
func (s *Sandbox) send(ctx context.Context, e entry) (taken bool) {
	var err error
	for attempt := range pushAttempts {
		if attempt > 0 && sleep(ctx, min(firstRetry<<(attempt-1), longestRetry)) != nil {
			return false
		}
		var status int
		if status, err = s.post(ctx, e); err == nil && status < 300 {
			return true
		}
		if ctx.Err() != nil {
			return false // still owed, in the next run
		}
		if err == nil {
			err = fmt.Errorf("status %d", status)
			if status < 500 && status != http.StatusTooManyRequests {
				break
			}
		}
	}
	s.log.Warn("sandbox: a webhook was not taken, and is lost", "id", e.ID, "error", err)
	if err := s.change(e.ID, func(e *entry) { e.GivenUp = true }); err != nil {
		s.log.Error("sandbox: its state is not written", "error", err)
	}
	return false
}

func (s *Sandbox) post(ctx context.Context, e entry) (status int, err error) {
	secret, err := s.o.Secret(ctx, WebhookSecret)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.o.Webhooks+"/webhooks/"+Name, bytes.NewReader(e.Body))
	if err != nil {
		return 0, err
	}
	at := strconv.FormatInt(s.now().UnixMilli(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Sandbox-Webhooks/1")
	req.Header.Set("X-Sandbox-Time", at)
	req.Header.Set("X-Sandbox-Signature", sign(secret, at, e.Body))
	resp, err := s.o.Client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	return resp.StatusCode, nil
}

// sign is written out here rather than taken from package webhook: a provider
// knows nothing of us, so each event proves that the configuration describes it.
func sign(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, "v0:"+at+":")
	_, _ = mac.Write(body)
	return "v0=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
