package destination

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"pushpull/shared/config"
)

// vault resolves references from a map.
type vault map[string]string

func (v vault) All(_ context.Context, refs []string) ([]string, error) {
	values := make([]string, len(refs))
	for i, ref := range refs {
		value, ok := v[ref]
		if !ok {
			return nil, errors.New(ref + ": secret not resolved")
		}
		values[i] = value
	}
	return values, nil
}

func (v vault) Fresh(ctx context.Context, refs []string) ([]string, error) { return v.All(ctx, refs) }

func (v vault) Anew(_ context.Context, ref string) (string, error) { return v[ref], nil }

func (v vault) Put(_ context.Context, ref, value string, _ bool) error { v[ref] = value; return nil }

type request struct {
	header http.Header
	host   string
	body   []byte
}

// serve answers with the handler, which has the body, too.
func serve(t *testing.T, answer func(http.ResponseWriter, *http.Request, []byte)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		answer(w, r, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// listen answers with the handler and keeps the last request.
func listen(t *testing.T, answer http.HandlerFunc) (url string, last *request) {
	t.Helper()
	last = &request{}
	return serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		*last = request{r.Header.Clone(), r.Host, body}
		if answer != nil {
			answer(w, r)
		}
	}), last
}

func TestHTTPSendsTheBytesAndTheAttributes(t *testing.T) {
	t.Parallel()
	url, got := listen(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	d := openTest(t, config.Destination{Kind: "http", URL: url, AllowPrivate: true, Headers: map[string]string{
		"Authorization": "ssm:/crm/token", "X-Team": "a team", "ce-id": "forged", "Webhook-Signature": "forged", "Host": "crm.example.com",
	}}, vault{"ssm:/crm/token": "Bearer s3cret"})
	e := sample("issue 17 @ 50% \"é\"")
	e.Missed = true
	r, err := d.Deliver(t.Context(), e)
	if err != nil || r.Status != 202 {
		t.Fatalf("%+v, %v; want 202", r, err)
	}
	if !bytes.Equal(got.body, e.Data) {
		t.Errorf("the body is %q, want the exact bytes", got.body)
	}
	if got.host != "crm.example.com" {
		t.Errorf("the host is %s", got.host)
	}
	const id = "issue%2017%20@%2050%25%20%22%C3%A9%22"
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Authorization": "Bearer s3cret", "X-Team": "a team",
		"Ce-Specversion": "1.0", "Ce-Id": id, "Ce-Source": "github", "Ce-Type": "issues", "Ce-Time": "2026-11-23T11:59:00Z",
		"Ce-Subject": "issue%2017", "Ce-Version": "3", "Ce-Transport": "webhook", "Ce-Receivedtime": "2026-11-23T11:59:59Z",
		"Ce-Verifiedtime": "2026-11-23T11:59:59Z", "Ce-Correlationid": "c-1", "Ce-Traceparent": e.TraceParent, "Ce-Missed": "true",
		"Traceparent": e.TraceParent, "X-Correlation-Id": "c-1", "Webhook-Id": id, "Webhook-Timestamp": fmt.Sprint(noon.Unix()),
		"Webhook-Signature": "",
	} {
		if diff := cmp.Diff(want, got.header.Get(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestHTTPLeavesOutWhatAnEventDoesNotHave(t *testing.T) {
	t.Parallel()
	url, got := listen(t, nil)
	e := sample("1")
	e.Time, e.Subject, e.Version, e.TraceParent, e.ContentType = time.Time{}, "", "", "", ""
	if _, err := openTest(t, config.Destination{Kind: "http", URL: url, AllowPrivate: true}, nil).Deliver(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Ce-Time", "Ce-Subject", "Ce-Version", "Ce-Traceparent", "Traceparent", "Ce-Missed", "Content-Type"} {
		if v, ok := got.header[name]; ok {
			t.Errorf("%s is %q", name, v)
		}
	}
}

func TestHTTPIsSignedWithEachSecret(t *testing.T) {
	t.Parallel()
	const old, now, raw = "whsec_b2xkIHNlY3JldA==", "bmV3IHNlY3JldA==", "not base64!"
	url, got := listen(t, nil)
	d, err := Open(config.Destination{Kind: "http", URL: url, AllowPrivate: true, Sign: []string{"old", "new", "raw"}},
		NewEnv(Options{Secrets: vault{"old": old, "new": now, "raw": raw}, Now: time.Now}))
	if err != nil {
		t.Fatal(err)
	}
	e := sample("evt 1")
	if _, err := d.Deliver(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Fields(got.header.Get("Webhook-Signature"))); n != 3 {
		t.Errorf("%d signatures, want 3", n)
	}
	for _, secret := range []string{old, now} {
		wh, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify(got.body, got.header); err != nil {
			t.Error(err)
		}
	}
	wh, _ := standardwebhooks.NewWebhookRaw([]byte(raw))
	if err := wh.Verify(got.body, got.header); err != nil {
		t.Error(err)
	}
	other, _ := standardwebhooks.NewWebhookRaw([]byte("another"))
	if err := other.Verify(got.body, got.header); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
		t.Errorf("another secret: %v", err)
	}
}

func TestHTTPFailsForAWhileWithoutItsSecret(t *testing.T) {
	t.Parallel()
	url, _ := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent unsigned") })
	for name, c := range map[string]config.Destination{
		"a secret to sign with that is not there": {Sign: []string{"ssm:/none"}},
		"a secret that cannot be a key":           {Sign: []string{"bad"}},
		"a secret with nothing in it":             {Sign: []string{"nothing"}},
		"a header's secret that is not there":     {Headers: map[string]string{"Authorization": "ssm:/none"}},
		"a header's secret with a line break":     {Headers: map[string]string{"Authorization": "ssm:/broken"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Kind, c.URL, c.AllowPrivate = "http", url, true
			_, err := openTest(t, c, vault{"bad": "whsec_!", "nothing": "whsec_", "ssm:/broken": "a\r\nb"}).Deliver(t.Context(), sample("1"))
			if _, ok := errors.AsType[*Retryable](err); !ok {
				t.Errorf("the error is %v, want a *Retryable", err)
			}
			if err != nil && strings.Contains(err.Error(), "whsec_!") {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status    int
		header    string // Retry-After
		want      outcome
		wantAfter time.Duration
	}{
		{200, "", done, 0},
		{201, "", done, 0},
		{202, "9", done, 0},
		{204, "", done, 0},
		{301, "", give, 0},
		{302, "", give, 0},
		{304, "", give, 0},
		{307, "", give, 0},
		{308, "", give, 0},
		{400, "", give, 0},
		{401, "", give, 0},
		{403, "", give, 0},
		{404, "", give, 0},
		{405, "", give, 0},
		{408, "", retry, 0},
		{409, "", give, 0},
		{410, "9", give, 0},
		{413, "", give, 0},
		{422, "", give, 0},
		{425, "", retry, 0},
		{429, "", retry, 0},
		{429, "120", retry, 2 * time.Minute},
		{500, "", retry, 0},
		{502, "", retry, 0},
		{504, "", retry, 0},
		{599, "", retry, 0},
		{503, "Mon, 23 Nov 2026 12:01:30 GMT", retry, 90 * time.Second},
		{503, "Mon, 23 Nov 2026 11:00:00 GMT", retry, 0},
		{503, "-5", retry, 0},
		{503, "soon", retry, 0},
		{503, "1.5", retry, 0},
		{503, "99999999999999999999999", retry, 365 * 24 * time.Hour},
		{600, "", give, 0},
		{999, "", give, 0},
	} {
		t.Run(fmt.Sprint(test.status, " ", test.header), func(t *testing.T) {
			t.Parallel()
			url, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				if test.header != "" {
					w.Header().Set("Retry-After", test.header)
				}
				w.WriteHeader(test.status)
			})
			r, err := openTest(t, config.Destination{Kind: "http", URL: url, AllowPrivate: true}, nil).Deliver(t.Context(), sample("1"))
			if r.Status != test.status {
				t.Errorf("the status is %d", r.Status)
			}
			got, after := outcomeOf(err)
			if got != test.want || after != test.wantAfter {
				t.Errorf("the outcome is %d after %v (%v), want %d after %v", got, after, err, test.want, test.wantAfter)
			}
		})
	}
}

func outcomeOf(err error) (outcome, time.Duration) {
	if r, ok := errors.AsType[*Retryable](err); ok {
		return retry, r.After
	}
	if _, ok := errors.AsType[*Permanent](err); ok {
		return give, 0
	}
	return done, 0
}

func TestHTTPWithoutAnAnswerMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	hung, _ := listen(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	broken, _ := listen(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, url := range map[string]string{
		"nobody listens":               gone.URL + "/?key=s3cret",
		"no answer within the timeout": hung,
		"the connection breaks":        broken,
		"no such host":                 "https://nowhere.invalid/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config.Destination{Kind: "http", URL: url, AllowPrivate: true, Timeout: config.Duration(50 * time.Millisecond)}
			_, err := openTest(t, c, nil).Deliver(t.Context(), sample("1"))
			if got, _ := outcomeOf(err); got != retry {
				t.Errorf("the error is %v, want a *Retryable", err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error has the URL: %v", err)
			}
		})
	}
}

func TestHTTPReadsNoEndlessAnswer(t *testing.T) {
	t.Parallel()
	var sent int
	ended := make(chan struct{})
	url, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		chunk := bytes.Repeat([]byte("x"), 64<<10)
		for sent < 1<<30 {
			n, err := w.Write(chunk)
			sent += n
			if err != nil {
				return
			}
		}
	})
	if _, err := openTest(t, config.Destination{Kind: "http", URL: url, AllowPrivate: true}, nil).Deliver(t.Context(), sample("1")); err != nil {
		t.Fatal(err)
	}
	<-ended
	if sent > 64<<20 {
		t.Errorf("%d bytes were read", sent)
	}
}
