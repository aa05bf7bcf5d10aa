package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

// slow answers as a server, after a while of its own clock.
type slow struct {
	*server
	now  *time.Time
	each time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	*s.now = s.now.Add(s.each)
	return s.server.RoundTrip(r)
}

func TestMadeUpAddressesCostLittle(t *testing.T) {
	t.Parallel()
	const good, configured = "https://keys.example.com/good", "https://keys.example.com/configured"
	fixed := fromAddress
	fixed.Key = config.Key{URL: configured, Document: "pem"}
	for _, tt := range []struct {
		name     string
		each     time.Duration // that a fetch takes
		requests int
		within   time.Duration // of them all
		least    int           // fetches
		most     int
	}{
		{"a thousand at once, answered at once", 0, 1000, 0, 48, 48},
		{"a thousand in a minute, answered at once", 0, 1000, time.Minute, 100, 110},
		{"a thousand in a minute, each answer half a second late", time.Second / 2, 1000, time.Minute, 40, 55},
		{"those whose answers take all the time there is", 3 * time.Second, 1000, 0, 5, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := fixedECDSA(t)
			pem := says(200, pemOf(t, key))
			now := noon
			s := slow{&server{answers: map[string]func() *http.Response{good: pem, configured: pem}}, &now, 0}
			keys := webhook.NewKeys(&http.Client{Transport: &s}, "", func() time.Time { return now })
			verify := func(auth config.Auth, address string) error {
				return compile(t, auth).Verify(t.Context(), webhook.Credentials{Keys: keys}, signedECDSA(t, key, auth, address), noon)
			}
			if err := verify(fromAddress, good); err != nil {
				t.Fatal(err)
			}
			before := len(s.asked)
			s.each = tt.each
			end := now.Add(tt.within)
			for i := range tt.requests {
				if err := verify(fromAddress, fmt.Sprintf("https://keys.example.com/%d", i)); !errors.Is(err, webhook.ErrKey) {
					t.Fatalf("made-up address %d: %v, want ErrKey", i, err)
				}
				now = now.Add(tt.within / time.Duration(tt.requests))
				if tt.within > 0 && now.After(end) {
					break
				}
			}
			if asked := len(s.asked) - before; asked > tt.most || asked < tt.least {
				t.Errorf("fetched %d, want %d to %d", asked, tt.least, tt.most)
			}
			before = len(s.asked)
			if err := verify(fromAddress, good); err != nil || len(s.asked) != before {
				t.Errorf("the good key afterwards: %v, after %d fetches", err, len(s.asked)-before)
			}
			if err := verify(fixed, ""); err != nil {
				t.Errorf("a key of the configuration afterwards: %v", err)
			}
			if err := verify(fromAddress, configured); err != nil {
				t.Errorf("a key of the configuration, at the address that a request names: %v", err)
			}
			now = now.Add(12 * time.Hour)
			if err := verify(fromAddress, good); err != nil {
				t.Errorf("the good key, fetched again: %v", err)
			}
		})
	}
}

