package config_test

import (
	"testing"

	files "pushpull/config"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
)

func TestTheConfigurationHasNoProblemAndIsCompiled(t *testing.T) {
	t.Parallel()
	read, err := load.ReadFS(files.Files, "config")
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
	if files.Compiled != want {
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
