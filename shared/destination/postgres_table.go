package destination

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pushpull/shared/config"
)

// A column is one of the table's, and how a statement's array becomes its values.
type pgColumn struct {
	name, kind string // as PostgreSQL has it
	array      string // the type of the array that carries its values
	cast       string // from the array's element; "" where that is it
	values     func([]pgRow) any
}

// common are the columns of both modes. A later version adds to the end, with a
// step in steps.
var common = []pgColumn{
	{"source", "text NOT NULL", "text[]", "", each(func(r pgRow) string { return r.event.Source })},
	{"id", "text NOT NULL", "text[]", "", each(func(r pgRow) string { return r.event.ID })},
	{"type", "text NOT NULL", "text[]", "", each(func(r pgRow) string { return r.event.Type })},
	{"time", "timestamptz", "timestamptz[]", "", each(func(r pgRow) *time.Time { return timeOrNull(r.event.Time) })},
	{"subject", "text NOT NULL", "text[]", "", each(func(r pgRow) string { return r.event.Subject })},
	{"version", "text NOT NULL", "text[]", "", each(func(r pgRow) string { return r.event.Version })},
	{"transport", "text NOT NULL", "text[]", "", each(func(r pgRow) string { return string(r.event.Transport) })},
	{"received_at", "timestamptz", "timestamptz[]", "", each(func(r pgRow) *time.Time { return timeOrNull(r.event.ReceivedTime) })},
	{"content_type", "text NOT NULL", "text[]", "", each(func(r pgRow) string { return r.event.ContentType })},
	{"data", "jsonb", "text[]", "::jsonb", each(func(r pgRow) *string { return r.data })},
	{"bytes", "bytea", "bytea[]", "", each(func(r pgRow) []byte { return r.bytes })},
}

// ofEntities are those that a table of entities has besides. The order of the keys
// is that of the versions; it is that of bytes whatever the database's language.
var ofEntities = []pgColumn{
	{"version_key", `text COLLATE "C" NOT NULL`, "text[]", "", each(func(r pgRow) string { return r.versionKey })},
	{"deleted_at", "timestamptz", "timestamptz[]", "", each(func(r pgRow) *time.Time { return r.deleted })},
}

// each gives the value of each row.
func each[V any](value func(pgRow) V) func([]pgRow) any {
	return func(rows []pgRow) any {
		all := make([]V, len(rows))
		for i, r := range rows {
			all[i] = value(r)
		}
		return all
	}
}

// A table is where a postgres destination writes, and how.
type pgTable struct {
	schema, name string // schema is "" where the database's search path says it
	entities     bool
}

func newTable(c config.Destination) pgTable {
	t := pgTable{name: c.Table, entities: c.Mode == "entities"}
	if t.name == "" {
		t.name = "events"
		if t.entities {
			t.name = "entities"
		}
	}
	if schema, name, ok := strings.Cut(t.name, "."); ok {
		t.schema, t.name = schema, name
	}
	return t
}

func (t pgTable) columns() []pgColumn {
	if t.entities {
		return slices.Concat(common, ofEntities)
	}
	return common
}

// key is what makes two rows the same.
func (t pgTable) key() string {
	if t.entities {
		return "source, subject"
	}
	return "source, id"
}

// quoted is a table's name for a statement, in the destination's schema.
func (t pgTable) quoted(name string) string {
	if t.schema == "" {
		return pgx.Identifier{name}.Sanitize()
	}
	return pgx.Identifier{t.schema, name}.Sanitize()
}

// upsert is the one statement that writes rows, however many: each parameter is an
// array with a value for each row. A repetition overwrites its row; of an entity
// the newer version does, the same one, and one that cannot be compared.
func (t pgTable) upsert() string {
	var names, values, arrays, sets []string
	for i, c := range t.columns() {
		names = append(names, c.name)
		values = append(values, "r."+c.name+c.cast)
		arrays = append(arrays, fmt.Sprintf("$%d::%s", i+1, c.array))
		if !strings.Contains(", "+t.key()+",", " "+c.name+",") {
			sets = append(sets, c.name+" = EXCLUDED."+c.name)
		}
	}
	sets = append(sets, "written_at = now()")
	statement := fmt.Sprintf("INSERT INTO %s AS kept (%s) SELECT %s FROM unnest(%s) AS r (%s) ON CONFLICT (%s) DO UPDATE SET %s",
		t.quoted(t.name), strings.Join(names, ", "), strings.Join(values, ", "), strings.Join(arrays, ", "),
		strings.Join(names, ", "), t.key(), strings.Join(sets, ", "))
	if t.entities {
		statement += " WHERE kept.version_key <= EXCLUDED.version_key OR left(kept.version_key, 1) <> left(EXCLUDED.version_key, 1)"
	}
	return statement
}

// steps make the table, each from what the one before left. A step that was
// released is never changed, and none takes away: an older Pushpull writes on.
func (t pgTable) steps() []string {
	var columns []string
	for _, c := range t.columns() {
		columns = append(columns, c.name+" "+c.kind)
	}
	return []string{
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s, written_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (%s))",
			t.quoted(t.name), strings.Join(columns, ", "), t.key()),
	}
}

// versions is the table that says which steps were taken.
const versions = "pushpull_versions"

// version is how many steps were taken; 0 where the table of versions is not there.
func (t pgTable) version(ctx context.Context, tx pgx.Tx) (int, error) {
	// Not to_regclass: what a session has once looked for in vain, it may not see
	// while it waits for the lock.
	const is = "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE tablename = $1 AND schemaname = coalesce(nullif($2, ''), current_schema()))"
	var there bool
	if err := tx.QueryRow(ctx, is, versions, t.schema).Scan(&there); err != nil || !there {
		return 0, err
	}
	var n int
	err := tx.QueryRow(ctx, fmt.Sprintf("SELECT coalesce(max(version), 0) FROM %s WHERE table_name = $1", t.quoted(versions)), t.name).Scan(&n)
	return n, err
}

// migrate takes the steps that were not taken yet. However many processes begin
// at once, one takes them, and the others find them taken.
func (t pgTable) migrate(ctx context.Context, tx pgx.Tx, steps []string) error {
	n, err := t.version(ctx, tx)
	if err != nil || n >= len(steps) {
		return err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "pushpull "+t.quoted(versions)); err != nil {
		return err
	}
	if n, err = t.version(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (table_name text, version int, taken_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (table_name, version))", t.quoted(versions))); err != nil {
		return err
	}
	for ; n < len(steps); n++ {
		if _, err := tx.Exec(ctx, steps[n]); err != nil {
			return fmt.Errorf("step %d: %w", n+1, err)
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s (table_name, version) VALUES ($1, $2)", t.quoted(versions)), t.name, n+1); err != nil {
			return err
		}
	}
	return nil
}
