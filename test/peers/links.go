package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// links is json-server: RFC 8288 Link pagination, ETag.
type links struct{ server }

func (l *links) name() string { return "json-server" }

func (l *links) command(installed, dir string) ([]string, error) {
	db := filepath.Join(dir, "db.json")
	return []string{"node", filepath.Join(installed, "node_modules/json-server/lib/cli/bin.js"), "--host", "127.0.0.1", "--port", l.port(), db},
		os.WriteFile(db, []byte(`{"events":[]}`), 0o600)
}

func (l *links) ready(ctx context.Context) bool {
	return l.call(ctx, "GET", "/events", "", "", nil, nil) == nil
}

func (l *links) fill(ctx context.Context, later bool) error {
	n := 110
	if later {
		n = 25
	}
	for i := range n {
		at := time.Now().UTC().Add(time.Duration(i/5*5-n) * time.Millisecond).Truncate(time.Second) // in ties
		if err := l.call(ctx, "POST", "/events", "", "application/json", fmt.Appendf(nil, `{"at":%q,"n":%d}`, at.Format(time.RFC3339), i), nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *links) config() string {
	return fmt.Sprintf(`  json-server:
    poll:
      every: 5s
      adapt: none
      base_url: http://%s
      auth: { type: none }
      request: { path: /events, params: { _sort: at, _order: asc, _page: "1", _limit: "20" } }
      pagination: { type: link_header }
      incremental: { cursor_path: at, start_param: at_gte, precision: s, order: asc, lookback: 5s }
      conditional: etag
      event: { identity: "event-{body.id}", time: "{body.at}" }
`, l.host)
}

func (l *links) has(ctx context.Context) (ids []string, err error) {
	var all []struct{ ID int }
	err = l.call(ctx, "GET", "/events", "", "", nil, &all)
	for _, e := range all {
		ids = append(ids, fmt.Sprintf("event-%d", e.ID))
	}
	return ids, err
}