// However many addresses there were, the good ones are still known.
func TestMadeUpAddressesPushOutNoGoodOne(t *testing.T) {
	t.Parallel()
	key := fixedECDSA(t)
	now := noon
	s := &server{answers: map[string]func() *http.Response{}}
	for i := range 70 {
		s.answers[fmt.Sprintf("https://keys.example.com/good%d", i)] = says(200, pemOf(t, key), "Cache-Control", "max-age=86400")
	}
	keys := webhook.NewKeys(s.client(), "", func() time.Time { return now })
	verify := func(name string, i int) error {
		r := signedECDSA(t, key, fromAddress, fmt.Sprintf("https://keys.example.com/%s%d", name, i))
		return compile(t, fromAddress).Verify(t.Context(), webhook.Credentials{Keys: keys}, r, noon)
	}
	for i := range 70 {
		if err := verify("good", i); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	for i := range 200 {
		if err := verify("bad", i); !errors.Is(err, webhook.ErrKey) {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	before := len(s.asked)
	for i := 6; i < 70; i++ { // as many as are kept
		if err := verify("good", i); err != nil {
			t.Error(err)
		}
	}
	if again := len(s.asked) - before; again > 0 {
		t.Errorf("%d good keys were fetched again", again)
	}
	if err := verify("good", 0); err != nil || len(s.asked) != before+1 {
		t.Errorf("one beyond those that are kept: %v, fetched %d times", err, len(s.asked)-before)
	}
}

// A good address is known by whatever scheme proved it.
func TestAnAddressThatATokenProvedIsNoStrangers(t *testing.T) {
	t.Parallel()
	key := fixedECDSA(t)
	for _, detached := range []bool{false, true} {
		t.Run(fmt.Sprintf("detached %v", detached), func(t *testing.T) {
			t.Parallel()
			const good = "https://keys.example.com/good"
			auth := config.Auth{Scheme: "jwt", Algorithm: config.Names{"ES256"}, Signature: config.Signature{Header: config.Names{"S"}, Detached: detached}, Key: fromAddress.Key}
			now := noon
			s := &server{answers: map[string]func() *http.Response{good: says(200, pemOf(t, key))}}
			keys := webhook.NewKeys(s.client(), "", func() time.Time { return now })
			verify := func(address string) error {
				return compile(t, auth).Verify(t.Context(), webhook.Credentials{Keys: keys}, signedECDSA(t, key, auth, address), noon)
			}
			if err := verify(good); err != nil {
				t.Fatal(err)
			}
			now = now.Add(2 * time.Hour)
			for i := range 100 {
				if err := verify(fmt.Sprintf("https://keys.example.com/%d", i)); !errors.Is(err, webhook.ErrKey) {
					t.Fatal(err)
				}
			}
			before := len(s.asked)
			if err := verify(good); err != nil || len(s.asked) != before+1 {
				t.Errorf("the good key afterwards: %v, after %d fetches, want one", err, len(s.asked)-before)
			}
		})
	}
}

// An address that a stranger named first is the configuration's nevertheless.
func TestAnAddressOfTheConfigurationIsNoStrangers(t *testing.T) {
	t.Parallel()
	const address = "https://keys.example.com/configured"
	key := fixedECDSA(t)
	fixed := fromAddress
	fixed.Key = config.Key{URL: address, Document: "pem"}
	now := noon
	s := &server{answers: map[string]func() *http.Response{address: says(503, "")}}
	keys := webhook.NewKeys(s.client(), "", func() time.Time { return now })
	verify := func(auth config.Auth, address string) error {
		return compile(t, auth).Verify(t.Context(), webhook.Credentials{Keys: keys}, signedECDSA(t, key, auth, address), noon)
	}
	if err := verify(fromAddress, address); !errors.Is(err, webhook.ErrKey) {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	for i := range 60 {
		if err := verify(fromAddress, fmt.Sprintf("https://keys.example.com/%d", i)); !errors.Is(err, webhook.ErrKey) {
			t.Fatal(err)
		}
	}
	s.answers[address] = says(200, pemOf(t, key))
	if err := verify(fixed, ""); err != nil {
		t.Errorf("the configuration's address: %v", err)
	}
}

// A failure is remembered for half a minute, whoever asks.
func TestAnAddressThatFailedIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	now := noon
	s := &server{}
	keys := webhook.NewKeys(s.client(), "", func() time.Time { return now })
	r := signedECDSA(t, fixedECDSA(t), fromAddress, "https://keys.example.com/none")
	for _, tt := range []struct {
		name  string
		later time.Duration
		asked int
	}{
		{"the first time", 0, 1},
		{"at once", 0, 1},
		{"within the pause", 29 * time.Second, 1},
		{"after the pause", time.Second, 2},
	} {
		now = now.Add(tt.later)
		if err := compile(t, fromAddress).Verify(t.Context(), webhook.Credentials{Keys: keys}, r, noon); !errors.Is(err, webhook.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", tt.name, err)
		}
		if len(s.asked) != tt.asked {
			t.Errorf("%s: fetched %d times, want %d", tt.name, len(s.asked), tt.asked)
		}
	}
}

// An address is one, however it is spelled: else each spelling of one good
// address would be a good one of its own.
func TestAnAddressHasOneSpelling(t *testing.T) {
	t.Parallel()
	key := fixedECDSA(t)
	s := &server{answers: map[string]func() *http.Response{"https://keys.example.com/key.pem": says(200, pemOf(t, key))}}
	keys := webhook.NewKeys(s.client(), "", func() time.Time { return noon })
	for _, address := range []string{"https://keys.example.com/key.pem", "HTTPS://keys.example.com/key.pem", "hTTps://keys.example.com:443/key.pem", "https://keys.example.com:/key.pem"} {
		r := signedECDSA(t, key, fromAddress, address)
		if err := compile(t, fromAddress).Verify(t.Context(), webhook.Credentials{Keys: keys}, r, noon); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if len(s.asked) != 1 {
		t.Errorf("fetched %v", s.asked)
	}
}

// hanging answers some addresses only when it is let.
type hanging struct {
	*server
	hold map[string]chan struct{}
}

func (h hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	if hold := h.hold[r.URL.String()]; hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return h.server.RoundTrip(r)
}

func TestNobodyWaitsForAFetchOfSomethingElse(t *testing.T) {
	t.Parallel()
	const good, late = "https://keys.example.com/good", "https://keys.example.com/late"
	synctest.Test(t, func(t *testing.T) {
		key := fixedECDSA(t)
		pem := says(200, pemOf(t, key))
		h := hanging{&server{answers: map[string]func() *http.Response{good: pem, late: pem}}, map[string]chan struct{}{}}
		keys := webhook.NewKeys(&http.Client{Transport: h}, "", time.Now)
		verify := func(address string) error {
			r := signedECDSA(t, key, fromAddress, address)
			return compile(t, fromAddress).Verify(t.Context(), webhook.Credentials{Keys: keys}, r, noon)
		}
		if err := verify(good); err != nil {
			t.Fatal(err)
		}
		h.hold[late] = make(chan struct{})
		verdicts := make(chan error, 3)
		for range 3 {
			go func() { verdicts <- verify(late) }()
		}
		synctest.Wait()
		begun := time.Now()
		if err := verify(good); err != nil || time.Since(begun) > 0 {
			t.Errorf("a known key, while another is fetched: %v, after %v", err, time.Since(begun))
		}
		close(h.hold[late])
		for range 3 {
			if err := <-verdicts; err != nil {
				t.Errorf("one of three that wanted the same key: %v", err)
			}
		}
		if len(h.asked) != 2 {
			t.Errorf("fetched %v, want each once", h.asked)
		}

		time.Sleep(2 * time.Hour) //nolint:forbidigo // inside synctest: the good key is not fresh any more
		h.hold[good] = make(chan struct{})
		go func() { verdicts <- verify(good) }()
		synctest.Wait()
		begun = time.Now()
		if err := verify(good); err != nil || time.Since(begun) > 0 {
			t.Errorf("a known key, while it is fetched anew: %v, after %v", err, time.Since(begun))
		}
		if err := <-verdicts; err != nil || time.Since(begun) > 3*time.Second {
			t.Errorf("who fetched it anew, in vain: %v, after %v", err, time.Since(begun))
		}
	})
}

// Fetches of made-up addresses are bounded at one time as well.
func TestFewUnknownAddressesAreFetchedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := fixedECDSA(t)
		h := hanging{&server{}, map[string]chan struct{}{}}
		var addresses []string
		for i := range 20 {
			addresses = append(addresses, fmt.Sprintf("https://keys.example.com/%d", i))
			h.hold[addresses[i]] = make(chan struct{})
		}
		keys := webhook.NewKeys(&http.Client{Transport: h}, "", time.Now)
		refused := make(chan error, len(addresses))
		begun := time.Now()
		for _, address := range addresses {
			go func() {
				r := signedECDSA(t, key, fromAddress, address)
				refused <- compile(t, fromAddress).Verify(t.Context(), webhook.Credentials{Keys: keys}, r, noon)
			}()
		}
		synctest.Wait()
		if waiting := len(addresses) - len(refused); waiting != 5 {
			t.Errorf("%d are fetched at once, want 5", waiting)
		}
		for range addresses {
			if err := <-refused; !errors.Is(err, webhook.ErrKey) {
				t.Errorf("got %v, want ErrKey", err)
			}
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// drip answers a byte at a time, without an end.
type drip struct{ ctx context.Context }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = '-'
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (drip) Close() error { return nil }

func (drip) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: drip{r.Context()}}, nil
}

func TestADocumentThatComesInDripsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys := webhook.NewKeys(&http.Client{Transport: drip{}}, "", time.Now)
		r := signedECDSA(t, fixedECDSA(t), fromAddress, "https://keys.example.com/drips")
		begun := time.Now()
		if err := compile(t, fromAddress).Verify(t.Context(), webhook.Credentials{Keys: keys}, r, noon); !errors.Is(err, webhook.ErrKey) {
			t.Errorf("got %v, want ErrKey", err)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
