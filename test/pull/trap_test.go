package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/pull"
)

// What never ends, or leads away, ends soon and says so.
func TestAnEndlessListIsAnError(t *testing.T) {
	t.Parallel()
	var away atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		away.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("the credential went to another host")
		}
	}))
	t.Cleanup(elsewhere.Close)
	for name, c := range map[string]struct {
		pagination string
		serve      func(n int64, r *http.Request) (body string)
		most       int64 // requests
	}{
		"the same cursor again, with records": {
			"{ type: cursor, cursor_path: next, cursor_param: cursor }",
			func(n int64, _ *http.Request) string { return page(n, `"next":"again"`) }, 5,
		},
		"two cursors in turn": {
			"{ type: cursor, cursor_path: next, cursor_param: cursor }",
			func(n int64, _ *http.Request) string { return page(n, fmt.Sprintf(`"next":"%d"`, n%2)) }, 6,
		},
		"a cycle of two hundred": {
			"{ type: cursor, cursor_path: next, cursor_param: cursor }",
			func(n int64, _ *http.Request) string { return page(n, fmt.Sprintf(`"next":"%d"`, n%200)) }, 1000,
		},
		"a page number that is ignored": {
			"{ type: page, cursor_param: page, page_size: 2 }",
			func(int64, *http.Request) string { return page(1, `"next":null`) }, 8,
		},
		"an offset that is ignored": {
			"{ type: offset, cursor_param: offset, page_size: 2 }",
			func(int64, *http.Request) string { return page(1, `"next":null`) }, 8,
		},
		"a next address at another host": {
			"{ type: next_url, cursor_path: next }",
			func(n int64, _ *http.Request) string {
				return page(n, fmt.Sprintf(`"next":"%s/list?page=2"`, elsewhere.URL))
			}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, c.serve(n.Add(1), r))
			}))
			t.Cleanup(server.Close)
			source, err := trap(server.URL, c.pagination)
			if err != nil {
				t.Fatal(err)
			}
			var failed error
			st := pull.State{}
			for range 10 { // continuations: max_pages is no way out
				more := false
				for p, err := range source.Run(t.Context(), st) {
					if failed = err; err == nil {
						st, more = p.Next, p.More
					}
				}
				if failed != nil || !more {
					break
				}
			}
			if _, final := errors.AsType[*api.Permanent](failed); !final {
				t.Errorf("it ended with %v, want an error that will not pass", failed)
			}
			t.Logf("after %d requests: %v", n.Load(), failed)
			if n.Load() > c.most {
				t.Errorf("%d requests were made, want %d at most", n.Load(), c.most)
			}
		})
	}
	t.Cleanup(func() {
		if away.Load() > 0 {
			t.Errorf("%d requests went to another host", away.Load())
		}
	})
}

func page(n int64, rest string) string {
	return fmt.Sprintf(`{"data":[{"id":"a%d"},{"id":"b%d"}],%s}`, n, n, rest)
}

func trap(address, pagination string) (*pull.Source, error) {
	text := fmt.Sprintf(`sources:
  trap:
    poll:
      base_url: %s
      token: ssm:/standin/trap
      auth: { type: bearer }
      request: { path: /list }
      records: { path: data }
      pagination: %s
      event: { identity: "{body.id}" }
`, address, pagination)
	cfg, problems := load.Load([]load.File{{Name: "trap.yaml", Data: []byte(text)}})
	if wrong := load.Errors(problems); len(wrong) > 0 {
		return nil, fmt.Errorf("%v", wrong)
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	auth, err := apiauth.New(&config.APIAuth{Type: "bearer"}, apiauth.Options{
		Token: config.Secrets{"ssm:/standin/trap"}, Base: base, Store: secrets{"ssm:/standin/trap": "a token"},
	})
	if err != nil {
		return nil, err
	}
	return pull.New(cfg.Sources["trap"].Poll[0], pull.Options{API: api.Options{Auth: auth, Client: &http.Client{}}})
}
