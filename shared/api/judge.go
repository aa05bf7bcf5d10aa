package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"pushpull/shared/budget"
)

// mostRefusal is what of an answer that refuses is read, in bytes.
const mostRefusal = 64 << 10

// unwell is a status that passes by itself.
type unwell struct {
	status int
	host   string
}

func (e *unwell) Error() string {
	return fmt.Sprintf("status %d from %s: the api is not well; it is tried again", e.status, e.host)
}

// judge sorts answers by the package's table, and tells the budget what it learnt.
func (c *Client) judge(ctx context.Context, r Request, a *Answer, public bool) (*Answer, error) {
	if slices.Contains(r.OK, a.Status) {
		return a, nil
	}
	body, err := c.look(a, public)
	if err != nil {
		return nil, err
	}
	v := c.dialect.Read(ctx, budget.Answer{Status: a.Status, Header: a.Header, Server: a.Server, Body: body})
	if c.o.Told != nil && !public {
		c.o.Told(v)
	}
	until := c.o.Now().Add(v.Wait)
	if v.Wait > 0 && c.o.Budget != nil && !public {
		c.o.Budget.Told(ctx, c.key, until)
	}
	switch {
	case v.Limited:
		err = &Limited{Until: until, Status: a.Status}
	case well(a.Status):
		return a, nil
	case c.isExpired(ctx, a, body):
		err = &Expired{Status: a.Status, Reason: fmt.Sprintf("status %d: the api no longer takes the cursor, token or bound", a.Status)}
	case slices.Contains(c.c.Retry.ShrinkPageOn, a.Status):
		err = &TooLarge{Status: a.Status}
	case c.passes(a.Status):
		err = &unwell{status: a.Status, host: r.URL.Host}
	default:
		err = refused(a.Status)
	}
	_ = a.Body.Close()
	return nil, err
}

// look reads what is needed to judge: of a refusal the beginning, and all of an
// answer that is well where only its body tells of limits.
func (c *Client) look(a *Answer, public bool) ([]byte, error) {
	switch {
	case a.Status == http.StatusNotModified:
		return nil, nil
	case !well(a.Status):
		return a.beginning(mostRefusal), nil
	case c.dialect.ReadsBody() && !public:
		return a.refill(c.c.MaxBytes)
	default:
		return nil, nil
	}
}

func (c *Client) isExpired(ctx context.Context, a *Answer, body []byte) bool {
	x := c.c.Expired
	if x == nil {
		return false
	}
	statuses := x.Status
	if len(statuses) == 0 {
		statuses = []int{http.StatusGone}
	}
	if !slices.Contains(statuses, a.Status) {
		return false
	}
	if c.expired == nil {
		return true
	}
	// A condition that does not fit an answer does not hold.
	yes, err := c.expired.True(ctx, budget.Facts(a.Status, a.Header, body))
	return yes && err == nil
}

func well(status int) bool { return status/100 == 2 || status == http.StatusNotModified }

func (c *Client) passes(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return true
	default:
		return status >= 500 || slices.Contains(c.c.Retry.Statuses, status)
	}
}
