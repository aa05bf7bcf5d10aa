package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pushpull/shared/config"
)

// SchemaFile is the name of the JSON Schema beside the YAML files.
const SchemaFile = "pushpull.schema.json"

// ErrProblems is returned by Write for a configuration that is not written since
// it has problems.
var ErrProblems = errors.New("the configuration has problems")

// Compile writes a configuration for config.Parse. The files are those it was
// loaded from: their hash tells whether the text is current.
func Compile(cfg config.Config, files []File) (string, error) {
	var lines []string
	var errs []error
	add := func(kind, name string, value any) {
		l, err := line(kind, name, value)
		lines, errs = append(lines, l), append(errs, err)
	}
	for name, s := range cfg.Sources {
		add(config.KindSource, name, s)
	}
	for name, d := range cfg.Destinations {
		add(config.KindDestination, name, d)
	}
	for i, r := range cfg.Routes {
		add(config.KindRoute, fmt.Sprintf("%04d", i), r)
	}
	for name, t := range cfg.Tables {
		add(config.KindTable, name, t)
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	slices.Sort(lines)
	return config.Header + Hash(files) + "\n" + strings.Join(lines, ""), nil
}

// Current reports whether a compiled configuration is of these files.
func Current(c config.Compiled, files []File) bool { return c.Hash() == Hash(files) }

// Write loads the YAML of a folder and, where nothing is wrong in it, writes
// compiled.txt and the JSON Schema beside it. The problems may be warnings; the
// error is ErrProblems where one is not.
func Write(dir string) ([]Problem, error) {
	files, err := ReadDir(dir)
	if err != nil {
		return nil, err
	}
	cfg, problems := Load(files)
	if len(Errors(problems)) > 0 {
		return problems, ErrProblems
	}
	text, err := Compile(cfg, files)
	if err != nil {
		return problems, err
	}
	return problems, errors.Join(
		write(filepath.Join(dir, config.CompiledFile), []byte(text)),
		write(filepath.Join(dir, SchemaFile), schemaJSON),
	)
}

// write replaces a file in one step, and only if it changes: a build that
// embeds it is then not repeated, and never sees half of it.
func write(name string, data []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) { //nolint:gosec // a folder that the user named
		return nil
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}
