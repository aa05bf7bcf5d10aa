// Package path tests the way of an event from outside: HTTP in at the front
// door, HTTP out at a destination, with the command line to look at the rest.
// Every process is real.
package path

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"pushpull/test/harness"
)

const secret = "a secret for the tests"

// system is the one stack that the tests of this package share; each has
// sources and destinations of its own.
var system *harness.Stack //nolint:gochecknoglobals // set once, before any test runs

// far and near are the destinations.
var far, near *destination //nolint:gochecknoglobals // set once, before any test runs

// api is the provider's.
var api *provider //nolint:gochecknoglobals // set once, before any test runs

func TestMain(m *testing.M) {
	code, err := withSystem(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withSystem(m *testing.M) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	root, err := harness.Root()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "path")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary, err := harness.Build(ctx, root, dir)
	if err != nil {
		return 0, err
	}
	near, far = newDestination(), newDestination()
	defer near.Close()
	defer far.Close()
	api = newProvider()
	defer api.Close()
	system, err = harness.New(harness.Options{
		Binary: binary, Root: root, Dir: dir,
		Config: map[string]string{"sources.yaml": configOf(api.URL)},
		Secrets: map[string]string{
			"ssm:/test/push": secret,
			"ssm:/test/key":  key,
			"ssm:/test/sign": "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key to sign deliveries with")),
		},
		Flags: []string{"--sandbox=false"},
	})
	if err != nil {
		return 0, err
	}
	if err := system.Start(ctx); err != nil {
		return 0, err
	}
	code := m.Run()
	if code != 0 {
		fmt.Fprintln(os.Stderr, system.Tail())
	}
	return code, system.Stop()
}

// configOf gives each test a source of its own, all to both destinations.
func configOf(url string) string {
	var b strings.Builder
	b.WriteString("sources:\n")
	for _, name := range []string{"once", "refused", "heals", "dies", "large", "again", "personal"} {
		fmt.Fprintf(&b, `  %s:
    webhook:
      secret: ssm:/test/push
      auth: { scheme: hmac, signature: { header: X-Signature } }
      event: { identity: "{body.id}", type: "{body.type}", entity: "{body.entity}" }
`, name)
	}
	b.WriteString(`  github:
    webhook: { provider: github, secret: ssm:/test/push }
`)
	for _, name := range []string{"things", "others", "ranged", "quiet"} {
		fmt.Fprintf(&b, `  %[1]s:
    poll:
      base_url: %[2]q
      auth: { type: api_key, in: query, name: key }
      token: ssm:/test/key
      every: 1d
      request: { path: /%[1]s }
      pagination: { type: link_header }
      incremental: { cursor_path: at, start_param: since, end_param: until, order: asc, initial: 1d, retention: 60d }
      event: { identity: "{body.id}", time: "{body.at}" }
`, name, url)
	}
	fmt.Fprintf(&b, `destinations:
  near: { kind: http, url: %q, allow_private: true, sign: ssm:/test/sign }
  far: { kind: http, url: %q, allow_private: true, sign: ssm:/test/sign, retry: { first: 1s, max: 2s } }
routes:
  - { from: "*", to: [near, far] }
`, near.URL, far.URL)
	return b.String()
}

func TestAnEventSentTwiceIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	e := body("once", "evt_1")
	for range 3 {
		if status, answer := push(t, "once", e); status/100 != 2 {
			t.Fatalf("answered %d: %s", status, answer)
		}
	}
	r := until(t, "once", "evt_1", func(r record) bool { return r.Status == "delivered" && r.Duplicates["webhook"] == 2 })
	if r.Type != "thing.changed" || r.Entity != "once-1" || r.Transport != "webhook" {
		t.Errorf("the ledger has type %q, entity %q, transport %q", r.Type, r.Entity, r.Transport)
	}
	for name, d := range map[string]*destination{"near": near, "far": far} {
		if came := d.bodies("once", "evt_1"); len(came) != 1 || came[0] != e {
			t.Errorf("%s got it %d times: %q", name, len(came), came)
		}
	}
}

