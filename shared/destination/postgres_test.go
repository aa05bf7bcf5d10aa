package destination

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

func TestPostgresStatements(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		c    config.Destination
		want []string // in the order of the statement
		not  string
	}{
		{
			"an event is one row for its identity, and a repetition overwrites it",
			config.Destination{},
			[]string{`INSERT INTO "events" AS kept (source, id, type,`, "$1::text[], $2::text[]", "ON CONFLICT (source, id) DO UPDATE SET type = EXCLUDED.type,", "written_at = now()"},
			"WHERE",
		},
		{
			"an entity is one row, which an older version leaves alone",
			config.Destination{Mode: "entities"},
			[]string{`INSERT INTO "entities" AS kept`, "r.data::jsonb", "ON CONFLICT (source, subject) DO UPDATE SET id = EXCLUDED.id,", "deleted_at = EXCLUDED.deleted_at", "WHERE kept.version_key <= EXCLUDED.version_key"},
			"SET source",
		},
		{"a table is quoted, and its schema apart", config.Destination{Table: `app.Ev"ents`}, []string{`INSERT INTO "app"."Ev""ents" AS kept`}, "app.Ev"},
		{"a name cannot end the statement", config.Destination{Table: `e"; DROP TABLE x; --`}, []string{`INSERT INTO "e""; DROP TABLE x; --" AS kept`}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := newTable(test.c).upsert()
			rest := got
			for _, part := range test.want {
				_, after, ok := strings.Cut(rest, part)
				if !ok {
					t.Fatalf("%s\nhas no %s in its place", got, part)
				}
				rest = after
			}
			if test.not != "" && strings.Contains(got, test.not) {
				t.Errorf("%s\nhas %s", got, test.not)
			}
		})
	}
}

func TestPostgresAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		c       config.Destination
		wantTLS bool // verified
		want    int32
		wantErr string
	}{
		{"elsewhere the certificate is verified, and there are two connections", config.Destination{URL: "postgres://app@db.example.com/x"}, true, 2, ""},
		{"on this machine it need not be", config.Destination{URL: "postgres://app@127.0.0.1/x"}, false, 2, ""},
		{"what the address says counts", config.Destination{URL: "postgres://app@db.example.com/x?sslmode=disable&pool_max_conns=7"}, false, 7, ""},
		{"a password in it", config.Destination{URL: "postgres://app:hunter2@db.example.com/x"}, false, 0, "a password in it"},
		{"another scheme", config.Destination{URL: "mysql://app@db.example.com/x"}, false, 0, "not the address of a database"},
		{"nothing", config.Destination{}, false, 0, "not the address of a database"},
		{"a setting with no such value", config.Destination{URL: "postgres://app@db.example.com/x?sslmode=perhaps"}, false, 0, "a setting in it"},
		{"certificates that would not be looked at", config.Destination{URL: "postgres://app@db.example.com/x?sslmode=require", CA: config.Secrets{"ssm:/ca"}}, false, 0, "ca: is of use"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := postgresSettings(test.c)
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) || strings.Contains(err.Error(), "hunter2") {
					t.Fatalf("the error is %v, want one with %q", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c := got.ConnConfig.TLSConfig
			if verified := c != nil && !c.InsecureSkipVerify; verified != test.wantTLS || got.MaxConns != test.want {
				t.Errorf("verified is %v, connections are %d", verified, got.MaxConns)
			}
		})
	}
}

func TestPostgresRowsOfOneStatement(t *testing.T) {
	t.Parallel()
	of := func(id, subject, version string) event.Event {
		e := sample(id)
		e.Subject, e.Version = subject, version
		return e
	}
	for _, test := range []struct {
		name   string
		mode   string
		events []event.Event
		want   string // the ids that are left
	}{
		{"an identity that is there twice is written once, as it came last", "events", []event.Event{of("b", "1", "1"), of("a", "1", "1"), of("b", "2", "1")}, "a b/2"},
		{"of an entity the newest version is left", "entities", []event.Event{of("x", "1", "10"), of("y", "1", "9"), of("z", "2", "1")}, "x z/2"},
		{"of two that cannot be compared the last", "entities", []event.Event{of("x", "1", "2026-11-23"), of("y", "1", "3")}, "y/1"},
		{"of two that are equal the last", "entities", []event.Event{of("x", "1", "3"), of("y", "1", "3.0")}, "y/1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(config.Destination{Mode: test.mode})
			var rows []pgRow
			for _, e := range test.events {
				r, err := table.row(e, nil)
				if err != nil {
					t.Fatal(err)
				}
				rows = append(rows, r)
			}
			var got []string
			rows = newest(rows)
			for _, r := range rows {
				got = append(got, r.event.ID)
			}
			if last := strings.Join(got, " ") + "/" + rows[len(rows)-1].event.Subject; last != test.want {
				t.Errorf("left are %s, want %s", last, test.want)
			}
		})
	}
}

