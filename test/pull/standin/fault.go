package standin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers a request, or does to it what happens to requests.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault, early := a.admit(r.URL.Path == "/token")
	if a.o.Latency > 0 {
		time.Sleep(a.o.Latency)
	}
	w.Header().Set("Date", a.Now().UTC().Format(http.TimeFormat))
	switch {
	case early || fault == "limited":
		a.refuse(w)
		return
	case fault == "reset":
		reset(w)
		return
	case fault == "broken":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader([]int{500, 502, 503, 504}[a.number(4)])
		fmt.Fprint(w, "<html><h1>Sorry</h1></html>")
		return
	}
	rec := httptest.NewRecorder()
	a.answer(rec, r)
	out := rec.Body.Bytes()
	maps.Copy(w.Header(), rec.Header())
	if a.gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && len(out) > 0 {
		out = zipped(out)
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	if rec.Code == http.StatusNoContent || rec.Code == http.StatusNotModified {
		w.Header().Del("Content-Length")
	}
	w.WriteHeader(rec.Code)
	switch fault {
	case "cut":
		_, _ = w.Write(out[:len(out)/2])
		panic(http.ErrAbortHandler) // the connection is closed in the middle of the answer
	case "slow":
		half := len(out) / 2
		_, _ = w.Write(out[:half])
		_ = http.NewResponseController(w).Flush()
		time.Sleep(a.slow())
		_, _ = w.Write(out[half:])
	default:
		_, _ = w.Write(out)
	}
}

// kinds are what goes wrong.
var kinds = []string{"limited", "limited", "reset", "broken", "cut", "slow"}

// admit counts a request and decides what becomes of it. Where tokens are given
// out, nothing is limited.
func (a *API) admit(token bool) (fault string, early bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	a.counts.Requests++
	if now := a.Now(); now.Before(a.until) && !token {
		if !a.limit.mute {
			a.counts.Early++
		}
		return "", true
	}
	if a.rand.Float64() >= a.o.Faults {
		return "", false
	}
	if fault = kinds[a.rand.IntN(len(kinds))]; fault == "limited" && token {
		return "", false
	}
	a.counts.Faults[fault]++
	if fault == "limited" {
		a.until = a.Now().Add(time.Duration(a.rand.Float64() * float64(a.o.Slow)))
	}
	return fault, false
}

func (a *API) refuse(w http.ResponseWriter) {
	a.mu.Lock()
	until := a.until
	a.mu.Unlock()
	a.limit.says(w, a.Now(), until)
}

func (a *API) slow() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Duration(a.rand.Float64() * float64(a.o.Slow))
}

func (a *API) number(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rand.IntN(n)
}

// reset closes the connection as a crashed host does.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// answer is the API without faults.
func (a *API) answer(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	if !a.credential(r) {
		a.counts.Unauthorized++
		fail(w, http.StatusUnauthorized, `{"error":"unauthorized"}`)
		return
	}
	a.serve(a, w, r)
}

// credential tells whether the request has the API's credential.
func (a *API) credential(r *http.Request) bool {
	switch {
	case a.open:
		return true
	case a.auth != nil:
		return a.auth(a, r)
	}
	return r.Header.Get("Authorization") == "Bearer "+a.Token()
}

func fail(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}
