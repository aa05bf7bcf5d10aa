package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

// tree has parents p0 … in pages, each with children in pages.
type tree struct {
	parents, children int
	gone              map[int]bool // parents that are listed but no longer there
	front             int          // others that stand before them
}

func (f tree) serve(w http.ResponseWriter, r *http.Request) {
	page := func(n, size int, name func(i int) string) {
		from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		if after, err := strconv.Atoi(r.URL.Query().Get("after")); err == nil {
			from = max(0, after+f.front+1)
		}
		from, to := min(from, n), min(from+size, n)
		var list []string
		for i := from; i < to; i++ {
			list = append(list, fmt.Sprintf(`{"id":%q,"n":%d,"updated_at":%q}`, name(i), i-f.front, at(i)))
		}
		_, _ = w.Write([]byte(`{"data":[` + strings.Join(list, ",") + `]}`))
	}
	if r.URL.Path == "/parents" {
		page(f.parents+f.front, 3, func(i int) string { return fmt.Sprintf("p%d", i-f.front) })
		return
	}
	parent := strings.Split(r.URL.Path, "/")[2]
	if n, _ := strconv.Atoi(parent[1:]); f.gone[n] {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	page(f.children, 2, func(i int) string { return fmt.Sprintf("%s.%d", parent, i) })
}

func treePoll() config.Poll {
	pages := config.Pagination{Type: "offset", CursorParam: "offset"}
	return config.Poll{
		Request: &config.Request{Path: "/parents/{parent.id}/children"}, Records: &config.Records{Path: "data"}, Pagination: &pages,
		Parent: &config.Parent{
			Request: &config.Request{Path: "/parents"}, Records: &config.Records{Path: "data"},
			Pagination: &config.Pagination{Type: "keyset", CursorPath: "n", CursorParam: "after"},
			Values:     map[string]string{"id": "id"},
		},
		Incremental: &config.Incremental{StartParam: "since", Settle: config.Duration(60_000_000_000)},
	}
}

func TestChildrenOfParents(t *testing.T) {
	t.Parallel()
	t.Run("each parent's are read, and the watermark is when the run began", func(t *testing.T) {
		t.Parallel()
		a := serve(t, tree{parents: 7, children: 3, gone: map[int]bool{2: true}}.serve)
		r := mustRead(t, source(t, a, treePoll(), Options{}), State{Watermark: at(0), Settled: settled(0)})
		if len(r.ids) != 18 || r.state.Watermark != at(540) || r.state.Run != nil {
			t.Errorf("%v, %+v", r.ids, r.state)
		}
	})
	t.Run("only of those that are wanted", func(t *testing.T) {
		t.Parallel()
		poll := treePoll()
		poll.Parent.When = ".updated_at > $start"
		a := serve(t, tree{parents: 7, children: 1}.serve)
		r := mustRead(t, source(t, a, poll, Options{}), State{Watermark: at(4), Settled: settled(4)})
		if diff := cmp.Diff([]string{"p5.0", "p6.0"}, r.ids); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("too many are an error, not a cut", func(t *testing.T) {
		t.Parallel()
		poll := treePoll()
		poll.Parent.Max = 5
		_, err := read(t.Context(), source(t, serve(t, tree{parents: 7, children: 1}.serve), poll, Options{}), State{})
		if _, final := errors.AsType[*api.Permanent](err); !final || !strings.Contains(err.Error(), "more than 5 parents") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("where no parent has any, the path is wrong", func(t *testing.T) {
		t.Parallel()
		_, err := read(t.Context(), source(t, serve(t, tree{parents: 2, gone: map[int]bool{0: true, 1: true}}.serve), treePoll(), Options{}), State{})
		if err == nil || !strings.Contains(err.Error(), "children of all parents") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestAFamilyIsReadWhereverItsPollerIsKilled(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 3))
		f := &tree{parents: 1 + random.IntN(8), children: random.IntN(6), gone: map[int]bool{}, front: 6}
		a := serve(t, func(w http.ResponseWriter, r *http.Request) { f.serve(w, r) })
		s := source(t, a, treePoll(), Options{})
		st, got, done := State{}, map[string]bool{}, false
		for n := 0; !done && n < 500; n++ {
			for page, err := range s.Run(t.Context(), st) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					var v struct{ ID string }
					_ = json.Unmarshal(r.Data, &v)
					got[v.ID] = true
				}
				if random.IntN(3) == 0 {
					break
				}
				st, done = saved(page.Next), !page.More
			}
			f.front = max(0, f.front-random.IntN(2))
		}
		for p := range f.parents {
			for c := range f.children {
				if id := fmt.Sprintf("p%d.%d", p, c); !got[id] {
					t.Errorf("seed %d: %s is lost", seed, id)
				}
			}
		}
	}
}
