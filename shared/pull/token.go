package pull

import (
	"context"
	"net/http"

	"github.com/tidwall/gjson"
)

// firstToken asks for the first sync token.
func (r *run) firstToken(ctx context.Context) (bool, error) {
	seed := r.s.poll.Pagination.Seed
	req, err := r.s.seed.form.fill(r.lookup(none), nil, false)
	if err != nil {
		return false, err
	}
	if seed.Status != 0 && seed.Status != http.StatusOK {
		req.OK = []int{seed.Status}
	}
	doc, a, err := r.s.seed.document(ctx, req)
	if err != nil {
		return false, err
	}
	token := tokenAt(doc, seed.TokenPath)
	if token == "" {
		return false, permanent(a.Status, "the answer to poll.pagination.seed has no token at %q: check its token_path", seed.TokenPath)
	}
	if r.s.addressed(r.s.list) && r.s.list.pages.TokenParam == "" {
		if token, err = r.s.address(req.URL, token); err != nil {
			return false, err
		}
	}
	if err := kept("poll.pagination.seed.token_path", token); err != nil {
		return false, err
	}
	r.p.Token, r.p.Seed = token, false
	if err := r.bound(r.st.Settled); err != nil {
		return false, err
	}
	page := r.page()
	page.Next, page.More = r.state(), true
	return true, r.give(page)
}

// seeded tells whether the run began with a token of the seed.
func (r *run) seeded() bool { return r.s.seed != nil && (r.p.First || r.p.Gap) }

func tokenAt(doc gjson.Result, path string) string { return text(doc.Get(jsonPath(path))) }