func TestAQueueThatRefusesIsA503AndLeavesNoClaim(t *testing.T) {
	// Not parallel: the fault is of the whole queue.
	e := body("refused", "evt_1")
	release := refuse(t)
	res := request(t, "refused", e)
	defer res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("answered %d with Retry-After %q, want 503 and a number", res.StatusCode, res.Header.Get("Retry-After"))
	}
	if r, ok := lookUp(t, "refused", "evt_1"); ok {
		t.Errorf("the refused event is in the ledger as %s", r.Status)
	}
	release()
	if status, answer := push(t, "refused", e); status/100 != 2 {
		t.Fatalf("answered %d once the queue took it: %s", status, answer)
	}
	until(t, "refused", "evt_1", func(r record) bool { return r.Status == "delivered" })
}

func TestADestinationThatFailsForAWhileGetsItLaterAndItsNeighbourOnce(t *testing.T) {
	t.Parallel()
	far.fail("heals", http.StatusServiceUnavailable, 2)
	e := body("heals", "evt_1")
	push(t, "heals", e)
	r := until(t, "heals", "evt_1", func(r record) bool { return r.Status == "delivered" })
	if n := len(near.bodies("heals", "evt_1")); n != 1 {
		t.Errorf("the healthy neighbour got it %d times", n)
	}
	if n := len(far.bodies("heals", "evt_1")); n != 1 {
		t.Errorf("the failing one took it %d times", n)
	}
	var failures int
	for _, a := range r.Attempts {
		if a.Destination == "far" && a.Status == http.StatusServiceUnavailable {
			failures++
		}
	}
	if failures != 2 {
		t.Errorf("the history has %d failed attempts, want 2: %+v", failures, r.Attempts)
	}
}

func TestADestinationThatRefusesForGoodLeavesADeadLetterThatRedriveMends(t *testing.T) {
	t.Parallel()
	heal := far.fail("dies", http.StatusUnprocessableEntity, -1)
	e := body("dies", "evt_1")
	push(t, "dies", e)
	r := until(t, "dies", "evt_1", func(r record) bool { return r.Status == "dead" })
	if !strings.Contains(r.Reason, "422") {
		t.Errorf("the reason %q does not say the answer", r.Reason)
	}
	out := command(t, "dead", "--json")
	if !strings.Contains(out, "dies/evt_1") || !strings.Contains(out, "422") {
		t.Fatalf("`dead` printed %q", out)
	}
	heal()
	command(t, "dead", "redrive", "dies/evt_1")
	until(t, "dies", "evt_1", func(r record) bool { return r.Status == "delivered" })
	if n := len(near.bodies("dies", "evt_1")); n != 1 {
		t.Errorf("the neighbour, which had it, got it %d times", n)
	}
	if n := len(far.bodies("dies", "evt_1")); n != 1 {
		t.Errorf("the mended destination took it %d times", n)
	}
	if out := command(t, "dead", "--json"); strings.Contains(out, "dies/evt_1") {
		t.Errorf("it is still dead: %s", out)
	}
}

func TestBodiesThatTheQueueWouldRefuseArriveByteForByte(t *testing.T) {
	t.Parallel()
	for id, note := range map[string]string{
		"evt_big":   strings.Repeat("x", 3<<20),
		"evt_odd":   "\\u0000 \\ud800 \uFFFE \U0001F600 \x7f",
		"evt_space": "</script>   &amp;",
	} {
		e := fmt.Sprintf(" {\n\t\"id\": %q, \"type\": \"thing.changed\", \"entity\": \"e\", \"note\": \"%s\" }\r\n", id, note)
		if status, answer := push(t, "large", e); status/100 != 2 {
			t.Errorf("%s was answered %d: %s", id, status, answer)
			continue
		}
		until(t, "large", id, func(r record) bool { return r.Status == "delivered" })
		if came := near.bodies("large", id); len(came) != 1 || came[0] != e {
			t.Errorf("%s did not arrive as it was sent, once: it came %d times", id, len(came))
		}
		if got := command(t, "show", "large/"+id, "--payload"); got != e {
			t.Errorf("`show --payload` of %s differs from what was sent", id)
		}
	}
}

func TestWhatIsNotAuthenticIsRefused(t *testing.T) {
	t.Parallel()
	res := send(t, "once", body("once", "evt_forged"), "00"+strings.Repeat("ab", 31))
	defer res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a forged request was answered %d, %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	var problem struct{ Title, Detail string }
	if err := json.NewDecoder(res.Body).Decode(&problem); err != nil {
		t.Error(err)
	}
	if strings.Contains(strings.ToLower(problem.Detail), "hmac") {
		t.Errorf("the answer tells an attacker too much: %+v", problem)
	}
}
