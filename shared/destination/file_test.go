package destination

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

func TestFileWritesOneLineAnEvent(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d, err := Open(config.Destination{Kind: "file", Path: "a/b.ndjson"}, NewEnv(Options{Data: data, Now: at}))
	if err != nil {
		t.Fatal(err)
	}
	pretty, binary := sample("pretty"), sample("binary")
	pretty.DataRef = "file:///somewhere"
	binary.ContentType, binary.Data = "text/plain", []byte("two\nlines")
	for _, e := range []event.Event{pretty, binary} {
		if _, err := d.Deliver(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(data, "a", "b.ndjson")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], `"data":{"n":1}}`) || strings.Contains(lines[0], "dataref") {
		t.Fatalf("the file is %s", b)
	}
	got, err := event.Decode([]byte(lines[1]))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(binary, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v; want 0600", info.Mode(), err)
	}
}

func TestFileThatCannotBeWrittenMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	_, err := openTest(t, config.Destination{Kind: "file", Path: folder}, nil).Deliver(t.Context(), sample("1"))
	if got, _ := outcomeOf(err); got != retry {
		t.Errorf("the error is %v, want a *Retryable", err)
	}
}

func FuzzHeaderSafe(f *testing.F) {
	for _, s := range []string{"evt_1", "a b", "50%", "é\x00\xff", "\"quoted\"", "line\r\nbreak"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		safe := headerSafe(s)
		for i := range len(safe) {
			if safe[i] <= ' ' || safe[i] > '~' {
				t.Fatalf("%q is not safe", safe)
			}
		}
		if back := unescape(safe); back != s {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

// unescape is what a receiver does.
func unescape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			b.WriteByte(byte(strings.IndexByte(hex, s[i+1])<<4 | strings.IndexByte(hex, s[i+2])))
			i += 2
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
