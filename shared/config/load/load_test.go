package load_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/config/load"

	"github.com/google/go-cmp/cmp"
)

const wantPrefix = "# want: "

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", pattern, err)
	}
	return names
}

// readText reads a file with the line ends of its author.
func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

// besides are the tables and schemas that a file may name.
func besides() []load.File {
	files, err := load.ReadDir("testdata/beside")
	if err != nil || len(files) == 0 {
		panic(fmt.Sprint("no files beside: ", err))
	}
	return files
}

// problemsOf are the problems of one file, named as it is in testdata.
func problemsOf(name, text string) []string {
	files := append(besides(), load.File{Name: filepath.Base(name), Data: []byte(text)})
	_, problems := load.Load(files, load.InAWS())
	out := make([]string, len(problems))
	for i, p := range problems {
		out[i] = p.String()
	}
	return out
}

// Each file in testdata/bad begins with the problems it must have, all of them
// and no other, one a line. -update writes them; read what it wrote.
func TestBadFilesHaveTheProblemsTheyName(t *testing.T) {
	t.Parallel()
	for _, name := range glob(t, "testdata/bad/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			full := readText(t, name)
			var want []string
			body := full
			for strings.HasPrefix(body, wantPrefix) {
				line, rest, _ := strings.Cut(body, "\n")
				want, body = append(want, strings.TrimPrefix(line, wantPrefix)), rest
			}
			if *update {
				n := len(problemsOf(name, body))
				got := problemsOf(name, strings.Repeat(wantPrefix+"\n", n)+body)
				head := ""
				for _, line := range got {
					head += wantPrefix + line + "\n"
				}
				if err := os.WriteFile(name, []byte(head+body), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			got := problemsOf(name, full)
			if len(want) == 0 {
				t.Error("the file names no problem")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if _, problems := load.Load([]load.File{{Name: "a.yaml", Data: []byte(full)}}); strings.Contains(fmt.Sprintf("%+v", problems), "hunter2") {
				t.Errorf("a secret's value is shown: %+v", problems)
			}
		})
	}
}

// Each file in testdata/good has no problem, and compiles to the .txt beside it.
func TestGoodFilesCompile(t *testing.T) {
	t.Parallel()
	for _, name := range glob(t, "testdata/good/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			files := []load.File{{Name: filepath.Base(name), Data: []byte(readText(t, name))}}
			cfg, problems := load.Load(append(besides(), files...))
			for _, p := range problems {
				t.Error(p)
			}
			got, err := load.Compile(cfg, files)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(name, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(readText(t, golden), got); diff != "" {
				t.Error(diff)
			}
			roundTrip(t, cfg, got)
		})
	}
}

// roundTrip looks everything up in the compiled text that was compiled into it.
func roundTrip(t *testing.T, cfg config.Config, text string) {
	t.Helper()
	c, err := config.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range cfg.Sources {
		got, err := c.Source(name)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("source %s: %v\n%s", name, err, diff)
		}
	}
	for name, want := range cfg.Destinations {
		got, err := c.Destination(name)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("destination %s: %v\n%s", name, err, diff)
		}
	}
	for name, want := range cfg.Tables {
		got, err := c.Table(name)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("table %s: %v\n%s", name, err, diff)
		}
	}
	routes, err := c.Routes()
	if diff := cmp.Diff(cfg.Routes, routes); err != nil || diff != "" {
		t.Errorf("routes: %v\n%s", err, diff)
	}
}

func TestFilesAreMergedAndANameIsThereOnce(t *testing.T) {
	t.Parallel()
	files := []load.File{
		{Name: "config/a.yaml", Data: []byte("sources:\n  one: {webhook: {provider: github, secret: env:A}}\nroutes: [{from: one, to: out}]\n")},
		{Name: "config/b.yaml", Data: []byte("destinations:\n  out: {kind: file, path: out.ndjson}\n")},
		{Name: "sandbox", Data: []byte("sources:\n  two: {webhook: {provider: stripe, secret: env:B}}\nroutes: [{from: two, to: out}]\n")},
	}
	cfg, problems := load.Load(files)
	if len(problems) > 0 || len(cfg.Sources) != 2 || len(cfg.Routes) != 2 || cfg.Routes[1].From[0] != "two" {
		t.Errorf("%+v %v", cfg, problems)
	}
	files = append(files, load.File{Name: "config/c.yaml", Data: []byte("\nsources:\n  one: {webhook: {provider: github, secret: env:A}}\n")})
	_, problems = load.Load(files)
	want := []string{`config/c.yaml:3:3: sources.one: the name "one" is there twice, first in config/a.yaml:2: rename one of them, or make them one`}
	if diff := cmp.Diff(want, texts(problems)); diff != "" {
		t.Error(diff)
	}
}

func texts(problems []load.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.String())
	}
	return out
}

func TestFilesWithNothingInThemAreFine(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "---\n---\n", "sources:\n", "\ufeff", "sources: {}\ndestinations: {}\nroutes: []\n"} {
		if _, problems := load.Load([]load.File{{Name: "a.yaml", Data: []byte(text)}}); len(problems) > 0 {
			t.Errorf("%q: %v", text, problems)
		}
	}
}

