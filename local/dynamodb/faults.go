package dynamodb

import (
	"encoding/json"
	"net/http"
	glob "path"
	"slices"
	"sync"
)

// A Fault makes calls fail on purpose, to see what a program does then.
type Fault struct {
	Table  string  `json:"table"`  // a name; empty or * is any
	Action string  `json:"action"` // a name or a glob: UpdateItem, Batch*; empty is any
	Rate   float64 `json:"rate"`   // of the calls, 0 to 1; 0 is all of them
	Code   string  `json:"code"`   // the error: ProvisionedThroughputExceededException where empty
	Status int     `json:"status"` // of HTTP: 400 where 0, or 500 for InternalServerError
	Count  int     `json:"count"`  // how many calls fail before it ends; 0 is no end
}

// faults are those in force, in the order in which they were set.
type faults struct {
	mu  sync.Mutex
	all []Fault
}

// SetFault adds a fault to those in force.
func (s *Server) SetFault(f Fault) error {
	if _, err := glob.Match(f.Action, ""); err != nil {
		return invalid("the fault's action %q is not a glob: %v", f.Action, err)
	}
	if f.Rate < 0 || f.Rate > 1 {
		return invalid("the fault's rate must be from 0 to 1, and is %v", f.Rate)
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		return invalid("the fault's status must be from 400 to 599, and is %d", f.Status)
	}
	if f.Code == "" {
		f.Code = codeThroughput
	}
	if f.Status == 0 {
		f.Status = http.StatusBadRequest
		if f.Code == codeInternal {
			f.Status = http.StatusInternalServerError
		}
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.all = append(s.faults.all, f)
	return nil
}

// Faults are those in force.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return slices.Concat([]Fault{}, s.faults.all)
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.all = nil
}

// check fails the call if a fault says so, before anything is done.
func (f *faults) check(action string, tables []string, random func() float64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.all {
		one := &f.all[i]
		if !one.meets(action, tables) || one.Rate > 0 && random() >= one.Rate {
			continue
		}
		e := &apiError{status: one.Status, code: one.Code, message: one.message()}
		if one.Count == 1 {
			f.all = slices.Delete(f.all, i, i+1)
		} else if one.Count > 1 {
			one.Count--
		}
		return e
	}
	return nil
}

func (f *Fault) meets(action string, tables []string) bool {
	if f.Action != "" {
		if matched, err := glob.Match(f.Action, action); err != nil || !matched {
			return false
		}
	}
	return f.Table == "" || f.Table == "*" || slices.ContainsFunc(tables, func(name string) bool { return nameOf(name) == f.Table })
}

func (f *Fault) message() string {
	if f.Code == codeThroughput {
		return "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
	}
	return "a fault that was set at /_faults of the local endpoint"
}

// serveFaults is the faults over HTTP: PUT adds one, GET lists, DELETE ends all.
func (s *Server) serveFaults(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut, http.MethodPost:
		var f Fault
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		d.DisallowUnknownFields()
		err := d.Decode(&f)
		if err != nil {
			err = failf(codeSerialization, "a fault is a JSON object with table, action, rate, code, status, count: %v", err)
		} else {
			err = s.SetFault(f)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
	case http.MethodDelete:
		s.ClearFaults()
	case http.MethodGet:
	default:
		w.Header().Set("Allow", "GET, PUT, DELETE")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := json.Marshal(s.Faults())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	send(w, http.StatusOK, body)
}
