package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxResponse is the largest answer of a function, in bytes, as in Lambda.
const maxResponse = 6 << 20

// ServeHTTP is the Runtime API. The path begins with the id of the environment,
// which its process was given as a part of AWS_LAMBDA_RUNTIME_API:
// /<environment>/2018-06-01/runtime/…
func (r *Runtime) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	r.mu.RLock()
	e := r.envs[id]
	r.mu.RUnlock()
	call, ok := strings.CutPrefix(rest, "2018-06-01/runtime/")
	switch {
	case e == nil:
		refuse(w, http.StatusForbidden, "UnknownEnvironment", "this environment has ended")
		return
	case !ok:
		refuse(w, http.StatusNotFound, "UnknownCall", "the runtime API here is of 2018-06-01")
		return
	}
	invocation, isInvocation := strings.CutPrefix(call, "invocation/")
	switch {
	case req.Method == http.MethodGet && call == "invocation/next":
		e.serveNext(w, req)
	case req.Method == http.MethodPost && call == "init/error":
		e.serveInitError(w, req)
	case req.Method == http.MethodPost && isInvocation && strings.HasSuffix(invocation, "/response"):
		e.serveResponse(w, req, strings.TrimSuffix(invocation, "/response"))
	case req.Method == http.MethodPost && isInvocation && strings.HasSuffix(invocation, "/error"):
		e.serveError(w, req, strings.TrimSuffix(invocation, "/error"))
	default:
		refuse(w, http.StatusNotFound, "UnknownCall", "no such call: "+req.Method+" "+call)
	}
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	body, _ := json.Marshal(Error{Type: kind, Message: message})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

// serveNext holds the process until there is an invocation for it.
func (e *environment) serveNext(w http.ResponseWriter, req *http.Request) {
	if !e.pool.next(e) {
		e.kill()
	}
	inv := e.take(req.Context(), e.asked.Add(1))
	if inv == nil {
		return // the process is gone, or about to be
	}
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(inv.payload))}
	h["Lambda-Runtime-Aws-Request-Id"] = []string{inv.id}
	h["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(time.Now().Add(e.fn.Timeout).UnixMilli(), 10)}
	h["Lambda-Runtime-Invoked-Function-Arn"] = []string{e.fn.ARN}
	h["Lambda-Runtime-Trace-Id"] = []string{traceID(inv.id, time.Now())}
	_, _ = w.Write(inv.payload)
}

// take waits for the invocation, and marks it as the process's own. Where the
// process has asked again meanwhile, it is for that.
func (e *environment) take(ctx context.Context, asked int64) *invocation {
	select {
	case inv := <-e.work:
		if e.asked.Load() != asked {
			e.work <- inv // there is room: it was just taken out
			return nil
		}
		e.pool.mu.Lock()
		defer e.pool.mu.Unlock()
		if e.current != inv {
			return nil // it timed out, or went to another environment
		}
		inv.taken = true
		return inv
	case <-e.gone:
	case <-ctx.Done():
	}
	return nil
}

// traceID is an X-Ray trace id made of the invocation's.
func traceID(id string, at time.Time) string {
	hex := strings.ReplaceAll(id, "-", "")
	return "Root=1-" + strconv.FormatInt(at.Unix(), 16) + "-" + hex[:24] + ";Parent=" + hex[16:] + ";Sampled=0"
}

func (e *environment) serveResponse(w http.ResponseWriter, req *http.Request, id string) {
	body, err := readAll(req)
	r := result{response: body}
	switch {
	case errors.Is(err, errTooLarge):
		r = result{err: &Error{Function: e.fn.Name, Type: TypeTooLarge, Message: "the answer is over 6 MiB"}}
	case err != nil:
		return // the process broke off: its exit ends the invocation
	case req.Trailer.Get("Lambda-Runtime-Function-Error-Type") != "":
		r = result{err: &Error{Function: e.fn.Name, Type: req.Trailer.Get("Lambda-Runtime-Function-Error-Type"), Message: "the function failed while it wrote its answer"}}
	}
	if !e.answer(id, r) {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no invocation of that id is in progress")
		return
	}
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the answer is over 6 MiB")
		return
	}
	accept(w)
}

func (e *environment) serveError(w http.ResponseWriter, req *http.Request, id string) {
	if !e.answer(id, result{err: e.readError(req)}) {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no invocation of that id is in progress")
		return
	}
	accept(w)
}

func (e *environment) serveInitError(w http.ResponseWriter, req *http.Request) {
	e.reported.Store(e.readError(req))
	accept(w)
}

// readError reads what a function says of its failure.
func (e *environment) readError(req *http.Request) *Error {
	out := &Error{}
	body, err := readAll(req)
	if err != nil || json.Unmarshal(body, out) != nil || out.Type == "" && out.Message == "" {
		out.Type, out.Message = req.Header.Get("Lambda-Runtime-Function-Error-Type"), string(body)
	}
	out.Function = e.fn.Name
	return out
}

// answer ends the invocation of that id, and reports false where there is none.
func (e *environment) answer(id string, r result) bool {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	if e.current == nil || e.current.id != id {
		return false
	}
	e.finish(r)
	e.returning = true
	e.pool.returning++
	return true
}

var errTooLarge = errors.New("too large")

func readAll(req *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxResponse+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxResponse {
		return nil, errTooLarge
	}
	return body, nil
}
