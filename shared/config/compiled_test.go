package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pushpull/shared/config"

	"github.com/google/go-cmp/cmp"
)

// compiled is a configuration with n sources, source-0000 to source-n.
func compiled(n int) string {
	lines := []string{
		`destination archive {"kind":"file","path":"a.ndjson"}`,
		`destination archive-2 {"kind":"http","url":"https://example.com"}`,
		`route 0000 {"from":["source-0000"],"to":["archive"]}`,
		`route 0001 {"from":["*"],"to":["archive-2"]}`,
	}
	for i := range n {
		lines = append(lines, fmt.Sprintf(`source source-%04d {"webhook":{"max_body":%d,"secret":["ssm:/pushpull/source-%04d/webhook"],"auth":{"scheme":"hmac","algorithm":"sha256","signature":{"header":"X-Hub-Signature-256","prefix":"sha256="},"encoding":"hex","signed":"{body}"},"event":{"identity":[{"value":"{header.X-GitHub-Delivery}"}]}}}`, i, i+1, i))
	}
	return config.Header + "sha256:abc\n" + strings.Join(lines, "\n") + "\n"
}

func TestEverySourceIsFoundWhateverTheirNumber(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 10, 500} {
		c, err := config.Parse(compiled(n))
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			s, err := c.Source(fmt.Sprintf("source-%04d", i))
			if err != nil || s.Webhook.MaxBody != i+1 {
				t.Fatalf("source %d of %d: %+v, %v", i, n, s, err)
			}
		}
		if got := len(slices.Collect(c.Sources())); got != n {
			t.Errorf("want %d sources, got %d", n, got)
		}
	}
}

func TestANameThatIsNotThereIsUnknown(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(compiled(3))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", "source-", "source-0000x", "source-000", "zzz", "source-0000 {", "source-0000\nsource source-0001", "\x00", "\xff"} {
		if _, err := c.Source(name); !errors.Is(err, config.ErrUnknown) {
			t.Errorf("source %q: want ErrUnknown, got %v", name, err)
		}
		if _, err := c.Destination(name); !errors.Is(err, config.ErrUnknown) {
			t.Errorf("destination %q: want ErrUnknown, got %v", name, err)
		}
	}
}

func TestRoutesAndDestinationsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(compiled(1))
	if err != nil {
		t.Fatal(err)
	}
	routes, err := c.Routes()
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Route{{From: config.Names{"source-0000"}, To: config.Names{"archive"}}, {From: config.Names{"*"}, To: config.Names{"archive-2"}}}
	if diff := cmp.Diff(want, routes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"archive", "archive-2"}, slices.Collect(c.Destinations())); diff != "" {
		t.Error(diff)
	}
	d, err := c.Destination("archive-2")
	if err != nil || d.Kind != "http" {
		t.Errorf("got %+v, %v", d, err)
	}
	if c.Hash() != "sha256:abc" {
		t.Errorf("hash: %q", c.Hash())
	}
	for range c.Sources() {
		break // a caller may stop early
	}
}

func TestOpenTakesTheFolderOrTheEmbeddedText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := config.Open(dir, compiled(1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder without the file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, config.CompiledFile), []byte(compiled(2)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Open(dir, "")
	if err != nil || len(slices.Collect(c.Sources())) != 2 {
		t.Errorf("the folder's: %v", err)
	}
	if _, err := config.Open("", compiled(1)); err != nil {
		t.Errorf("the embedded one: %v", err)
	}
	for _, text := range []string{"", "source a {}\n", "# pushpull config 999 x\n", config.Header} {
		if _, err := config.Open("", text); !errors.Is(err, config.ErrNotCompiled) {
			t.Errorf("%q: want ErrNotCompiled, got %v", text, err)
		}
	}
}

func TestALineThatDoesNotDecodeIsNotUnknown(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(config.Header + "x\nroute 0000 {\nsource a {\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Source("a"); err == nil || errors.Is(err, config.ErrUnknown) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Routes(); err == nil {
		t.Error("want an error")
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("source a {}\nsource b {}\n", "b")
	f.Add("destination a {}", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		c, err := config.Parse(config.Header + "x\n" + text)
		if err != nil {
			t.Skip("not a compiled configuration, which Parse said")
		}
		_, _ = c.Source(name)
		_, _ = c.Destination(name)
		for range c.Sources() {
		}
		_, _ = c.Routes()
	})
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1, 500} {
		text := compiled(n)
		name := fmt.Sprintf("source-%04d", n/2)
		b.Run(fmt.Sprintf("%d sources", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, _ := config.Parse(text)
				if _, err := c.Source(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
