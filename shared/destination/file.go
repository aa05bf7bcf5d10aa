package destination

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var fileKind = Kind{
	Name:        "file",
	Doc:         "Appends each event to a file as one line of CloudEvents JSON (NDJSON).",
	Fields:      []string{"path", "retry"},
	Idempotency: "A repetition is a second line with the same id.",
	Limits:      "Those of the disk; in Lambda the file is in /tmp, and gone when the function is.",
	open:        openFile,
}

type file struct{ path string }

func openFile(c config.Destination, env *Env) (Destination, error) {
	if c.Path == "" {
		return nil, errors.New("path: is empty: write the file that events are appended to")
	}
	path := c.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.data, path)
	}
	return &file{path}, nil
}

// Deliver appends one line in one write, so that lines of several processes
// never mix. The file is private to its owner, for it holds payloads.
func (f *file) Deliver(ctx context.Context, e event.Event) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, &Retryable{Err: err}
	}
	line, err := encodeLine(e)
	if err != nil {
		return Result{}, &Permanent{Err: err}
	}
	if err := f.append(line); err != nil {
		return Result{}, &Retryable{Err: fmt.Errorf("append to the file: %w", err)} // a full disk may be emptied
	}
	return Result{}, nil
}

func (f *file) append(line []byte) error {
	out, err := f.open()
	if err != nil {
		return err
	}
	n, err := out.Write(line)
	if err != nil && n > 0 {
		_, _ = out.WriteString("\n") // what is broken stays a line of its own
	}
	return errors.Join(err, out.Close())
}

// open makes the parents only where they are missing, which is once.
func (f *file) open() (*os.File, error) {
	const flags = os.O_APPEND | os.O_CREATE | os.O_WRONLY
	out, err := os.OpenFile(f.path, flags, 0o600)
	if !errors.Is(err, os.ErrNotExist) {
		return out, err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(f.path, flags, 0o600)
}
