package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// An Address is where a running stack listens: <data>/stack.json, for the other
// commands. Addresses are base URLs without a slash at the end.
type Address struct {
	PID      int               `json:"pid"`
	Gateway  string            `json:"gateway"`
	SQS      string            `json:"sqs"`
	DynamoDB string            `json:"dynamodb"`
	Secrets  string            `json:"secrets"`
	Sandbox  string            `json:"sandbox,omitempty"` // the base URL of the sandbox's API
	Region   string            `json:"region"`
	Queues   map[string]string `json:"queues"` // URLs, by logical id and by name
	Tables   map[string]string `json:"tables"` // names, by logical id and by name
	Data     string            `json:"data"`   // absolute
	Config   string            `json:"config"` // the folder of compiled.txt
	Bodies   string            `json:"bodies"` // the claim check, file://…
}

// ErrNotRunning is returned where no stack runs with a data folder.
var ErrNotRunning = errors.New("nothing runs here")

// ErrRunning is returned where another stack runs with the data folder.
var ErrRunning = errors.New("another stack runs here")

// Find returns the address of the stack that runs with that data folder.
func Find(data string) (Address, error) {
	a, err := readAddress(data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Address{}, err
	}
	if err != nil || !locked(data) {
		return Address{}, fmt.Errorf("%w (%s): start it with go run ./cmd/pushpull dev", ErrNotRunning, data)
	}
	return a, nil
}

func readAddress(data string) (Address, error) {
	var a Address
	text, err := os.ReadFile(filepath.Join(data, "stack.json")) //nolint:gosec // the data folder is the user's
	if err != nil {
		return a, fmt.Errorf("read the address of the local stack: %w", err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("%s is damaged, stop the stack and remove it: %w", filepath.Join(data, "stack.json"), err)
	}
	return a, nil
}

func (a Address) write() error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("write the address of the local stack: %w", err)
	}
	return replaceFile(filepath.Join(a.Data, "stack.json"), append(text, '\n'))
}

// replaceFile writes a file in one step: a reader sees the old one or the new one.
func replaceFile(path string, data []byte) error {
	next, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = next.Write(data)
	err = errors.Join(err, next.Close())
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(next.Name())))
	}
	return nil
}

// A lock on a data folder ends with its process, however that ends. The store's
// own file lock is one on every platform, so an empty store is the lock.
type lock struct{ db *bbolt.DB }

func lockPath(data string) string { return filepath.Join(data, "lock") }

func takeLock(data string) (lock, error) {
	db, err := bbolt.Open(lockPath(data), 0o600, &bbolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		a, _ := readAddress(data) // for the message; the first start may not have written it yet
		return lock{}, fmt.Errorf("%w (%s, process %d): stop it, or give this one a folder of its own with --data", ErrRunning, data, a.PID)
	}
	if err != nil {
		return lock{}, fmt.Errorf("lock the data folder %s: %w", data, err)
	}
	return lock{db}, nil
}

func (l lock) release() error {
	if err := l.db.Close(); err != nil {
		return fmt.Errorf("unlock the data folder: %w", err)
	}
	return nil
}

// locked reports whether a stack holds the lock.
func locked(data string) bool {
	if _, err := os.Stat(lockPath(data)); err != nil {
		return false
	}
	db, err := bbolt.Open(lockPath(data), 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Millisecond})
	if err != nil {
		return errors.Is(err, bolterrors.ErrTimeout)
	}
	_ = db.Close() // it was only opened to see whether it can be
	return false
}
