// Package polled makes events of what a poll read. Whoever shows what a poll
// would bring makes them as the poller does.
package polled

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/pull"
)

// A Maker makes the events of one poll. It is safe for concurrent use.
type Maker struct {
	source   string
	of       config.Source
	shares   bool   // an identity with the webhook
	data     string // the path of the data in a record, "" for all of it
	identify *event.Identifier
	deleted  *event.Identifier // finds as its entity what the type of a deletion is
}

const defaultDeleted = "{type}.deleted"

// New prepares a maker. The error is a mistake in the poll's configuration.
func New(source string, of config.Source, p config.Poll) (*Maker, error) {
	m := &Maker{source: source, of: of, shares: p.Adapt != "activity"}
	var spec event.Spec
	if p.Event != nil {
		spec = *p.Event
	}
	var err error
	if m.identify, err = event.Compile(spec); err != nil {
		return nil, fmt.Errorf("poll.event: %w", err)
	}
	if p.Records != nil && p.Records.Data != "" {
		if m.data, err = event.ParsePath(p.Records.Data); err != nil {
			return nil, fmt.Errorf("poll.records.data: %w", err)
		}
	}
	deleted := defaultDeleted
	if p.Records != nil && p.Records.DeletedType != "" {
		deleted = p.Records.DeletedType
	}
	if m.deleted, err = event.Compile(event.Spec{Type: spec.Type, Map: spec.Map, Entity: event.Choices{{Value: deleted}}}); err != nil {
		return nil, fmt.Errorf("poll.records.deleted_type: %w", err)
	}
	return m, nil
}

// Fields are what the record itself says.
func (m *Maker) Fields(record []byte) event.Fields {
	return m.identify.Identify(event.Input{Body: record, DefaultType: m.source})
}

// Event is that of a record which was read at a time.
func (m *Maker) Event(record pull.Record, at time.Time) event.Event {
	f := m.Fields(record.Data)
	happened := f.Time
	if y := record.Time.Year(); happened.IsZero() && y >= 1 && y <= 9999 { // one that an event can have: else the queue refuses the page, each time
		happened = record.Time
	}
	if record.Deleted {
		f.Type = m.deletion(record.Data, f.Type)
	}
	if record.Change != "" {
		f = changed(f, record)
	}
	return event.Event{
		ID: f.ID, Source: m.source, Type: f.Type, Time: happened, Subject: f.Entity, Version: f.Version,
		ContentType: "application/json", Data: m.dataOf(record), Transport: event.Poll,
		ReceivedTime: at.UTC(), VerifiedTime: at.UTC(),
	}
}

// dataOf are the data of a record: the part that the poll names, where it is there.
func (m *Maker) dataOf(record pull.Record) []byte {
	if m.data != "" && !record.Deleted {
		if part := gjson.GetBytes(record.Data, m.data); part.IsObject() || part.IsArray() {
			return []byte(part.Raw)
		}
	}
	return record.Data
}

// Late tells whether the source's webhook should have brought the event by then.
// Where the two share no identity nothing is: each change would be.
func (m *Maker) Late(e event.Event, at time.Time) bool {
	return m.of.Webhook != nil && m.shares && !e.Time.IsZero() && at.Sub(e.Time) > m.of.Grace.Std()
}

// deletion is the type of the event that says that an entity is no more.
func (m *Maker) deletion(record []byte, usual string) string {
	found := m.deleted.Identify(event.Input{Body: record, DefaultType: m.source}).Entity
	if found == "" {
		return usual + ".deleted"
	}
	return found
}

// changed puts what a snapshot says of a change in the place of what the record says.
func changed(f event.Fields, record pull.Record) event.Fields {
	f.Entity = record.Entity
	f.Version, _, _ = strings.Cut(record.Change, "-")
	if f.ID = record.Entity + "@" + record.Change; len(f.ID) > event.MaxID {
		sum := sha256.Sum256([]byte(record.Entity))
		f.ID = hex.EncodeToString(sum[:]) + "@" + record.Change
	}
	return f
}
