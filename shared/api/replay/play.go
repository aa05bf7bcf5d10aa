package replay

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"pushpull/shared/api"
)

// A Player answers requests with what was recorded: each once, and those that are
// the same in their order. It is safe for concurrent use.
type Player struct {
	Head Head

	mu   sync.Mutex
	left []played
}

type played struct {
	exchange
	key    string
	answer []byte
}

// Open reads a recording.
func Open(r io.Reader) (*Player, error) {
	lines := json.NewDecoder(r)
	p := &Player{}
	if err := lines.Decode(&p.Head); err != nil || p.Head.Recording != version {
		return nil, fmt.Errorf("not a recording of version %d: make one with `pushpull poll SOURCE --record FILE`", version)
	}
	for n := 1; ; n++ {
		var x exchange
		err := lines.Decode(&x)
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err == nil {
			err = p.add(x)
		}
		if err != nil {
			return nil, fmt.Errorf("exchange %d of the recording: %w", n, err)
		}
	}
}

func (p *Player) add(x exchange) error {
	u, err := url.Parse(x.URL)
	if err != nil {
		return err
	}
	body, err := x.Body.bytes()
	if err != nil {
		return err
	}
	answer, err := x.Answer.bytes()
	if err != nil {
		return err
	}
	p.left = append(p.left, played{x, key(x.Method, u, body), answer})
	return nil
}

// Options are those with which a run makes its requests to the player.
func (p *Player) Options() api.Options {
	client := &http.Client{Transport: p}
	return api.Options{
		Auth: p, Source: p.Head.Source, Client: client, Public: client,
		Now:   func() time.Time { return p.Head.At },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// Left are the requests that were recorded and not made again.
func (p *Player) Left() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := make([]string, len(p.left))
	for i, x := range p.left {
		left[i] = x.Method + " " + x.URL
	}
	return left
}

// RoundTrip answers a request.
func (p *Player) RoundTrip(r *http.Request) (*http.Response, error) {
	k, err := keyOf(r)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.find(k)
	if i < 0 {
		next := "it has no more answers"
		if len(p.left) > 0 {
			next = "the next one it has is to " + p.left[0].Method + " " + p.left[0].URL
		}
		return nil, fmt.Errorf("the recording has no answer to %s %s: %s", r.Method, NewScrubber().URL(r.URL), next)
	}
	x := p.left[i]
	p.left = append(p.left[:i:i], p.left[i+1:]...)
	var body io.Reader = bytes.NewReader(x.answer)
	if x.Cut {
		body = io.MultiReader(body, cut{})
	}
	header := x.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: x.Status, Status: fmt.Sprintf("%d %s", x.Status, http.StatusText(x.Status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: -1,
		Body: io.NopCloser(body), Request: r,
	}, nil
}

func (p *Player) find(key string) int {
	for i, x := range p.left {
		if x.key == key {
			return i
		}
	}
	return -1
}

// A cut answer ends as one whose connection broke.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Apply puts nothing in: a player is the credential of the requests to it.
func (p *Player) Apply(context.Context, *http.Request, []byte) error { return nil }

// Refused tells whether the recorded run asked again.
func (p *Player) Refused(_ context.Context, r *http.Request) bool {
	k, err := keyOf(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	return err == nil && p.find(k) >= 0
}

// Clock is told the API's, which changes nothing.
func (p *Player) Clock(time.Time) {}

// ClientCertificate is none.
func (p *Player) ClientCertificate(context.Context) (*tls.Certificate, error) { return nil, nil } //nolint:nilnil // as api.Auth has it

// Key is that of the credential which was recorded.
func (p *Player) Key() string { return p.Head.Key }

func keyOf(r *http.Request) (string, error) {
	var body []byte
	if r.GetBody != nil {
		reader, err := r.GetBody()
		if err != nil {
			return "", err
		}
		if body, err = io.ReadAll(reader); err != nil {
			return "", err
		}
	}
	return key(r.Method, r.URL, body), nil
}

// key is the same for requests that ask for the same: what was redacted does not count.
func key(method string, u *url.URL, body []byte) string {
	query := u.Query()
	for name, values := range query {
		if parameterName.MatchString(name) || redacted.MatchString(strings.Join(values, " ")) {
			query.Del(name)
		}
	}
	text := redacted.ReplaceAllString(NewScrubber().Text(string(body)), "redacted")
	if content := newContent([]byte(text)); content != nil && content.JSON != nil {
		var compact bytes.Buffer
		if json.Compact(&compact, content.JSON) == nil {
			text = compact.String()
		}
	}
	path := redacted.ReplaceAllString(u.EscapedPath(), "redacted")
	return method + " " + u.Scheme + "://" + u.Host + path + "?" + query.Encode() + "\n" + text
}
