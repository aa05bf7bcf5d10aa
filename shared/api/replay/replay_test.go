package replay_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"pushpull/shared/api"
	"pushpull/shared/api/replay"
	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/pull"
)

const secret = "sk_live+4242/secret"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// secrets resolves every reference to the one secret.
type secrets struct{ apiauth.Secrets }

func (secrets) All(_ context.Context, refs []string) ([]string, error) {
	return slices.Repeat([]string{secret}, len(refs)), nil
}

func (s secrets) Fresh(ctx context.Context, refs []string) ([]string, error) {
	return s.All(ctx, refs)
}

// A provider answers two pages, shows the credential where it can, and is limited once.
type provider struct{ asked int }

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", noon.Format(http.TimeFormat))
	if r.URL.Path == "/token" {
		fmt.Fprint(w, `{"access_token":"granted-token-0123456789","expires_in":3600}`)
		return
	}
	if p.asked++; p.asked == 1 {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: "cookie-of-a-session"})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	defer z.Close()
	if r.URL.Query().Get("page") == "" {
		next := *r.URL
		next.Scheme, next.Host = "http", r.Host
		next.RawQuery += "&page=2"
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
		fmt.Fprintf(z, `{"data": [{"id": 1, "at": %q}, {"id": 2, "at": %[1]q, "said": %q, "access_token": "of another kind"}]}`, noon.Add(-time.Hour).Format(time.RFC3339), r.Header.Get("Authorization"))
		return
	}
	fmt.Fprintf(z, `{"data":[{"id":12345678901234567890,"at":%q}]}`, noon.Add(-time.Minute).Format(time.RFC3339))
}

func poll(base string, auth *config.APIAuth) config.Poll {
	return config.Poll{
		BaseURL: base, Auth: auth, Token: config.Secrets{"env:TOKEN"},
		Request:     &config.Request{Path: "/events"},
		Records:     &config.Records{Path: "data"},
		Pagination:  &config.Pagination{Type: "link_header"},
		Incremental: &config.Incremental{CursorPath: "at", StartParam: "since", Order: "asc"},
	}
}

// read runs a poll, and gives its records and its state at the end.
func read(t *testing.T, p config.Poll, o api.Options) (records []string, last pull.State) {
	t.Helper()
	s, err := pull.New(p, pull.Options{API: o})
	if err != nil {
		t.Fatal(err)
	}
	for page, err := range s.Run(t.Context(), pull.State{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			records = append(records, gjson.GetBytes(r.Data, "id").Raw)
		}
		last = page.Next
	}
	return records, last
}

func credential(t *testing.T, p config.Poll) *apiauth.Authenticator {
	t.Helper()
	base, err := pull.BaseURL(p)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := apiauth.New(p.Auth, apiauth.Options{Token: p.Token, Base: base, Store: secrets{}})
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// still is a clock that stands still, and does not wait.
func still(o api.Options) api.Options {
	o.Now = func() time.Time { return noon }
	o.Sleep = func(context.Context, time.Duration) error { return nil }
	return o
}

func TestARecordedRunIsTheSameWithoutItsAPIAndHasNoSecret(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]*config.APIAuth{
		"of a key in the query":         {Type: "api_key", In: "query", Name: "auth"},
		"of a key whose name tells it":  {Type: "api_key", In: "query", Name: "api_key"},
		"of a bearer token":             {Type: "bearer"},
		"of basic auth":                 {Type: "basic", Username: "someone@example.com", Password: "{token}"},
		"of a token that was got":       {Type: "oauth2", Grant: "client_credentials", TokenURL: "/token", ClientID: "me", ClientSecret: "{token}"},
		"of a signature of the request": {Type: "hmac", Name: "X-Signature", Signed: "{timestamp}{path}", Headers: map[string]string{"X-Time": "{timestamp}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := httptest.NewServer(&provider{})
			defer peer.Close()
			p := poll(peer.URL, auth)
			own := credential(t, p)
			scrub := replay.NewScrubber(secret)
			var file bytes.Buffer
			recorder, err := replay.NewRecorder(&file, replay.Head{Source: "shop", At: noon, Key: own.Key()}, scrub)
			if err != nil {
				t.Fatal(err)
			}
			records, last := read(t, p, still(api.Options{Auth: replay.Watch(own, scrub), Record: recorder.Record}))
			peer.Close()
			if err := recorder.Err(); err != nil {
				t.Fatal(err)
			}
			for _, leaked := range []string{secret, "secret", "c2tfbGl2Z", "sk_live", "cookie-of-a-session", "of another kind", "granted-token"} {
				if strings.Contains(file.String(), leaked) {
					t.Errorf("the recording has %q:\n%s", leaked, file.String())
				}
			}
			player, err := replay.Open(&file)
			if err != nil {
				t.Fatal(err)
			}
			again, lastAgain := read(t, p, player.Options())
			if diff := cmp.Diff(records, again); diff != "" || len(records) != 3 {
				t.Errorf("%d records, then %s", len(records), diff)
			}
			if diff := cmp.Diff(last, lastAgain, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Ties" }, cmp.Ignore())); diff != "" {
				t.Errorf("the state: %s", diff)
			}
			if left := player.Left(); len(left) > 0 {
				t.Errorf("not asked for again: %v", left)
			}
		})
	}
}

