package sqs

import (
	"encoding/json"
	"net/http"
	"path"
	"sync"
)

const faultsPath = "/_faults"

// A Fault makes the endpoint misbehave, for tests. It is set with PUT /_faults and
// a Fault as JSON; GET lists, DELETE clears. One for the same queue and action
// replaces the one before.
type Fault struct {
	Queue     string  `json:"queue"`               // a queue's name or a pattern; * for all (also for calls that have no queue)
	Action    string  `json:"action"`              // an action or a pattern: SendMessage*
	Rate      float64 `json:"rate"`                // how many of the calls are refused, from 0 to 1
	Status    int     `json:"status"`              // of the refusal; 503 if 0
	Code      string  `json:"code"`                // of the refusal; ServiceUnavailable if empty
	Count     int     `json:"count"`               // how many calls to refuse before it ends by itself; 0: no end
	Duplicate float64 `json:"duplicate,omitempty"` // how many messages of a standard queue are handed out twice, from 0 to 1
}

type faults struct {
	rand func() float64

	mu  sync.Mutex
	set []Fault
}

// SetFault sets a fault, in place of the one for the same queue and action.
func (s *Server) SetFault(f Fault) error { return s.faults.put(f) }

// ClearFaults ends all faults.
func (s *Server) ClearFaults() { s.faults.clear() }

func (f *faults) put(fault Fault) error {
	if fault.Queue == "" {
		fault.Queue = "*"
	}
	if fault.Action == "" {
		fault.Action = "*"
	}
	for _, pattern := range []string{fault.Queue, fault.Action} {
		if _, err := path.Match(pattern, ""); err != nil {
			return errParameter("The pattern %q of the fault is malformed.", pattern)
		}
	}
	if fault.Rate < 0 || fault.Rate > 1 || fault.Duplicate < 0 || fault.Duplicate > 1 {
		return errParameter("The rate and duplicate of a fault are from 0 to 1.")
	}
	if fault.Status == 0 {
		fault.Status = http.StatusServiceUnavailable
	}
	if fault.Status < 400 || fault.Status > 599 || fault.Count < 0 {
		return errParameter("The status of a fault is from 400 to 599, and its count not negative.")
	}
	if fault.Code == "" {
		fault.Code = "ServiceUnavailable"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, old := range f.set {
		if old.Queue == fault.Queue && old.Action == fault.Action {
			f.set[i] = fault
			return nil
		}
	}
	f.set = append(f.set, fault)
	return nil
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set = nil
}

func (f *faults) list() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Fault{}, f.set...)
}

func (f *Fault) matches(queue, action string) bool {
	q, _ := path.Match(f.Queue, queue) // checked when it was set
	a, _ := path.Match(f.Action, action)
	return q && a
}

// check returns the error that a call is refused with, or nil.
func (f *faults) check(queue, action string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.set {
		fault := &f.set[i]
		if !fault.matches(queue, action) || fault.Rate == 0 || f.rand() >= fault.Rate {
			continue
		}
		refusal := &Error{Code: fault.Code, Message: "A fault was set at " + faultsPath + " that refuses this call.", Status: fault.Status}
		if fault.Count > 0 {
			if fault.Count--; fault.Count == 0 {
				f.set = append(f.set[:i], f.set[i+1:]...)
			}
		}
		return refusal
	}
	return nil
}

// any says whether a fault is set.
func (f *faults) any() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.set) > 0
}

// repeats says whether a message of a queue is to be handed out twice.
func (f *faults) repeats(queue string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.set {
		if f.set[i].Duplicate > 0 && f.set[i].matches(queue, "ReceiveMessage") && f.rand() < f.set[i].Duplicate {
			return true
		}
	}
	return false
}

// maybeRepeat keeps some of the messages that are being handed out, to hand them
// out again to whoever comes next, as a standard queue of AWS sometimes does.
func (s *Server) maybeRepeat(q *queue, messages []Message) {
	if !s.faults.any() || q.isFIFO() {
		return
	}
	for _, m := range messages {
		if !s.faults.repeats(q.name) {
			continue
		}
		if r, ok := parseReceipt(m.ReceiptHandle, q.number); ok {
			r.copy = 1
			m.ReceiptHandle = r.handle()
		}
		q.mu.Lock()
		q.again = append(q.again, m)
		q.announce()
		q.mu.Unlock()
	}
}

// takeAgain takes up to n of the messages that a fault kept. It needs the lock.
func (q *queue) takeAgain(n int) []Message {
	n = min(n, len(q.again))
	again := q.again[:n:n]
	if q.again = q.again[n:]; len(q.again) == 0 {
		q.again = nil
	}
	return again
}

func (f *faults) serve(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		f.clear()
	case http.MethodPut:
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		d.DisallowUnknownFields()
		var fault Fault
		if err := d.Decode(&fault); err != nil {
			writeError(w, errParameter("The fault is not as it should be: %v.", err))
			return
		}
		if err := f.put(fault); err != nil {
			writeError(w, err)
			return
		}
	default:
		w.Header().Set("Allow", "GET, PUT, DELETE")
		http.Error(w, "GET lists the faults, PUT sets one, DELETE clears them", http.StatusMethodNotAllowed)
		return
	}
	writeJSON(w, http.StatusOK, f.list())
}
