package standin

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A Dialect is a way to list records, with the poll that reads it.
type Dialect struct {
	Name string
	Like string // whose documentation it is written from

	page      int // the most records of a page
	precision time.Duration
	changes   bool // lists the last version of a record, not each
	deletes   bool // records are removed, too
	silent    bool // but it does not say so
	noHistory bool // begins when it is first asked
	most      int  // records that it can have
	late      time.Duration
	gzip      bool
	open      bool   // needs no credential
	limit     string // how it says that it was asked too often

	poll  string // YAML
	event string // YAML of poll.event
	auth  func(a *API, r *http.Request) bool
	serve func(a *API, w http.ResponseWriter, r *http.Request)
	// parse reads a record that arrived; nil reads JSON with id, n and deleted.
	parse func(data []byte) (id string, n int, deleted bool, err error)
}

var dialects = slices.Concat(keysets, tokens, searches, graphs, pages, files, families)

const (
	factID  = `{ identity: "{body.id}", time: "{body.at}" }`
	stateID = `{ identity: "{body.id}@{body.at}", entity: "{body.id}", version: "{body.at}", time: "{body.at}" }`
)

// Parse reads which item it is that arrived.
func (d Dialect) Parse(data []byte) (id string, n int, deleted bool, err error) {
	if d.parse != nil {
		return d.parse(data)
	}
	var rec struct {
		ID      string `json:"id"`
		N       int    `json:"n"`
		Deleted bool   `json:"deleted"`
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		return "", 0, false, fmt.Errorf("what arrived is not a record: %w", err)
	}
	return rec.ID, rec.N, rec.Deleted, nil
}

// A record is an item as most APIs write it.
type record struct {
	ID      string `json:"id"`
	N       int    `json:"n"`
	At      any    `json:"at"`
	Deleted bool   `json:"deleted,omitempty"`
	Status  string `json:"status,omitempty"`
	Text    string `json:"text"`
}

type written func(time.Time) any

func unix(t time.Time) any   { return t.Unix() }
func millis(t time.Time) any { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
func seconds(t time.Time) any {
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// text is what tries the reading of JSON: both quotes, a cut character, a long number.
const text = `Grüße "an" \alle/ 😀 </script>  12345678901234567890`

func records(items []Item, as written) []record {
	out := make([]record, 0, len(items))
	for _, it := range items {
		out = append(out, record{ID: it.ID, N: it.N, At: as(it.At), Deleted: it.Deleted, Text: text})
	}
	return out
}

type object map[string]any

func reply(w http.ResponseWriter, body any) { replyAs(w, http.StatusOK, body) }

func replyAs(w http.ResponseWriter, status int, body any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		panic(err) // the bodies are ours
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// posted is a request's body, and whether it is JSON.
func posted(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.Method != http.MethodPost {
		fail(w, http.StatusMethodNotAllowed, `{"error":"POST it"}`)
		return false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(into); err != nil {
		fail(w, http.StatusBadRequest, `{"error":"not JSON"}`)
		return false
	}
	return true
}

// someone lets records be put in while a list is paged.
func (a *API) someone(paging bool) time.Time {
	now := a.store.instant(a.Now())
	if paging && a.rand.IntN(4) == 0 {
		a.store.insert(1+a.rand.IntN(3), now)
	}
	return now
}

// first cuts a page off.
func first(items []Item, n int) (page []Item, more bool) {
	if len(items) > n {
		return items[:n], true
	}
	return items, false
}

func newestFirst(items []Item) []Item {
	slices.Reverse(items)
	return items
}

func from(items []Item, since time.Time) []Item {
	return slices.DeleteFunc(items, func(it Item) bool { return it.At.Before(since) })
}

// size is the page size asked for, as far as the API gives it.
func (a *API) size(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return min(10, a.page)
	}
	return min(n, a.page)
}

// A spot is a place in a list that is sorted by time.
type spot struct {
	At time.Time `json:"a"`
	N  int       `json:"n"`
}

func (s spot) String() string {
	b, _ := json.Marshal(s) // cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseSpot(text string) (s spot, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

func (s spot) compare(it Item) int {
	if c := it.At.Compare(s.At); c != 0 {
		return c
	}
	return cmp.Compare(it.N, s.N)
}

func after(items []Item, s spot) []Item {
	return slices.DeleteFunc(items, func(it Item) bool { return s.compare(it) <= 0 })
}

func before(items []Item, s spot) []Item {
	return slices.DeleteFunc(items, func(it Item) bool { return s.compare(it) >= 0 })
}

func spotOf(it Item) spot { return spot{it.At, it.N} }

// Count is how many dialects there are.
func Count() int { return len(dialects) }
