package destination

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/guard"
)

var postgresKind = Kind{
	Name:        "postgres",
	Doc:         "Writes events into a table of PostgreSQL, a row for each event or for the newest version of each entity.",
	Fields:      []string{"url", "password", "ca", "table", "mode", "deletes", "migrate", "batch", "timeout", "retry"},
	Idempotency: "A repetition overwrites its row; in a table of entities an older version changes nothing.",
	Limits:      "A statement has at most 500 events and 8 MiB; each destination has two connections in a process, unless pool_max_conns in the url says another number.",
	open:        openPostgres,
}

const postgresConnections = 2 // of one process; an instance of a function has little to do at once

type postgres struct {
	table     pgTable
	deletes   []string
	steps     []string // nil where the table is another's to make
	timeout   time.Duration
	password  config.Secrets
	ca        config.Secrets
	pool      *pgxpool.Pool
	env       *Env
	turn      atomic.Int64 // which of several passwords is used
	mu        sync.Mutex
	is        bool // the table is there, as it should be
	statement string
}

func openPostgres(c config.Destination, env *Env) (Destination, error) {
	settings, err := postgresSettings(c)
	if err != nil {
		return nil, err
	}
	p := &postgres{
		table: newTable(c), deletes: c.Deletes, timeout: cmp.Or(c.Timeout.Std(), defaultTimeout),
		password: c.Password, ca: c.CA, env: env,
	}
	if len(p.deletes) == 0 {
		p.deletes = []string{"*.deleted"}
	}
	if c.Migrate == nil || *c.Migrate {
		p.steps = p.table.steps()
	}
	p.statement = p.table.upsert()
	settings.BeforeConnect = p.authenticate
	if p.pool, err = pgxpool.NewWithConfig(context.Background(), settings); err != nil { // it connects when it is used
		return nil, fmt.Errorf("url: %w", err)
	}
	return p, nil
}

// postgresSettings reads the address. Without another word in it the server must
// show a certificate that is good for its name, unless it is on this machine.
func postgresSettings(c config.Destination) (*pgxpool.Config, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" {
		return nil, errors.New("url: is not the address of a database: write postgres://user@host:5432/database")
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("url: a password in it would be read by all who read the configuration: keep it elsewhere, and write where in password")
	}
	query := u.Query()
	if !query.Has("sslmode") && !guard.Loopback(u.Hostname()) {
		query.Set("sslmode", "verify-full")
	}
	if len(c.CA) > 0 && query.Get("sslmode") != "verify-full" {
		return nil, errors.New("ca: is of use with sslmode=verify-full alone: write that into url, or leave ca out")
	}
	connections := query.Has("pool_max_conns")
	u.RawQuery = query.Encode()
	settings, err := pgxpool.ParseConfig(u.String())
	if err != nil {
		return nil, errors.New("url: a setting in it is not one that PostgreSQL knows, or has no such value: write postgres://user@host:5432/database")
	}
	if !connections {
		settings.MaxConns = postgresConnections
	}
	if settings.ConnConfig.RuntimeParams["application_name"] == "" {
		settings.ConnConfig.RuntimeParams["application_name"] = "pushpull"
	}
	return settings, nil
}

// authenticate gives a new connection the secrets as they are now.
func (p *postgres) authenticate(ctx context.Context, c *pgx.ConnConfig) error {
	passwords, err := p.env.resolve(ctx, p.password)
	if err != nil {
		return err
	}
	if n := int64(len(passwords)); n > 0 {
		c.Password = passwords[p.turn.Load()%n]
	}
	certificates, err := p.env.resolve(ctx, p.ca)
	if err != nil || len(certificates) == 0 {
		return err
	}
	c.TLSConfig.RootCAs = x509.NewCertPool()
	for _, pem := range certificates {
		if !c.TLSConfig.RootCAs.AppendCertsFromPEM([]byte(strings.ReplaceAll(pem, `\n`, "\n"))) {
			return errors.New("ca: the secret has no certificate in PEM: store the certificates of those who sign the database's")
		}
	}
	return nil
}

