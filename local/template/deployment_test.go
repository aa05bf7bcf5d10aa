package template

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// variable is a variable of the environment, where code asks for it.
var variable = regexp.MustCompile(`(?i)getenv\("([A-Z_]+)"\)`)

func TestFunctionsAreGivenWhatTheArchitectureListsAndReadNothingElse(t *testing.T) {
	t.Parallel()
	tables := documented(t)
	if len(tables) != 2 {
		t.Fatalf("docs/architecture.md has %d tables of variables, want those of the template and those of dev", len(tables))
	}
	for _, f := range deployed(t).Functions {
		name := strings.ToLower(strings.TrimSuffix(f.ID, "Function"))
		given, onlyHere := tables[0][name], tables[1][name]
		if diff := cmp.Diff(given, slices.Sorted(maps.Keys(f.Environment))); diff != "" {
			t.Errorf("%s: docs/architecture.md and template.yaml (-docs +template):\n%s", name, diff)
		}
		want := slices.Sorted(slices.Values(slices.Concat(given, onlyHere)))
		got := slices.Sorted(slices.Values(append(read(t, name), "GOMAXPROCS"))) // which Go itself reads
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: docs/architecture.md and the code (-docs +code):\n%s", name, diff)
		}
	}
}

// Where a batch's time is up while Lambda throttles the function, the messages
// must stay hidden until its retries are over: AWS asks for six times the timeout.
func TestMessagesStayHiddenForSixTimesTheFunctionsTimeout(t *testing.T) {
	t.Parallel()
	d := deployed(t)
	if len(d.Mappings) == 0 {
		t.Fatal("no function reads a queue")
	}
	for _, m := range d.Mappings {
		f := d.Functions[slices.IndexFunc(d.Functions, func(f Function) bool { return f.ID == m.Function })]
		q := d.Queues[slices.IndexFunc(d.Queues, func(q Queue) bool { return q.ID == m.Queue })]
		seconds, err := strconv.Atoi(q.Attributes["VisibilityTimeout"])
		if err != nil {
			t.Fatalf("%s: its visibility timeout: %v", q.ID, err)
		}
		if hidden := time.Duration(seconds) * time.Second; hidden < 6*f.Timeout {
			t.Errorf("%s hides messages for %v, but %s may take %v: want at least %v", q.ID, hidden, f.ID, f.Timeout, 6*f.Timeout)
		}
		if !m.PartialBatch {
			t.Errorf("%s has no ReportBatchItemFailures: one failure would repeat its whole batch", m.ID)
		}
	}
}

func deployed(t *testing.T) Template {
	t.Helper()
	d, err := Read("../../template.yaml", Options{Parameters: map[string]string{"StrictOrder": "true"}}) // with all there is
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// documented are the tables of variables in docs/architecture.md: of each, the
// sorted names by function.
func documented(t *testing.T) []map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	var tables []map[string][]string
	inside := false
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			inside = false
			continue
		}
		if strings.TrimSpace(cells[1]) == "variable" {
			inside = true
			tables = append(tables, map[string][]string{})
			continue
		}
		if inside && !strings.HasPrefix(cells[1], "---") {
			add(tables[len(tables)-1], cells[1], strings.TrimSpace(cells[2]))
		}
	}
	for _, table := range tables {
		for _, names := range table {
			slices.Sort(names)
		}
	}
	return tables
}

func add(table map[string][]string, names, functions string) {
	if functions == "all" {
		functions = "receiver, processor, poller"
	}
	for name := range strings.SplitSeq(names, ",") {
		for f := range strings.SplitSeq(functions, ",") {
			f = strings.TrimSpace(f)
			table[f] = append(table[f], strings.Trim(name, " `"))
		}
	}
}

// read are the variables that a function's code asks for, sorted.
func read(t *testing.T, function string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../functions", function, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no code of %s: %v", function, err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range variable.FindAllSubmatch(code, -1) {
			found[string(m[1])] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
