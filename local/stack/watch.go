package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long nothing may change before what changed is taken up: an
// editor writes a file in several steps, git many files.
const quiet = 250 * time.Millisecond

// watch rebuilds the functions and recompiles the configuration when their
// files change. New environments take over from the old ones, which finish what
// they began; what is broken is shown, and the old goes on.
func (s *Stack) watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the files: %w", err)
	}
	for _, dir := range []string{filepath.Join(s.o.Root, "functions"), filepath.Join(s.o.Root, "shared"), s.o.ConfigDir} {
		if err := addFolders(w, dir); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	s.work.Go(func() {
		defer func() { _ = w.Close() }()
		s.watchLoop(ctx, w)
	})
	return nil
}

// addFolders watches dir and every folder below it.
func addFolders(w *fsnotify.Watcher, dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return w.Add(path)
	})
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	return nil
}

func (s *Stack) watchLoop(ctx context.Context, w *fsnotify.Watcher) {
	var code, config bool
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.Events:
			if e.Has(fsnotify.Create) {
				_ = addFolders(w, e.Name) // a file is no folder; a new folder is watched, too
			}
			isCode, isConfig := kindOf(e)
			if isCode || isConfig {
				code, config = code || isCode, config || isConfig
				timer.Reset(quiet)
			}
		case err := <-w.Errors:
			s.o.Logger.Error("watching the files failed", "error", err)
		case <-timer.C:
			s.reload(ctx, code, config)
			code, config = false, false
			timer.Reset(time.Hour)
		}
	}
}

// kindOf tells whether a change is one of code or of the configuration.
func kindOf(e fsnotify.Event) (code, config bool) {
	name := filepath.Base(e.Name)
	if e.Op == fsnotify.Chmod || strings.HasPrefix(name, ".") {
		return false, false
	}
	switch filepath.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go"), false
	case ".yaml", ".yml", ".csv", ".json": // and the tables and schemas beside it
		return false, true
	}
	return false, false
}

func (s *Stack) reload(ctx context.Context, code, config bool) {
	if config {
		if err := s.compile(); err != nil {
			s.o.Logger.Error("the configuration is as it was", "error", err)
			config = false
		}
	}
	if code {
		if err := s.build(ctx); err != nil {
			s.o.Logger.Error("the functions are as they were", "error", err)
			code = false
		}
	}
	if !code && !config {
		return
	}
	for _, f := range s.template.Functions {
		if err := s.runtime.Replace(ctx, s.function(f)); err != nil && ctx.Err() == nil {
			s.o.Logger.Error("a function is as it was", "function", f.ID, "error", err)
			return
		}
	}
	what := "code"
	if config {
		what = "configuration"
	}
	if code && config {
		what = "code and configuration"
	}
	s.o.Logger.Info("the functions run with the new " + what)
}