func TestARequestThatWasNotRecordedIsNamed(t *testing.T) {
	t.Parallel()
	player := played(t, `{"method":"GET","url":"https://api.example.com/a?n=1","status":200,"answer":{"json":{}}}`)
	client := player.Options().Client
	for _, tt := range []struct{ url, want string }{
		{"https://api.example.com/b?token=abcdef", "no answer to GET https://api.example.com/b?token=redacted-1: the next one it has is to GET https://api.example.com/a?n=1"},
		{"https://api.example.com/a?n=1", ""},
		{"https://api.example.com/a?n=1", "it has no more answers"},
	} {
		resp, err := get(t, client, tt.url)
		if err == nil {
			resp.Body.Close()
		}
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.url, err, tt.want)
		}
	}
}

func TestAnswersThatAreTheSameComeInTheirOrder(t *testing.T) {
	t.Parallel()
	player := played(t,
		`{"method":"GET","url":"https://api.example.com/a?n=1&m=2","status":503}`,
		`{"method":"GET","url":"https://api.example.com/b","status":200}`,
		`{"method":"GET","url":"https://api.example.com/a?m=2&n=1","status":200}`)
	var got []int
	for range 2 {
		resp, err := get(t, player.Options().Client, "https://api.example.com/a?n=1&m=2")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		got = append(got, resp.StatusCode)
	}
	if diff := cmp.Diff([]int{503, 200}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"GET https://api.example.com/b"}, player.Left()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoRecordingSaysSo(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an empty file":      "",
		"another file":       `{"name":"package"}`,
		"of another version": `{"recording":99}`,
	} {
		if _, err := replay.Open(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "not a recording of version 1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := replay.Open(strings.NewReader(`{"recording":1}` + "\n{\"url\":\"")); err == nil || !strings.Contains(err.Error(), "exchange 1") {
		t.Errorf("a file that is cut short: %v", err)
	}
}

func TestASecretIsCutOutHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"as it is", "x " + secret + " y", "x redacted-1 y"},
		{"in an address", "?k=sk_live%2B4242%2Fsecret", "?k=redacted-1"},
		{"in an address with small letters", "?k=sk_live%2b4242%2fsecret", "?k=redacted-1"},
		{"in JSON that escapes slashes", `{"k":"sk_live+4242\/secret"}`, `{"k":"redacted-1"}`},
		{"in XML", `<k>a&#34;b&lt;</k>`, `<k>redacted-2</k>`},
		{"in base64", "c2tfbGl2ZSs0MjQyL3NlY3JldA==", "redacted-1"},
		{"in JSON", `{"k":"a\"b\u003c"}`, `{"k":"redacted-2"}`},
		{"by the name of a parameter", "https://h.example/f?X-Amz-Signature=abc&page=2", "https://h.example/f?X-Amz-Signature=redacted-3&page=2"},
		{"by the name of one in JSON", `{"next":"https://h.example/?access_token=abc\u0026page=2"}`, `{"next":"https://h.example/?access_token=redacted-3\u0026page=2"}`},
		{"by the name of a member", `{"access_token" : "x\"y", "page_token": "p"}`, `{"access_token" : "redacted-3", "page_token": "p"}`},
		{"twice as once", "?sig=a&sig=b&sig=a", "?sig=redacted-3&sig=redacted-4&sig=redacted-3"},
		{"and nothing else", `{"tokens":3,"key":"value","secretary":"x"}`, `{"tokens":3,"key":"value","secretary":"x"}`},
		{"of a service account", "xx-----KEY-----xx", "xxredacted-3xx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			more := `a"b<`
			if tt.name == "of a service account" {
				more = `{"type":"service_account","private_key":"-----KEY-----","client_email":"a@example.com"}`
			}
			if diff := cmp.Diff(tt.want, replay.NewScrubber(secret, more).Text(tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func get(t *testing.T, client *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.Do(req)
}

func played(t *testing.T, exchanges ...string) *replay.Player {
	t.Helper()
	head, err := json.Marshal(replay.Head{Recording: 1, Source: "shop", At: noon})
	if err != nil {
		t.Fatal(err)
	}
	player, err := replay.Open(strings.NewReader(string(head) + "\n" + strings.Join(exchanges, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return player
}