func TestPostgresTakesNoEventWithoutAnEntityAsOne(t *testing.T) {
	t.Parallel()
	e := sample("1")
	e.Subject = ""
	if _, err := newTable(config.Destination{Mode: "entities"}).row(e, nil); err == nil || !strings.Contains(err.Error(), "no entity") {
		t.Errorf("the error is %v", err)
	}
}

// A server is a real PostgreSQL, with a schema for one test.
type server struct {
	*pgx.Conn
	vault
	schema, url string
}

// startServer connects to the server that test/postgres/run.sh started; the test is
// skipped where it did not.
func startServer(t *testing.T) server {
	t.Helper()
	address := os.Getenv("PUSHPULL_TEST_POSTGRES")
	if address == "" {
		t.Skip("it needs a PostgreSQL: make test-postgres")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	password := os.Getenv("PUSHPULL_TEST_POSTGRES_PASSWORD")
	ca, err := os.ReadFile(os.Getenv("PUSHPULL_TEST_POSTGRES_CA"))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	s := server{conn, vault{"env:password": password, "env:ca": string(ca)}, fmt.Sprintf("of %d", time.Now().UnixNano()), address}
	s.run(t, "CREATE SCHEMA "+pgx.Identifier{s.schema}.Sanitize())
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return s
}

func (s server) run(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// rows are those of a query, each as one text.
func (s server) rows(t *testing.T, columns, rest string) []string {
	t.Helper()
	query := fmt.Sprintf("SELECT concat_ws('|', %s) FROM %s.it %s", columns, pgx.Identifier{s.schema}.Sanitize(), rest)
	rows, err := s.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// open opens a destination whose table is it.
func (s server) open(t *testing.T, c config.Destination) *postgres {
	t.Helper()
	c.Kind, c.Table = "postgres", s.schema+".it"
	if c.URL == "" {
		c.URL = s.url
	}
	if c.Password == nil {
		c.Password = config.Secrets{"env:password"}
	}
	p := openTest(t, c, s.vault).(*gatherer).to.(*postgres)
	t.Cleanup(p.pool.Close)
	return p
}

func postgresRig(t *testing.T) rig {
	s := startServer(t)
	d := gather(s.open(t, config.Destination{}), nil)
	return rig{d, func(t *testing.T) []string { return s.rows(t, "id", "") }}
}

func deliverAll(t *testing.T, p *postgres, events ...event.Event) {
	t.Helper()
	for i, o := range p.DeliverBatch(t.Context(), events) {
		if o.Err != nil {
			t.Fatalf("%s: %v", events[i].ID, o.Err)
		}
	}
}

func TestPostgresKeepsAnEvent(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := s.open(t, config.Destination{})
	e, again, binary, empty := sample("it's"), sample("it's"), sample("bytes"), sample("none")
	again.Data = []byte(`{"n":12345678901234567890.5}`)
	binary.Data, binary.ContentType, binary.Time = []byte{0, 255}, "image/png", time.Time{}
	empty.Data, empty.Subject = nil, ""
	deliverAll(t, p, e, binary)
	deliverAll(t, p, again, empty)
	want := []string{
		`bytes|issues||issue 17|3|webhook|image/png||\x00ff`,
		`it's|issues|2026-11-23 11:59:00+00|issue 17|3|webhook|application/json|{"n": 12345678901234567890.5}|`,
		`none|issues|2026-11-23 11:59:00+00||3|webhook|application/json||`,
	}
	columns := "id, type, coalesce((time AT TIME ZONE 'UTC')::text || '+00', ''), subject, version, transport, content_type, coalesce(data::text, ''), coalesce(bytes::text, '')"
	if diff := cmp.Diff(want, s.rows(t, columns, "ORDER BY id")); diff != "" {
		t.Error(diff)
	}
}

func TestPostgresIsolatesWhatItDoesNotTake(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := s.open(t, config.Destination{})
	deliverAll(t, p, sample("first"))
	s.run(t, fmt.Sprintf("ALTER TABLE %s.it ADD CHECK (id <> 'forbidden')", pgx.Identifier{s.schema}.Sanitize()))
	events := []event.Event{sample("good"), sample("n\x00l"), sample("forbidden"), sample("nul inside"), sample("surrogate"), sample("last"), sample("number"), sample("nested")}
	events[3].Data, events[4].Data = []byte(`{"a":"\u0000"}`), []byte(`["\ud800"]`)
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	events[6].Data, events[7].Data = []byte("1e999999"), []byte(deep)
	want := []outcome{done, give, give, done, done, done, done, done}
	for i, o := range p.DeliverBatch(t.Context(), events) {
		if got, _ := outcomeOf(o.Err); got != want[i] {
			t.Errorf("%q: %v", events[i].ID, o.Err)
		}
	}
	got := s.rows(t, "id, data, convert_from(bytes, 'UTF8')", "WHERE id <> 'first' ORDER BY id")
	if diff := cmp.Diff([]string{`good|{"n": 1}`, `last|{"n": 1}`, "nested|" + deep, `nul inside|{"a":"\u0000"}`, "number|1e999999", `surrogate|["\ud800"]`}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPostgresKeepsTheNewestOfAnEntity(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := s.open(t, config.Destination{Mode: "entities"})
	of := func(id, version, kind string) event.Event {
		e := sample(id)
		e.Version, e.Type = version, kind
		return e
	}
	for _, step := range []struct {
		name   string
		events []event.Event
		want   string
	}{
		{"the newest of a statement", []event.Event{of("1", "9", "a"), of("2", "10", "b")}, "2|b|10"},
		{"an older one changes nothing", []event.Event{of("3", "9.5", "c")}, "2|b|10"},
		{"an equal one overwrites", []event.Event{of("4", "10", "d")}, "4|d|10"},
		{"a deletion marks it", []event.Event{of("5", "11", "issue.deleted")}, "5|issue.deleted|11|deleted"},
		{"what came before the deletion does not bring it back", []event.Event{of("6", "10", "e")}, "5|issue.deleted|11|deleted"},
		{"what came after it does", []event.Event{of("7", "12", "f")}, "7|f|12"},
		{"a version that cannot be compared counts when it comes", []event.Event{of("8", "2026-11-23", "g")}, "8|g|2026-11-23"},
		{"and so does the one after it", []event.Event{of("9", "1", "h")}, "9|h|1"},
		{"in one statement, too", []event.Event{of("10", "9", "i"), of("11", "rev", "j"), of("12", "2", "k")}, "12|k|2"},
	} {
		deliverAll(t, p, step.events...)
		if diff := cmp.Diff([]string{step.want}, s.rows(t, "id, type, version, CASE WHEN deleted_at IS NOT NULL THEN 'deleted' END", "")); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
}

func TestPostgresMigratesOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	var wg sync.WaitGroup
	old := s.open(t, config.Destination{})
	for i := range 8 {
		p := old
		if i > 0 {
			p = s.open(t, config.Destination{})
		}
		wg.Go(func() {
			if _, err := p.Deliver(t.Context(), sample(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	next := s.open(t, config.Destination{})
	next.steps = append(next.steps, fmt.Sprintf("ALTER TABLE %s ADD COLUMN trace text", next.table.quoted("it")))
	deliverAll(t, next, sample("new"))
	deliverAll(t, old, sample("old"))
	if n := len(s.rows(t, "id, trace", "")); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
}

func TestPostgresFailsForAWhile(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.vault["env:wrong"], s.vault["env:none"] = "wrong", "no PEM"
	host, _ := url.Parse(s.url)
	named := fmt.Sprintf("postgres://pushpull@127.0.0.1:%s/postgres?sslmode=verify-full", host.Port())
	for _, test := range []struct {
		name string
		c    config.Destination
		want string
	}{
		{"a password that is wrong", config.Destination{Password: config.Secrets{"env:wrong"}}, "check the user in url, and password"},
		{"a password that is not there", config.Destination{Password: config.Secrets{"env:missing"}}, "secret not resolved"},
		{"a table that is not there, and not ours to make", config.Destination{Migrate: new(bool)}, "make the table"},
		{"a database that is not there", config.Destination{URL: strings.Replace(s.url, "/postgres", "/none", 1)}, "3D000"},
		{"a standby", config.Destination{URL: s.url + "?default_transaction_read_only=on"}, "25006"},
		{"nobody listens", config.Destination{URL: "postgres://pushpull@127.0.0.1:1/postgres"}, "no answer"},
		{"a certificate that nobody we know signed", config.Destination{URL: named}, "certificate"},
		{"certificates that are none", config.Destination{URL: named, CA: config.Secrets{"env:none"}}, "no certificate in PEM"},
	} {
		_, err := s.open(t, test.c).Deliver(t.Context(), sample("1"))
		if got, _ := outcomeOf(err); got != retry || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want a *Retryable with %q", test.name, err, test.want)
		}
	}
	deliverAll(t, s.open(t, config.Destination{URL: named, CA: config.Secrets{"env:ca"}}), sample("verified"))
	rotated := s.open(t, config.Destination{Password: config.Secrets{"env:wrong", "env:password"}})
	if _, err := rotated.Deliver(t.Context(), sample("rotated")); err == nil {
		t.Error("the wrong password was good")
	}
	deliverAll(t, rotated, sample("rotated"))
}

func TestPostgresShowsNothingOfARow(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := s.open(t, config.Destination{})
	e := sample("s3cret\x00")
	_, err := p.Deliver(t.Context(), e)
	if _, ok := errors.AsType[*Permanent](err); !ok || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error is %v", err)
	}
}
