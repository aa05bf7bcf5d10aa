package load

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A File is one YAML file: its name as problems should show it, and its bytes.
type File struct {
	Name string
	Data []byte
}

// ReadDir reads the *.yaml and *.yml files of a folder, sorted by name; names
// begin with dir.
func ReadDir(dir string) ([]File, error) { return ReadFS(os.DirFS(dir), dir) }

// ReadFS reads the *.yaml and *.yml files at the top of fsys, sorted by name;
// in problems their names begin with shown.
func ReadFS(fsys fs.FS, shown string) ([]File, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // its path is ".", which says nothing
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration in %s: %w", shown, err)
	}
	var files []File
	for _, e := range entries {
		if ext := path.Ext(e.Name()); e.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		data, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		files = append(files, File{Name: path.Join(strings.ReplaceAll(shown, `\`, "/"), e.Name()), Data: data})
	}
	return files, nil
}

// Hash is of the files' names and bytes, wherever their folder is, and whichever
// way their lines end.
func Hash(files []File) string {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(path.Base(a.Name), path.Base(b.Name)) })
	h := sha256.New()
	for _, f := range files {
		data := strings.ReplaceAll(string(f.Data), "\r\n", "\n")
		h.Write([]byte(path.Base(f.Name) + " " + strconv.Itoa(len(data)) + "\n" + data))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
