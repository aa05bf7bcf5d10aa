package api

import (
	"io"
	"net/http"
	"net/url"
	"time"
)

// mostRecorded is what of an answer is recorded at most, in bytes.
const mostRecorded = 4 << 20

// An Exchange is a request, as it was before the credential was put in, and its answer.
type Exchange struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
	Public bool

	At     time.Time     // of the answer, by the local clock
	Took   time.Duration // until the answer began
	Status int
	// AnswerHeader has no cookies. AnswerBody is as it was sent, as far as it was read.
	AnswerHeader http.Header
	AnswerBody   []byte
	Cut          bool // there was more than is recorded
}

// record gives the exchange to the recorder as the body is closed.
func (c *Client) record(r Request, a *Answer, took time.Duration) io.ReadCloser {
	header := a.Header.Clone()
	header.Del("Set-Cookie")
	return &recorded{ReadCloser: a.Body, to: c.o.Record, what: Exchange{
		Method: r.Method, URL: r.URL, Header: r.Header.Clone(), Body: r.Body, Public: r.Public,
		At: c.o.Now(), Took: took, Status: a.Status, AnswerHeader: header,
	}}
}

type recorded struct {
	io.ReadCloser
	to   func(Exchange)
	what Exchange
}

func (b *recorded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	room := mostRecorded - len(b.what.AnswerBody)
	b.what.AnswerBody = append(b.what.AnswerBody, p[:min(n, room)]...)
	b.what.Cut = b.what.Cut || n > room
	return n, err
}

func (b *recorded) Close() error {
	if b.to != nil {
		b.to(b.what)
		b.to = nil
	}
	return b.ReadCloser.Close()
}
