package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	senders  = 16  // at once
	pageSize = 100 // records a page of the API
)

// A provider pushes the plan's events, each until it is acknowledged, and lists
// those of the polled sources.
type provider struct {
	plan   *plan
	server *httptest.Server
	client *http.Client

	next     atomic.Int64 // items begun
	sent     atomic.Int64 // acknowledged
	refused  atomic.Int64 // tries that were not, and were made again
	requests atomic.Int64 // of the poller
}

func newProvider(p *plan) *provider {
	pr := &provider{plan: p, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}}
	pr.server = httptest.NewServer(http.HandlerFunc(pr.list))
	return pr
}

func (pr *provider) url() string { return pr.server.URL }
func (pr *provider) close()      { pr.server.Close() }

// progress is the share of the plan that was begun.
func (pr *provider) progress() float64 {
	return float64(pr.next.Load()) / float64(len(pr.plan.items))
}

// push sends every event that is not lost, those marked twice twice.
func (pr *provider) push(ctx context.Context, gateway string) error {
	failed := make(chan error, senders)
	for range senders {
		go func() {
			for {
				i := int(pr.next.Add(1)) - 1
				if i >= len(pr.plan.items) {
					failed <- nil
					return
				}
				if err := pr.pushOne(ctx, gateway, pr.plan.items[i]); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range senders {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

func (pr *provider) pushOne(ctx context.Context, gateway string, it item) error {
	times := 1
	if it.twice {
		times = 2
	}
	if it.lost {
		times = 0
	}
	for range times {
		if err := pr.untilAcknowledged(ctx, gateway, it); err != nil {
			return err
		}
		pr.sent.Add(1)
	}
	return nil
}

// untilAcknowledged tries as a provider does: any answer but 2xx is tried again.
func (pr *provider) untilAcknowledged(ctx context.Context, gateway string, it item) error {
	mac := hmac.New(sha256.New, []byte(pushSecret))
	mac.Write(it.body)
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	for deadline := time.Now().Add(3 * time.Minute); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, gateway+"/webhooks/"+name(it.source), bytes.NewReader(it.body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Chaos-Signature", signature)
		status, answer := 0, ""
		if res, err := pr.client.Do(req); err == nil {
			b, _ := io.ReadAll(io.LimitReader(res.Body, 500)) // for the message below
			res.Body.Close()
			status, answer = res.StatusCode, string(b)
			if status/100 == 2 {
				return nil
			}
		}
		if status/100 == 4 {
			return fmt.Errorf("%s was refused with %d: %s", it.id, status, answer)
		}
		pr.refused.Add(1)
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("%s was never acknowledged, last answer %d: %s", it.id, status, answer)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// list is the API: events of one source that are old enough to have begun,
// oldest first, from `since` on, a page at a time.
func (pr *provider) list(w http.ResponseWriter, r *http.Request) {
	pr.requests.Add(1)
	if r.Header.Get("Authorization") != "Bearer "+apiToken {
		http.Error(w, `{"error":"unauthorized"}`, http.StatusUnauthorized)
		return
	}
	source, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	since, _ := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64) // absent is 0: all
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))             // absent is 0: the first page

	page := struct {
		Data []json.RawMessage `json:"data"`
		Next string            `json:"next,omitempty"`
	}{Data: []json.RawMessage{}}
	begun := min(int(pr.next.Load()), len(pr.plan.items))
	for i := from; i < begun; i++ {
		it := pr.plan.items[i]
		if name(it.source) != source || it.at.Unix() < since {
			continue
		}
		if len(page.Data) == pageSize {
			page.Next = strconv.Itoa(i)
			break
		}
		page.Data = append(page.Data, it.body)
	}
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // the bytes of a record are those that were pushed
	_ = enc.Encode(page)     // the poller will try again
}
