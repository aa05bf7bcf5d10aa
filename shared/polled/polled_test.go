package polled_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/polled"
	"pushpull/shared/pull"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

func TestARecordBecomesAnEvent(t *testing.T) {
	t.Parallel()
	spec := &event.Spec{
		Type: event.Choices{{Value: "{body.type}"}}, Time: event.Choices{{Value: "{body.at}"}},
		Entity: event.Choices{{Value: "{body.thing}"}}, Version: event.Choices{{Value: "{body.at}"}},
	}
	const at = "2026-11-23T08:00:00Z"
	happened := noon.Add(-4 * time.Hour)
	for _, tt := range []struct {
		name   string
		poll   config.Poll
		record pull.Record
		want   event.Event
	}{
		{
			"with what its configuration finds in it",
			config.Poll{Event: spec},
			pull.Record{Data: json.RawMessage(`{"type":"paid","at":"` + at + `","thing":"o1"}`)},
			event.Event{ID: "o1@" + at, Type: "paid", Subject: "o1", Version: at, Time: happened},
		},
		{
			"with the cursor's time where it has none",
			config.Poll{Event: &event.Spec{Identity: event.Choices{{Value: "{body.id}"}}}},
			pull.Record{Data: json.RawMessage(`{"id":"1"}`), Time: happened},
			event.Event{ID: "1", Type: "shop", Time: happened},
		},
		{
			"without a cursor's time that no event can have",
			config.Poll{Event: &event.Spec{Identity: event.Choices{{Value: "{body.id}"}}}},
			pull.Record{Data: json.RawMessage(`{"id":"1"}`), Time: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)},
			event.Event{ID: "1", Type: "shop"},
		},
		{
			"whose data are a part of it",
			config.Poll{Event: &event.Spec{Identity: event.Choices{{Value: "{body.guid}"}}}, Records: &config.Records{Data: "payload"}},
			pull.Record{Data: json.RawMessage(`{"guid":"g1","payload":{"a": 1}}`)},
			event.Event{ID: "g1", Type: "shop", Data: []byte(`{"a": 1}`)},
		},
		{
			"with all its data where that part is not there",
			config.Poll{Event: &event.Spec{Identity: event.Choices{{Value: "{body.guid}"}}}, Records: &config.Records{Data: "payload"}},
			pull.Record{Data: json.RawMessage(`{"guid":"g1","payload":null}`)},
			event.Event{ID: "g1", Type: "shop"},
		},
		{
			"of a deletion",
			config.Poll{Event: spec},
			pull.Record{Data: json.RawMessage(`{"type":"order","at":"` + at + `","thing":"o1"}`), Deleted: true},
			event.Event{ID: "o1@" + at, Type: "order.deleted", Subject: "o1", Version: at, Time: happened},
		},
		{
			"of a deletion whose type is said",
			config.Poll{Event: spec, Records: &config.Records{DeletedType: "gone:{body.type}"}},
			pull.Record{Data: json.RawMessage(`{"type":"order","at":"` + at + `","thing":"o1"}`), Deleted: true},
			event.Event{ID: "o1@" + at, Type: "gone:order", Subject: "o1", Version: at, Time: happened},
		},
		{
			"of a change that a snapshot found",
			config.Poll{Event: spec},
			pull.Record{Data: json.RawMessage(`{"type":"order","thing":"o1"}`), Entity: "o1", Change: "3-Zx81"},
			event.Event{ID: "o1@3-Zx81", Type: "order", Subject: "o1", Version: "3"},
		},
		{
			"of a change of an entity whose name is long",
			config.Poll{},
			pull.Record{Data: json.RawMessage(`{}`), Entity: strings.Repeat("o", event.MaxID), Change: "3-Zx81"},
			event.Event{ID: "bc4358cca46f282c512e245e5b01825db9e8deda68d23eb39e6ef4677fbe98b7@3-Zx81", Type: "shop", Subject: strings.Repeat("o", event.MaxID), Version: "3"},
		},
		{
			"of an entity that a snapshot misses",
			config.Poll{},
			pull.Record{Data: json.RawMessage(`{"entity":"o1","deleted":true}`), Deleted: true, Entity: "o1", Change: "4-deleted"},
			event.Event{ID: "o1@4-deleted", Type: "shop.deleted", Subject: "o1", Version: "4"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := polled.New("shop", config.Source{}, tt.poll)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			want.Source, want.ContentType, want.Transport = "shop", "application/json", event.Poll
			if want.Data == nil {
				want.Data = tt.record.Data
			}
			want.ReceivedTime, want.VerifiedTime = noon, noon
			if diff := cmp.Diff(want, m.Event(tt.record, noon)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEventIsLateWhereItsWebhookShouldHaveBroughtIt(t *testing.T) {
	t.Parallel()
	pushed := config.Source{Webhook: &config.Webhook{}, Grace: config.Duration(time.Minute)}
	for _, tt := range []struct {
		name string
		of   config.Source
		poll config.Poll
		at   time.Time
		late bool
	}{
		{"older than the grace", pushed, config.Poll{}, noon.Add(-2 * time.Minute), true},
		{"within it", pushed, config.Poll{}, noon.Add(-time.Minute), false},
		{"without a time", pushed, config.Poll{}, time.Time{}, false},
		{"without a webhook", config.Source{}, config.Poll{}, noon.Add(-time.Hour), false},
		{"of a poll that shares no identity with it", pushed, config.Poll{Adapt: "activity"}, noon.Add(-time.Hour), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := polled.New("shop", tt.of, tt.poll)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Late(event.Event{Time: tt.at}, noon); got != tt.late {
				t.Errorf("late: %v", got)
			}
		})
	}
}
