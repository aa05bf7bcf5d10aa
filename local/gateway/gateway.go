// Package gateway is API Gateway's HTTP API on one machine: a request becomes a
// payload 2.0 event for a function, and the function's answer the response. Its
// one invariant: the body reaches the function byte for byte.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// The limits of an HTTP API.
const (
	maxBody    = 10 << 20 // bytes
	maxPayload = 6 << 20  // bytes of the event: what Lambda takes
	maxHeaders = 10240    // bytes of request line and headers
	maxTime    = 30 * time.Second
)

// Invoke calls a function.
type Invoke func(ctx context.Context, function string, payload []byte) ([]byte, error)

// A Route is a path that a function answers: /webhooks/{source} or /files/{rest+}.
type Route struct {
	Function string
	Method   string // upper case, or ANY
	Path     string
}

// Options of a Gateway.
type Options struct {
	Routes []Route
	Invoke Invoke
	Rate   float64 // requests a second; 0 is no limit
	Burst  int
	Region string // default us-east-1
	Now    func() time.Time
	Logger *slog.Logger
	// Ready says whether /healthz answers 200 rather than 503; nil is always.
	Ready func() bool
}

// A Gateway is an http.Handler. It is safe for concurrent use.
type Gateway struct {
	o       Options
	routes  []route
	limiter *rate.Limiter
}

// New makes a gateway of its options.
func New(o Options) *Gateway {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	g := &Gateway{o: o, limiter: rate.NewLimiter(rate.Inf, 0)}
	if o.Rate > 0 {
		g.limiter = rate.NewLimiter(rate.Limit(o.Rate), max(1, o.Burst))
	}
	for _, r := range o.Routes {
		g.routes = append(g.routes, compile(r))
	}
	return g
}

// ServeHTTP answers one request, as the deployed gateway would.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		g.health(w)
		return
	}
	if !g.limiter.Allow() {
		refuse(w, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	if headerSize(r) > maxHeaders {
		refuse(w, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
		return
	}
	matched, parameters, ok := g.match(r.Method, r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		g.refuseBody(w, err)
		return
	}
	payload, err := json.Marshal(g.event(r, matched, parameters, body))
	if err != nil {
		g.o.Logger.Error("a request could not become an event", "error", err)
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	if len(payload) > maxPayload {
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	g.invoke(w, r, matched.Function, payload)
}

func (g *Gateway) health(w http.ResponseWriter) {
	if g.o.Ready != nil && !g.o.Ready() {
		refuse(w, http.StatusServiceUnavailable, "the functions are not up yet")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`)
}

func (g *Gateway) refuseBody(w http.ResponseWriter, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	refuse(w, http.StatusBadRequest, "Bad Request")
}

func (g *Gateway) invoke(w http.ResponseWriter, r *http.Request, function string, payload []byte) {
	// A provider that hangs up does not stop the function, here as there.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), maxTime)
	defer cancel()
	answer, err := g.o.Invoke(ctx, function, payload)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
	case err != nil:
		g.o.Logger.Error("a function failed", "function", function, "error", err)
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	default:
		if err := respond(w, answer); err != nil {
			g.o.Logger.Error("a function's answer is no response", "function", function, "error", err)
			refuse(w, http.StatusInternalServerError, "Internal Server Error")
		}
	}
}

func refuse(w http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(map[string]string{"message": message})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func headerSize(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + 4
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}

// A route is a Route cut into its segments.
type route struct {
	Route
	key      string // ANY /webhooks/{source}
	segments []string
}

func compile(r Route) route {
	return route{Route: r, key: r.Method + " " + r.Path, segments: strings.Split(strings.Trim(r.Path, "/"), "/")}
}

// match finds the first route for a request, and the values of its {names}.
func (g *Gateway) match(method, path string) (route, map[string]string, bool) {
	given := strings.Split(strings.Trim(path, "/"), "/")
	for _, r := range g.routes {
		if r.Method != "ANY" && r.Method != method {
			continue
		}
		if parameters, ok := r.match(given); ok {
			return r, parameters, true
		}
	}
	return route{}, nil, false
}

func (r route) match(given []string) (map[string]string, bool) {
	var parameters map[string]string
	for i, want := range r.segments {
		name, variable := strings.CutPrefix(want, "{")
		name = strings.TrimSuffix(name, "}")
		rest, greedy := strings.CutSuffix(name, "+")
		switch {
		case i >= len(given) || variable && given[i] == "":
			return nil, false
		case !variable && want != given[i]:
			return nil, false
		case !variable:
			continue
		}
		if parameters == nil {
			parameters = map[string]string{}
		}
		if greedy {
			parameters[rest] = strings.Join(given[i:], "/")
			return parameters, true
		}
		parameters[name] = given[i]
	}
	return parameters, len(given) == len(r.segments)
}

// Server returns an HTTP server for the gateway with the limits of the real one.
func Server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, IdleTimeout: 10 * time.Minute}
}

var errAnswer = errors.New("it is not of the form that API Gateway reads")

func badAnswer(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errAnswer}, args...)...)
}
