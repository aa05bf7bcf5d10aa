package standin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// directory lists what is there by id, each time with a member that means nothing.
func directory(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	n := number(q.Get("page"), 1)
	now := a.someone(n > 1)
	items := without(a.store.current(now))
	slices.SortFunc(items, func(x, y Item) int { return strings.Compare(x.ID, y.ID) })
	size := a.size(q.Get("size"))
	page, _ := first(items[min((n-1)*size, len(items)):], size)
	if n == 1 {
		if _, ok := a.session["listed"]; !ok {
			a.session["listed"] = now // what was removed before was never there
		}
	}
	out := make([]object, 0, len(page))
	for _, it := range page {
		out = append(out, object{"id": it.ID, "n": it.N, "at": millis(it.At), "text": text, "seen": now.UnixNano()})
	}
	reply(w, object{"items": out, "total": len(items)})
}

// snapshotted reads a record, or that an entity is no more: which version that
// was is known by the entity alone, as nothing follows a removal.
func snapshotted(data []byte) (id string, n int, deleted bool, err error) {
	var rec struct {
		ID      string `json:"id"`
		N       *int   `json:"n"`
		Entity  string `json:"entity"`
		Deleted bool   `json:"deleted"`
	}
	if err := json.Unmarshal(data, &rec); err != nil || rec.N == nil && !rec.Deleted {
		return "", 0, false, fmt.Errorf("what arrived is not a record of a snapshot: %.200q", data)
	}
	if rec.N == nil {
		return cmp.Or(rec.Entity, rec.ID), -1, true, nil
	}
	return rec.ID, *rec.N, rec.Deleted, nil
}