func (p *postgres) Batch() BatchLimits {
	return BatchLimits{Count: 500, Bytes: 8 << 20, Each: 64 << 20}
}

// Deliver writes one row.
func (p *postgres) Deliver(ctx context.Context, e event.Event) (Result, error) {
	return alone(ctx, p, e)
}

// DeliverBatch writes the rows in one statement. Where one of them does not fit,
// each is written alone.
func (p *postgres) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if err := p.prepare(ctx); err != nil {
		return outcomes(len(events), Outcome{Err: p.unprepared(ctx, err)})
	}
	return inCalls(events, p.Batch(), p.row, func(rows []pgRow) ([]Outcome, error) {
		if err := p.write(ctx, rows); err != nil {
			return nil, err
		}
		return outcomes(len(rows), Outcome{}), nil
	})
}

// prepare makes the table, once in the life of the process.
func (p *postgres) prepare(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.is || p.steps == nil {
		return nil
	}
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error { return p.table.migrate(ctx, tx, p.steps) })
	p.is = err == nil
	return err
}

// unprepared is the error of a table that could not be made: no event's fault.
func (p *postgres) unprepared(ctx context.Context, err error) error {
	err = p.judge(ctx, err)
	if permanent, ok := errors.AsType[*Permanent](err); ok {
		return &Retryable{Err: fmt.Errorf("make the table: %w", permanent.Err)}
	}
	return err
}

func (p *postgres) row(e event.Event) (pgRow, int, error) {
	r, err := p.table.row(e, p.deletes)
	return r, len(e.Data) + len(e.ID) + len(e.Subject) + 200, err
}

// write runs the statement. JSON that jsonb cannot hold, such as a text with a NUL
// in it, is kept as bytes; only a row alone tells which it is.
func (p *postgres) write(ctx context.Context, rows []pgRow) error {
	_, err := p.pool.Exec(ctx, p.statement, p.table.arrays(newest(rows))...)
	if len(rows) == 1 && rows[0].data != nil && ofData(err) {
		rows[0].bytes, rows[0].data = []byte(*rows[0].data), nil
		_, err = p.pool.Exec(ctx, p.statement, p.table.arrays(rows)...)
	}
	return p.judge(ctx, err)
}

// ofData reports whether the server would not have the row itself, of all that can
// go wrong: its data do not fit (22), a constraint of the table's owner is against
// it (23), or its JSON is nested too deeply (54).
func ofData(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(e.Code, "22") || strings.HasPrefix(e.Code, "23") || strings.HasPrefix(e.Code, "54"))
}

// judge says what an error of the server means. Those of the row are permanent:
//
//	22, 23, 54     permanent: the row does not fit
//	anything else  may pass: the connection (08), a login (28), a lock (40, 55), the
//	               server's means (53, 57, 58), a table or a right that is not there
//	               (3D, 3F, 42), a standby that was made the primary (25)
//
// What the server says of a row may quote it, and is left out.
func (p *postgres) judge(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		if r, ok := errors.AsType[*Retryable](err); ok {
			return r
		}
		return &Retryable{Err: fmt.Errorf("no answer of the database: %w", err)}
	case ofData(err):
		return &Permanent{Err: fmt.Errorf("the database does not take the row (SQLSTATE %s), whose values are not shown: look at the table's constraints and triggers", e.Code)}
	case e.Code == "42P01" || e.Code == "42703":
		err = fmt.Errorf("%s (SQLSTATE %s): make the table as docs/destinations.md has it; if it was dropped, remove its lines from %s", e.Message, e.Code, versions)
	case strings.HasPrefix(e.Code, "28"):
		p.turn.Add(1)
		if len(p.password) > 0 {
			_, _ = p.env.secrets.Fresh(ctx, p.password) // for the next attempt
		}
		err = fmt.Errorf("%s (SQLSTATE %s): check the user in url, and password", e.Message, e.Code)
	default:
		err = fmt.Errorf("%s (SQLSTATE %s)", e.Message, e.Code)
	}
	return &Retryable{Err: err}
}
