package sandbox

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	maxDelivery  = 1 << 20 // bytes
)

// list answers GET /api/events?created[gte]=…&limit=…&cursor=…, oldest first.
func (s *Sandbox) list(w http.ResponseWriter, r *http.Request) {
	token, err := s.o.Secret(r.Context(), TokenSecret)
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "the token is not known: "+err.Error())
		return
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem(w, http.StatusUnauthorized, "send the token: Authorization: Bearer …")
		return
	}
	q, what := parseQuery(r)
	if what != "" {
		problem(w, http.StatusBadRequest, what)
		return
	}
	answer(w, http.StatusOK, s.page(q))
}

// A query is what a list is asked for.
type query struct {
	since time.Time
	after uint64 // the number of the last event of the page before
	limit int
}

func parseQuery(r *http.Request) (q query, what string) {
	q.limit = defaultLimit
	values := r.URL.Query()
	if text := values.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			return q, "limit is a number from 1 to 100"
		}
		q.limit = n
	}
	if text := values.Get("created[gte]"); text != "" {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return q, "created[gte] is a time such as 2026-11-23T10:00:00Z"
		}
		q.since = at
	}
	if text := values.Get("cursor"); text != "" {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return q, "cursor is the next_cursor of the page before"
		}
		if q.after, err = strconv.ParseUint(string(b), 10, 64); err != nil {
			return q, "cursor is the next_cursor of the page before"
		}
	}
	return q, ""
}

// A page is one answer of the list.
type page struct {
	Data       []json.RawMessage `json:"data"`
	HasMore    bool              `json:"has_more"`
	NextCursor *string           `json:"next_cursor"`
}

func (s *Sandbox) page(q query) page {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shop.listed = true
	entries := s.shop.entries
	from := sort.Search(len(entries), func(i int) bool {
		return entries[i].Number > q.after && !entries[i].Created.Before(q.since)
	})
	p := page{Data: []json.RawMessage{}}
	for _, e := range entries[from:min(from+q.limit, len(entries))] {
		p.Data = append(p.Data, e.Body)
	}
	if end := from + q.limit; end < len(entries) {
		next := base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatUint(entries[end-1].Number, 10)))
		p.HasMore, p.NextCursor = true, &next
	}
	return p
}

// inbox takes a delivery: it verifies that it is ours, and counts it under its
// identity, durably before the answer.
func (s *Sandbox) inbox(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if err != nil {
		problem(w, http.StatusBadRequest, "the body is not readable, or larger than 1 MiB")
		return
	}
	secret, err := s.o.Secret(r.Context(), InboxSecret)
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "the secret is not known: "+err.Error())
		return
	}
	if err := verify(secret, body, r.Header); err != nil {
		s.count(func(n *wrong) { n.rejected++ })
		problem(w, http.StatusUnauthorized, "the signature does not verify")
		return
	}
	if err := s.delivered(r.Header.Get(standardwebhooks.HeaderWebhookID), body); err != nil {
		problem(w, http.StatusServiceUnavailable, "the delivery was not recorded: "+err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// verify takes the secret as Standard Webhooks writes it, or else as raw text.
func verify(secret string, body []byte, h http.Header) error {
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil && !strings.HasPrefix(secret, "whsec_") {
		wh, err = standardwebhooks.NewWebhookRaw([]byte(secret))
	}
	if err != nil {
		return err
	}
	return wh.Verify(body, h)
}

func (s *Sandbox) delivered(id string, body []byte) error {
	s.mu.Lock()
	e := s.shop.byID[id]
	switch {
	case e == nil:
		s.shop.wrong.unknown++
	case !bytes.Equal(e.Body, body):
		s.shop.wrong.altered++
	}
	s.mu.Unlock()
	return s.change(id, func(e *entry) { e.Delivered++ })
}

func (s *Sandbox) count(how func(*wrong)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(&s.shop.wrong)
}
