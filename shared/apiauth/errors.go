package apiauth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Mistake is one in the configuration of a credential.
type Mistake struct {
	Path    []string // to the key from what has the auth, such as auth, token_url
	Problem string   // what is wrong, and how to mend it
	Missing bool     // the key is not there; Problem says only what belongs there
	Name    string   // of the placeholder that nothing gives a value, where that is the mistake
}

// Error begins with the key: auth.token_url: …
func (m *Mistake) Error() string {
	problem := m.Problem
	if m.Missing {
		problem = "is missing: " + problem
	}
	return strings.Join(m.Path, ".") + ": " + problem
}

// OfSecret tells a name that is a secret's from one that belongs in with.
func (m *Mistake) OfSecret() bool {
	return slices.ContainsFunc([]string{"secret", "token", "password", "private_key", "certificate"}, func(word string) bool {
		return strings.HasSuffix(m.Name, word)
	})
}

// An Error is why there is no credential. It never holds one.
type Error struct {
	Key     string    // of the configuration, such as auth.token_url
	Reason  string    // what is wrong, and how to mend it
	Lasting bool      // trying again cannot help
	Until   time.Time // when to try again, where the provider said so
	code    string    // RFC 6749's, of a token request that was refused
}

func (e *Error) Error() string { return e.Key + ": " + e.Reason }

// Permanent reports whether trying again cannot help.
func (e *Error) Permanent() bool { return e.Lasting }

// remembered is the error for those who come before it is tried again.
func (e *Error) remembered() *Error {
	again := *e
	again.Reason += fmt.Sprintf(" (not tried again: it failed less than %s ago)", pause)
	return &again
}

func lasting(key, format string, args ...any) *Error {
	return &Error{Key: key, Reason: fmt.Sprintf(format, args...), Lasting: true}
}

func passing(key, format string, args ...any) *Error {
	return &Error{Key: key, Reason: fmt.Sprintf(format, args...)}
}

// Mistakes are those that an error of New joins.
func Mistakes(err error) []*Mistake {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []*Mistake
	for _, err := range joined.Unwrap() {
		if m, ok := errors.AsType[*Mistake](err); ok {
			all = append(all, m)
		}
	}
	return all
}
