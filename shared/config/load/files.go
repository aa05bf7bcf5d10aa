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

// A File is one YAML file, or a table or schema beside them: its name as problems
// should show it, and its bytes.
type File struct {
	Name   string
	Beside string // of a table or schema: tables/plans.csv, schemas/order.json
	Data   []byte
}

// The folders beside the YAML files, and what a file in them may end in.
const (
	tablesFolder  = "tables"
	schemasFolder = "schemas"
)

var beside = map[string][]string{
	tablesFolder:  {".csv", ".yaml", ".yml"},
	schemasFolder: {".json", ".yaml", ".yml"},
}

// ReadDir reads the *.yaml and *.yml files of a folder, sorted by name, and the
// tables and schemas in folders of it; names begin with dir.
func ReadDir(dir string) ([]File, error) {
	fsys := os.DirFS(dir)
	files, err := readFolder(fsys, ".", dir, []string{".yaml", ".yml"})
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{schemasFolder, tablesFolder} {
		more, err := readFolder(fsys, folder, path.Join(strings.ReplaceAll(dir, `\`, "/"), folder), beside[folder])
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range more {
			more[i].Beside = path.Join(folder, path.Base(more[i].Name))
		}
		files = append(files, more...)
	}
	return files, nil
}

// readFolder reads the files of one folder that end so, sorted by name.
func readFolder(fsys fs.FS, folder, shown string, endings []string) ([]File, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // its path is ".", which says nothing
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration in %s: %w", shown, err)
	}
	var files []File
	for _, e := range entries {
		if e.IsDir() || !slices.Contains(endings, path.Ext(e.Name())) {
			continue
		}
		data, err := fs.ReadFile(fsys, path.Join(folder, e.Name()))
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
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.own(), b.own()) })
	h := sha256.New()
	for _, f := range files {
		data := strings.ReplaceAll(string(f.Data), "\r\n", "\n")
		h.Write([]byte(f.own() + " " + strconv.Itoa(len(data)) + "\n" + data))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// own is the file's name in its folder.
func (f File) own() string {
	if f.Beside != "" {
		return f.Beside
	}
	return path.Base(f.Name)
}
