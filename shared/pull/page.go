package pull

import (
	"context"
	"encoding/json"
	"time"
)

// A Record is one event, or one entity as it is now.
type Record struct {
	// ID is what Options.Identity says of Data.
	ID string
	// Data is as the API sent it, but for what records.jq, records.each and detail
	// make of it; of an entity that a snapshot misses, {"entity": …, "deleted": true}.
	Data json.RawMessage
	// Time is the record's value at incremental.cursor_path where that is a time; zero otherwise.
	Time time.Time
	// Deleted says that the entity is no more.
	Deleted bool
	// Entity and Change are of a snapshot: what it is about, and the number and hash
	// of the change, which tell apart the changes of one entity: 3-Zx81…. They take the
	// place of what the record itself says.
	Entity, Change string
}

// A Page is what one request brought, or a chunk of it.
type Page struct {
	// Records are those that may be new; what is older than the run's bound, or
	// known at the watermark, is left out.
	Records []Record
	// Read counts all records of the page, or of this chunk of it.
	Read int
	// Total is how many there are in all, where the API says so; -1 otherwise.
	Total int
	// Token is where the run goes on, in the API's words.
	Token string
	// Next is the state to save once Records are durable elsewhere, and not before.
	Next State
	// More is true while the run is not at its end; Next.Run then says where it goes on.
	More bool
	// Unchanged is true where the API answered that nothing changed (304).
	Unchanged bool
	// Interval is how long the API asks to wait before the next poll; 0 where it does not.
	Interval time.Duration
	// Wait is how long to leave the run alone before it goes on: an export is being made.
	Wait time.Duration
	// Resync says that the API had forgotten where the last run ended, and all of it is read.
	Resync bool
	// Gap says that what lay between the last run and this one may be lost.
	Gap bool

	commit func(ctx context.Context) error
}

// Commit tells the snapshot what of it the page showed. Call it after the records
// are durable and before Next is saved; killed between any two of the three, the
// page comes again, with the same changes or with none.
func (p Page) Commit(ctx context.Context) error {
	if p.commit == nil {
		return nil
	}
	return p.commit(ctx)
}
