package path

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the commands that need a stack, as a person would type them.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(system.Binary())+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("DATA", system.Data())
			env.Setenv("CONFIG", filepath.Join(filepath.Dir(system.Data()), "config"))
			return nil
		},
	})
}
