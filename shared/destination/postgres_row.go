package destination

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"pushpull/shared/event"
)

// A row is an event as the table has it.
type pgRow struct {
	event      event.Event
	data       *string // JSON; or bytes
	bytes      []byte
	key        [2]string // what makes two rows the same
	versionKey string
	deleted    *time.Time
}

func (t pgTable) row(e event.Event, deletes []string) (pgRow, error) {
	r := pgRow{event: e, key: [2]string{e.Source, e.ID}}
	if event.ValidJSON(e.Data) {
		r.data = new(string(e.Data))
	} else {
		r.bytes = e.Data
	}
	if !t.entities {
		return r, nil
	}
	if e.Subject == "" {
		return pgRow{}, errors.New("the event says of no entity that it is about: declare event.entity in its source, or write to a table of events")
	}
	r.key = [2]string{e.Source, e.Subject}
	r.versionKey = versionKey(e)
	if slices.ContainsFunc(deletes, func(pattern string) bool { return matches(pattern, e.Type) }) {
		r.deleted = timeOrNull(happened(e))
	}
	return r, nil
}

// versionKey has the order of the entity's versions; where the source declares
// none, that of the times at which the events happened.
func versionKey(e event.Event) string {
	return cmp.Or(event.VersionKey(e.Version), event.VersionKey(stamp(happened(e))))
}

// happened is the event's time, or when it came where the provider does not say.
func happened(e event.Event) time.Time {
	if e.Time.IsZero() {
		return e.ReceivedTime
	}
	return e.Time
}

// matches reports whether a type is one of a pattern's: * is any text in it.
func matches(pattern, kind string) bool {
	flat := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(flat.Replace(pattern), flat.Replace(kind))
	return ok && err == nil
}

// newest leaves of the rows that would be one the one that counts: a statement may
// write a row once. They are sorted, so that two statements never wait for each other.
func newest(rows []pgRow) []pgRow {
	kept := map[[2]string]pgRow{}
	for _, r := range rows {
		if k, ok := kept[r.key]; !ok || !alike(k, r) || k.versionKey <= r.versionKey {
			kept[r.key] = r
		}
	}
	return slices.SortedFunc(maps.Values(kept), func(a, b pgRow) int { return slices.Compare(a.key[:], b.key[:]) })
}

// alike reports whether the versions of two rows have an order: a number has none
// beside a time, and the one that comes later counts. The statement says the same.
func alike(a, b pgRow) bool { return first(a.versionKey) == first(b.versionKey) }

func first(s string) string { return s[:min(1, len(s))] }

// arrays are the statement's parameters, in the order of the columns.
func (t pgTable) arrays(rows []pgRow) []any {
	var all []any
	for _, c := range t.columns() {
		all = append(all, c.values(rows))
	}
	return all
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
