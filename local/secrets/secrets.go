// Package secrets answers for SSM parameters and Secrets Manager on one machine
// from a file that people may edit. Its one invariant: what the file says now is
// what is answered, and only its owner can read it.
package secrets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
)

// ErrUnknown is returned for a reference that the file does not have.
var ErrUnknown = errors.New("there is no secret of that name")

// A Store is the file. It is safe for concurrent use.
type Store struct {
	path string
	now  func() time.Time

	mu       sync.Mutex
	values   map[string]string // by reference, without a #field
	modified time.Time         // of the file that values are of
	size     int64
	looked   time.Time
}

// fresh is how long the file is not looked at again, so that a thousand calls a
// second cost no thousand looks.
const fresh = 100 * time.Millisecond

// Open opens the file, which need not be there yet.
func Open(path string, now func() time.Time) (*Store, error) {
	s := &Store{path: path, now: now, values: map[string]string{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s, s.load()
}

// load reads the file where it changed.
func (s *Store) load() error {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the local secrets: %w", err)
	}
	if info.ModTime().Equal(s.modified) && info.Size() == s.size {
		return nil
	}
	data, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("read the local secrets: %w", err)
	}
	values := map[string]string{}
	if err := yaml.Unmarshal(data, &values); err != nil {
		// The library's message would quote the line, and so the secret.
		return fmt.Errorf("%s is not a list of lines such as ssm:/pushpull/github/webhook: value: mend it, or remove it to have it made anew", s.path)
	}
	if values == nil { // a file with nothing but comments
		values = map[string]string{}
	}
	s.values, s.modified, s.size = values, info.ModTime(), info.Size()
	return nil
}

// refresh reads the file again if it is time to look. A file that cannot be
// read, as its editor is writing it, leaves the last values in place.
func (s *Store) refresh() {
	if now := s.now(); now.Sub(s.looked) >= fresh {
		s.looked = now
		_ = s.load()
	}
}

// Ensure makes a value for each reference (ssm: or secretsmanager:) that has
// none, and returns those it made.
func (s *Store) Ensure(refs []string, value func(ref string) (string, error)) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return nil, err
	}
	var made []string
	for _, ref := range refs {
		key := base(ref)
		if _, ok := s.values[key]; ok || !ours(key) {
			continue
		}
		one, err := value(ref)
		if err != nil {
			return nil, err
		}
		s.values[key] = one
		made = append(made, key)
	}
	if len(made) == 0 {
		return nil, nil
	}
	return made, s.save()
}

func ours(ref string) bool {
	return strings.HasPrefix(ref, "ssm:") || strings.HasPrefix(ref, "secretsmanager:")
}

// base is a reference without its #field.
func base(ref string) string {
	key, _, _ := strings.Cut(ref, "#")
	return key
}

// Value returns the value of a reference.
func (s *Store) Value(ref string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh()
	v, ok := s.values[base(ref)]
	if !ok {
		return "", fmt.Errorf("%s: %w: add it to %s", base(ref), ErrUnknown, s.path)
	}
	return v, nil
}

// Set stores the value of a reference.
func (s *Store) Set(ref, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return err
	}
	s.values[base(ref)] = value
	return s.save()
}

// under returns the references that begin with prefix, sorted.
func (s *Store) under(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh()
	var out []string
	for ref := range s.values {
		if strings.HasPrefix(ref, prefix) {
			out = append(out, ref)
		}
	}
	slices.Sort(out)
	return out
}

const header = `# The secrets of this machine, by reference: what ssm: and secretsmanager: answer here.
# Put your own values in; they take effect within seconds, what signs for a
# destination within minutes. Never commit this file.
`

// save writes the file in one step, for its owner only. The mutex is held.
func (s *Store) save() error {
	body, err := yaml.Marshal(s.values)
	if err != nil {
		return fmt.Errorf("write the local secrets: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("write the local secrets: %w", err)
	}
	next, err := os.CreateTemp(filepath.Dir(s.path), ".secrets-*") // 0600, as CreateTemp makes them
	if err != nil {
		return fmt.Errorf("write the local secrets: %w", err)
	}
	_, err = next.Write(append([]byte(header), body...))
	err = errors.Join(err, next.Sync(), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), s.path)
	}
	if err != nil {
		return fmt.Errorf("write the local secrets: %w", errors.Join(err, os.Remove(next.Name())))
	}
	if info, err := os.Stat(s.path); err == nil {
		s.modified, s.size = info.ModTime(), info.Size()
	}
	return nil
}
