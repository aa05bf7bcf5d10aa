package queue

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// folder keeps bodies as files, for one machine. Its root keeps every path in
// it, whatever links are put there.
type folder struct {
	root *os.Root
	base string // what its references begin with
}

// newFolder opens the folder of a file URL's path: /var/bodies, or /C:/bodies on Windows.
func newFolder(path string) (*folder, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("BODIES %q: a folder is written file:///folder", "file://"+path)
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil, fmt.Errorf("BODIES %q: %w", "file://"+path, err)
	}
	local := filepath.FromSlash(decoded)
	if drive := filepath.VolumeName(strings.TrimPrefix(local, `\`)); drive != "" {
		local = strings.TrimPrefix(local, `\`)
	}
	if err := os.MkdirAll(local, 0o700); err != nil {
		return nil, fmt.Errorf("BODIES: %w", err)
	}
	root, err := os.OpenRoot(local)
	if err != nil {
		return nil, fmt.Errorf("BODIES: %w", err)
	}
	return &folder{root: root, base: "file://" + strings.TrimRight(path, "/") + "/"}, nil
}

// Put writes a file of another name first, as a body must be there whole or not at all.
func (f *folder) Put(_ context.Context, source string, body []byte) (string, error) {
	name, err := objectName(source, body)
	if err != nil {
		return "", err
	}
	if err := f.root.MkdirAll(source, 0o700); err != nil {
		return "", fmt.Errorf("put %s: %w", f.base+name, err)
	}
	temporary := source + "/.new-" + rand.Text()
	if err := f.write(temporary, body); err != nil {
		_ = f.root.Remove(temporary)
		return "", fmt.Errorf("put %s: %w", f.base+name, err)
	}
	if err := f.root.Rename(temporary, name); err != nil {
		_ = f.root.Remove(temporary)
		// Windows replaces no file that is being read. The same name is the same
		// body, so one that is there already will do.
		if there, readErr := f.root.ReadFile(name); readErr != nil || !bytes.Equal(there, body) {
			return "", fmt.Errorf("put %s: %w", f.base+name, err)
		}
	}
	return f.base + name, nil
}

// write writes a file and has it on the disk when it returns.
func (f *folder) write(name string, body []byte) (err error) {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	if _, err := file.Write(body); err != nil {
		return err
	}
	return file.Sync()
}

func (f *folder) Get(_ context.Context, ref string) ([]byte, error) {
	name, err := parseName(f.base, ref)
	if err != nil {
		return nil, err
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", ref, err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	body, err := io.ReadAll(io.LimitReader(file, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", ref, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("get %s: is over %d bytes", ref, maxBody)
	}
	return intact(ref, name, body)
}

func (f *folder) Delete(_ context.Context, source string, body []byte) error {
	name, err := objectName(source, body)
	if err != nil {
		return err
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", f.base+name, err)
	}
	return nil
}