func TestASourceOverridesItsPresetFieldByField(t *testing.T) {
	t.Parallel()
	cfg, problems := load.Load([]load.File{{Name: "a.yaml", Data: []byte(`
sources:
  shop:
    webhook:
      provider: stripe
      secret: [env:NEW, env:OLD]
      auth: { timestamp: { tolerance: 1m } }
      event: { version: "{body.created}" }
    poll:
      provider: stripe
      token: env:KEY
      every: 10s
      auth: { type: bearer }
      request: { params: { limit: 10, type: invoice.paid } }
      incremental: { lookback: 0s }
destinations: { out: { kind: file, path: x } }
routes: [{ from: "*", to: [out] }]
`)}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := cfg.Sources["shop"]
	if s.Webhook.Auth.Timestamp.Tolerance.String() != "1m" || s.Webhook.Auth.Timestamp.Name != "t" || s.Webhook.Auth.Signature.Header[0] != "Stripe-Signature" {
		t.Errorf("auth: %+v", s.Webhook.Auth)
	}
	if len(s.Webhook.Event.Version) != 1 || s.Webhook.Event.Identity[0].Value != "{body.id}" || len(s.Webhook.Secret) != 2 {
		t.Errorf("event: %+v", s.Webhook.Event)
	}
	p := s.Poll[0]
	if diff := cmp.Diff(&config.APIAuth{Type: "bearer", Prefix: "Bearer"}, p.Auth); diff != "" {
		t.Errorf("another type replaces the whole: %s", diff)
	}
	if diff := cmp.Diff(map[string]string{"limit": "10", "type": "invoice.paid"}, p.Request.Params); diff != "" {
		t.Error(diff)
	}
	if p.Resource != "events" || p.Incremental.Lookback != 0 || p.Incremental.CursorPath != "created" || p.Pagination.Type != "keyset" || p.Request.Path != "/v1/events" {
		t.Errorf("poll: %+v", p)
	}
}

func TestHostileFilesAreRefusedInBoundedTime(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ",") + "]\n"
	}
	for name, text := range map[string]string{
		"aliases of aliases":  bomb,
		"an alias of itself":  "a: &a [*a]\n",
		"deep lists":          strings.Repeat("[", 500_000),
		"deep mappings":       strings.Repeat("{a: ", 200_000),
		"deep block lists":    strings.Repeat("- ", 400_000) + "x",
		"too large":           strings.Repeat("# a comment\n", 200_000),
		"a number too large":  "sources: 1e999999999\n",
		"not text":            "\x00\x01\xff\xfe",
		"an unknown alias":    "sources: *nobody\n",
		"a merge of a number": "sources: { <<: 5 }\n",
		"many flawed sources": many("sources: {", "}", func(i int) string { return fmt.Sprintf("s%d: {a: 1},", i) }),
		"many sources, badly routed": many("sources: {", "}", func(i int) string { return fmt.Sprintf("s%d: {},", i) }) +
			many("\nroutes: [{to: x, from: [", "]}]", func(i int) string { return fmt.Sprintf("t%d,", i) }),
		"one destination many times": many("routes: [{from: '*', to: [", "]}]", func(int) string { return "x," }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := load.Load([]load.File{{Name: "a.yaml", Data: []byte(text)}})
			if len(problems) == 0 {
				t.Error("no problem")
			}
		})
	}
}

// many is a text with as many items as a file may have.
func many(begin, end string, item func(int) string) string {
	var b strings.Builder
	b.WriteString(begin)
	for i := range 24_000 {
		b.WriteString(item(i))
	}
	return b.String() + end
}

func TestWriteWritesOnlyWhatIsRight(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	yaml := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(yaml, []byte("sources: { a: {} }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	problems, err := load.Write(dir)
	if err != load.ErrProblems || len(problems) == 0 { //nolint:errorlint // the very value
		t.Errorf("got %v, %v", problems, err)
	}
	if _, err := os.Stat(filepath.Join(dir, config.CompiledFile)); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	if err := os.WriteFile(yaml, []byte("sources: { a: { webhook: { provider: github, secret: env:A } } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		problems, err = load.Write(dir)
		if err != nil || len(problems) != 1 || !problems[0].Warning {
			t.Errorf("got %v, %v", problems, err)
		}
	}
	c, err := config.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	files, err := load.ReadDir(dir)
	if err != nil || !load.Current(c, files) {
		t.Errorf("not current: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("a.yaml, compiled.txt, pushpull.schema.json and nothing else: %v %v", entries, err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatalf("no seeds in %s: %v", pattern, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		files := []load.File{{Name: "a.yaml", Data: data}}
		cfg, problems := load.Load(files, load.InAWS())
		if len(load.Errors(problems)) > 0 {
			return
		}
		text, err := load.Compile(cfg, files)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, cfg, text)
	})
}
