package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fileBlock = regexp.MustCompile("(?s)```[a-z]+ (config/\\S+)\n(.*?)```")

// What a person copies from docs/routes.md is a configuration without problems,
// whose tests pass.
func TestTheConfigurationOfTheDocumentationPassesItsTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/routes.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, block := range fileBlock.FindAllSubmatch(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), -1) {
		name := filepath.Join(dir, filepath.FromSlash(string(block[1])))
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, block[2], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"check", "test"} {
		var out bytes.Buffer
		if status := run([]string{command, "--config", filepath.Join(dir, "config")}, strings.NewReader(""), &out, &out); status != exitDone || strings.Contains(out.String(), "warning") {
			t.Errorf("%s: %d\n%s", command, status, out.String())
		}
	}
}

// The tests of this project's own configuration pass.
func TestTheFixturesOfTheConfigurationPass(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if status := run([]string{"test", "--config", "../../config"}, strings.NewReader(""), &out, &out); status != exitDone {
		t.Errorf("%d\n%s", status, out.String())
	}
}
