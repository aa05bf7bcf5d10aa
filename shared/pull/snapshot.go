package pull

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidwall/sjson"

	"pushpull/shared/jq"
)

// A Snapshot remembers the entities of one poll as they were last seen. It need
// not survive two runs at once: the poll's lease keeps them apart.
type Snapshot interface {
	// Lookup gives what is remembered of these entities, by their names.
	Lookup(ctx context.Context, entities []string) (map[string]Entry, error)
	// Commit remembers entries, and that this run saw them. Twice is as good as once.
	// An entry without a hash is of an entity that was deleted: it must be kept for
	// as long as the ledger keeps events, so that its number goes on if it comes back.
	Commit(ctx context.Context, run string, entries []Entry) error
	// Gone lists entities that were not deleted and that none of these runs saw, a
	// part at a time: it goes on after next, "" at first and at the end.
	Gone(ctx context.Context, runs []string, after string) (gone []Entry, next string, err error)
}

// An Entry is what a Snapshot remembers of an entity.
type Entry struct {
	Entity  string
	Hash    string // of the record; "" where the entity was deleted
	Changes int    // how often it changed; the first sight is the first
}

func (e Entry) change() string { return fmt.Sprintf("%d-%s", e.Changes, e.Hash) }

// deletedHash stands in a change where the record is no more.
const deletedHash = "deleted"

// compare leaves out the records that are as the snapshot has them, and numbers
// the others. Commit is what remembers them.
func (r *run) compare(ctx context.Context, records []Record) (changed []Record, commit func(context.Context) error, err error) {
	entries := make([]Entry, len(records))
	names := make([]string, len(records))
	for i, record := range records {
		if entries[i], err = r.s.entry(record); err != nil {
			return nil, nil, err
		}
		names[i] = entries[i].Entity
	}
	known, err := r.s.o.Snapshot.Lookup(ctx, names)
	if err != nil {
		return nil, nil, fmt.Errorf("look up %d entities in the snapshot: %w", len(names), err)
	}
	if known == nil {
		known = map[string]Entry{}
	}
	var seen []Entry
	for i, e := range entries {
		before, found := known[e.Entity]
		e.Changes = before.Changes
		if !found || before.Hash != e.Hash {
			e.Changes++
			changed = append(changed, changedRecord(records[i], e))
		} else if !r.s.poll.Snapshot.Deletes {
			continue // who saw it last does not matter
		}
		known[e.Entity] = e
		seen = append(seen, e)
	}
	if len(seen) == 0 || r.s.ranged() { // a backfill beside the live poll would hide from it what it saw
		return changed, nil, nil
	}
	run := r.p.Name
	return changed, func(ctx context.Context) error { return r.s.o.Snapshot.Commit(ctx, run, last(seen)) }, nil
}

// last keeps the last of several entries of one entity.
func last(entries []Entry) []Entry {
	at := make(map[string]int, len(entries))
	kept := entries[:0]
	for _, e := range entries {
		if i, found := at[e.Entity]; found {
			kept[i] = e
			continue
		}
		at[e.Entity] = len(kept)
		kept = append(kept, e)
	}
	return kept
}

func changedRecord(record Record, e Entry) Record {
	record.Entity, record.Change = e.Entity, e.change()
	if record.Deleted {
		record.Change += deletedHash
	}
	return record
}

func (s *Source) entry(record Record) (Entry, error) {
	entity, err := s.o.Entity(record.Data)
	if err != nil {
		return Entry{}, fmt.Errorf("find a record's entity: %w", err)
	}
	if entity == "" {
		return Entry{}, permanent(0, "a record has no entity to compare it by: check poll.event.entity")
	}
	if record.Deleted {
		return Entry{Entity: entity}, nil
	}
	hash, err := s.hash(record.Data)
	return Entry{Entity: entity, Hash: hash}, err
}

// hash is that of a record without what is ignored, however its members are sorted.
func (s *Source) hash(record []byte) (string, error) {
	var err error
	for _, path := range s.poll.Snapshot.Ignore {
		if record, err = sjson.DeleteBytes(record, jsonPath(path)); err != nil {
			return "", permanent(0, "poll.snapshot.ignore %q leads nowhere: %v", path, err)
		}
	}
	doc, err := jq.Decode(record)
	if err != nil {
		return "", fmt.Errorf("compare a record: %w", err)
	}
	sorted, err := jq.Encode(doc)
	return shortHash(string(sorted)), err
}

// shifts tells whether a row that went may shift those behind it past us. A link may
// well hold the number of a page.
func (s *Source) shifts() bool {
	return slices.Contains([]string{"offset", "page", "link_header", "next_url"}, s.list.pages.Type)
}

// gone gives out the entities that the run did not see, once it has seen all.
func (r *run) gone(ctx context.Context) (bool, error) {
	runs := append([]string{r.p.Name}, r.st.Snapshots...)
	shifts := r.s.shifts()
	if !shifts {
		runs = runs[:1]
	}
	var gone []Entry
	var err error
	if !shifts || len(runs) > 1 {
		if gone, r.after, err = r.s.o.Snapshot.Gone(ctx, runs, r.after); err != nil {
			return false, fmt.Errorf("look for what is gone in the snapshot: %w", err)
		}
	}
	page := Page{Total: -1}
	entries := make([]Entry, len(gone))
	for i, e := range gone {
		entries[i] = Entry{Entity: e.Entity, Changes: e.Changes + 1}
		data, err := jq.Encode(map[string]any{"entity": e.Entity, "deleted": true})
		if err != nil {
			return false, err
		}
		page.Records = append(page.Records, changedRecord(Record{Data: data, Deleted: true}, entries[i]))
	}
	if len(entries) > 0 {
		run := r.p.Name
		page.commit = func(ctx context.Context) error { return r.s.o.Snapshot.Commit(ctx, run, entries) }
	}
	page.More = r.after != ""
	page.Next = r.state()
	if !page.More {
		r.st.Snapshots = []string{r.p.Name}
		page.Next = r.st
	}
	return page.More, r.give(page)
}
