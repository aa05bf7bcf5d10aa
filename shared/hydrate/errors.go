package hydrate

import "time"

// Missing is of an event that has nothing to be fetched.
type Missing struct {
	Reason string
	Keep   bool // the configuration says to deliver what came
}

func (e *Missing) Error() string { return e.Reason }

// Permanent is a failure that the same request would meet again.
type Permanent struct{ Reason string }

func (e *Permanent) Error() string { return e.Reason }

// Retryable is a failure that may pass.
type Retryable struct {
	Err   error
	After time.Duration // the API asked to be left alone for so long; 0 where it did not say
}

func (e *Retryable) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Retryable) Unwrap() error { return e.Err }
