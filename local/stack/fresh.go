package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state are the files and folders that hold what happened. Each is named, for
// the data folder may be one that holds other things of its owner. The secrets
// stay: people put their own in, and providers know them.
var state = []string{"queues.db", "tables.db", "sandbox.db", "bodies", "config"}

// forget removes the state of earlier runs. The lock is held.
func (s *Stack) forget() error {
	var errs []error
	for _, name := range state {
		errs = append(errs, os.RemoveAll(filepath.Join(s.o.Data, name)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("forget the earlier state: %w", err)
	}
	return nil
}

// forgetFiles removes what file destinations have in the data folder.
func (s *Stack) forgetFiles() error {
	for _, d := range s.config.Destinations {
		if d.Kind != "file" || !filepath.IsLocal(d.Path) {
			continue
		}
		if err := os.Remove(filepath.Join(s.o.Data, d.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget what was delivered: %w", err)
		}
	}
	return nil
}
