package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
)

// isso is Isso, a server of comments with an Atom feed, read by the preset feed.
type isso struct{ server }

func (s *isso) name() string { return "isso" }

func (s *isso) command(installed, dir string) ([]string, error) {
	settings := filepath.Join(dir, "isso.cfg")
	text := fmt.Sprintf(`[general]
dbpath = %s
host = http://%s/
[server]
listen = http://%s
[guard]
enabled = false
[rss]
base = http://%s
limit = 100
[hash]
salt = of no use to anybody
`, filepath.Join(dir, "isso.db"), s.host, s.host, s.host)
	return []string{filepath.Join(installed, "venv/bin/isso"), "-c", settings, "run"}, os.WriteFile(settings, []byte(text), 0o600)
}

func (s *isso) ready(ctx context.Context) bool {
	return s.call(ctx, "POST", "/count", "", "application/json", []byte(`["/post"]`), nil) == nil
}

func (s *isso) fill(ctx context.Context, later bool) error {
	n := 40
	if later {
		n = 12
	}
	for i := range n {
		if err := s.call(ctx, "POST", "/new?uri=%2Fpost", "", "application/json", fmt.Appendf(nil, `{"title":"A post","text":"Comment %d, with a little text"}`, i), nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *isso) config() string {
	return fmt.Sprintf(`  isso:
    poll:
      provider: feed
      resource: entries
      every: 5s
      adapt: none
      base_url: http://%s
      request: { path: /feed, params: { uri: /post } }
`, s.host)
}

// has reads the feed. A snapshot's identities are of its own making, so the
// entries are known by their entity.
func (s *isso) has(ctx context.Context) (ids []string, err error) {
	answer, err := s.fetch(ctx, "GET", "/feed?uri=%2Fpost", "", "", nil)
	if err != nil {
		return nil, err
	}
	var feed struct {
		Entries []struct {
			ID string `xml:"id"`
		} `xml:"entry"`
	}
	err = xml.Unmarshal(answer, &feed)
	for _, e := range feed.Entries {
		ids = append(ids, e.ID)
	}
	return ids, err
}
