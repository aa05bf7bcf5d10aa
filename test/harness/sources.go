package harness

import (
	"io/fs"
	"os"
	"path/filepath"
)

// DependOnSources looks at every source file of the module. A package whose tests
// build and run the functions does not import them, so the go command would take
// its last result for good after they changed; it does notice the files that a
// test looked at (in a test, not in TestMain).
func DependOnSources() error {
	root, err := Root()
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (name[0] == '.' || name == "node_modules" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".mod", ".yaml", ".txt", ".json":
			_, err = os.Stat(path)
		}
		return err
	})
}
