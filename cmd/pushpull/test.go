package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
)

func testCommand() *cobra.Command {
	var dir string
	var update bool
	c := &cobra.Command{
		Use:   "test [FILE...]",
		Short: "run sample events through the routes and compare what would be delivered",
		Long: "Run sample events through the routes and compare what would be delivered with what each\n" +
			"file wants. Without FILE, all of tests/*.yaml in the configuration's folder. It asks nobody\n" +
			"for anything: secrets are made up, and the same each time. docs/routes.md says what is in a file.",
		Example: `  pushpull test
  pushpull test config/tests/invoice.yaml
  pushpull test --update     (write what comes of each event into its file)`,
		RunE: func(c *cobra.Command, files []string) error { return test(c, dir, files, update) },
	}
	c.Flags().StringVar(&dir, "config", "config", "the folder of the configuration")
	c.Flags().BoolVar(&update, "update", false, "write what comes of each event into its file")
	return c
}

func test(c *cobra.Command, dir string, files []string, update bool) error {
	if len(files) == 0 {
		var err error
		if files, err = filepath.Glob(filepath.Join(dir, "tests", "*.yaml")); err != nil || len(files) == 0 {
			return fmt.Errorf("no *.yaml in %s: docs/routes.md says what is in one", filepath.Join(dir, "tests"))
		}
	}
	cfg, err := loadConfig(c, dir)
	if err != nil {
		return err
	}
	trial := newTrial(cfg)
	failed := 0
	for _, name := range files {
		ok, err := testFile(c, trial, name, update)
		if err != nil {
			return err
		}
		if !ok {
			failed++
		}
	}
	if failed > 0 {
		if !asJSON(c) {
			fmt.Fprintf(c.ErrOrStderr(), "%d of %s failed\n", failed, counted(len(files), "test"))
		}
		return errSaid
	}
	if !asJSON(c) {
		fmt.Fprintf(c.OutOrStdout(), "%s passed\n", counted(len(files), "test"))
	}
	return nil
}

// A verdict is that of one file, as --json prints it.
type verdict struct {
	File    string `json:"file"`
	OK      bool   `json:"ok"`
	Updated bool   `json:"updated,omitempty"`
	Diff    string `json:"diff,omitempty"`
	Error   string `json:"error,omitempty"`
}

// testFile runs one file. A file that cannot be run has failed; the others are run.
func testFile(c *cobra.Command, trial *trial, name string, update bool) (ok bool, err error) {
	v := verdict{File: filepath.ToSlash(name)}
	text, err := os.ReadFile(name) //nolint:gosec // the person's choice
	if err == nil {
		err = v.run(c, trial, name, string(text), update)
	}
	if err != nil {
		v.Error = err.Error()
	}
	v.OK = err == nil && v.Diff == ""
	return v.OK, v.print(c)
}

// run compares what a file wants with what comes of its event.
func (v *verdict) run(c *cobra.Command, trial *trial, name, text string, update bool) error {
	f, err := readFixture(text)
	if err != nil {
		return err
	}
	made, err := trial.run(c.Context(), f)
	if err != nil {
		return err
	}
	want, err := asYAML(f.Want)
	if err != nil {
		return err
	}
	got, err := asYAML(made)
	if err != nil {
		return err
	}
	switch {
	case want == got:
		return nil
	case update:
		if text, err = withWant(text, got); err != nil {
			return err
		}
		v.Updated = true
		return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // as readable as it was
	case len(f.Want) == 0:
		return errors.New("it says nothing of what it wants: fill that in with --update, and read it")
	}
	v.Diff = strings.TrimSpace(string(diff.Diff("want", []byte(want), "got", []byte(got))))
	return nil
}

func (v *verdict) print(c *cobra.Command) error {
	if asJSON(c) {
		return printJSON(c.OutOrStdout(), v)
	}
	state, more := "ok  ", ""
	switch {
	case v.Error != "":
		state, more = "FAIL", ": "+printable(v.Error)
	case v.Diff != "":
		state, more = "FAIL", "\n"+v.Diff
	case v.Updated:
		more = "  updated"
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s  %s%s\n", state, v.File, more)
	return err
}
