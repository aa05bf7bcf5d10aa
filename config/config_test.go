package config_test

import (
	"flag"
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/config/load"

	files "pushpull/config"
)

var update = flag.Bool("update", false, "write compiled.txt and the schema, as `go generate ./config` does")

func TestTheConfigurationHasNoProblemAndIsCompiled(t *testing.T) {
	t.Parallel()
	if *update {
		if problems, err := load.Write("."); err != nil {
			t.Fatal(err, problems)
		}
		return // what is embedded in this test is from before
	}
	read, err := load.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	cfg, problems := load.Load(read)
	for _, p := range problems {
		t.Error(p)
	}
	want, err := load.Compile(cfg, read)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(files.Compiled, "\r\n", "\n") != want {
		t.Error("config/compiled.txt is stale: run `go generate ./config`")
	}
	c, err := config.Open("", files.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	if !load.Current(c, read) {
		t.Error("config/compiled.txt is of other files: run `go generate ./config`")
	}
}
