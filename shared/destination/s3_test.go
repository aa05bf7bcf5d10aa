package destination

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

func TestAnObjectThatIsPutAgainOverwrites(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	d := c.open(t, config.Destination{Kind: "s3", Bucket: "orders"})
	again := sample("1")
	again.ReceivedTime, again.CorrelationID = noon.Add(time.Hour), "c-2"
	other := sample("1")
	other.Source = "gitlab"
	for _, e := range []event.Event{sample("1"), again, sample("2"), other} {
		if _, err := d.Deliver(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.objects) != 3 {
		t.Errorf("there are %v, want three objects", slices.Sorted(maps.Keys(c.objects)))
	}
}

func TestABatchIsAnObjectForEachPartition(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	b := c.open(t, config.Destination{Kind: "s3", Bucket: "orders", Batch: &config.Batch{}}).(*gatherer).to
	later, invalid := sample("3"), sample("4")
	later.Time = noon
	invalid.ID = ""
	first := b.DeliverBatch(t.Context(), []event.Event{sample("1"), sample("2"), later, invalid})
	b.DeliverBatch(t.Context(), []event.Event{later, sample("2"), sample("1")})
	var got []string
	for _, o := range first {
		got = append(got, verdictOf(o.Err))
	}
	if diff := cmp.Diff([]string{"", "", "", "give"}, got); diff != "" {
		t.Error(diff)
	}
	var folders []string
	for name := range c.objects {
		folders = append(folders, name[:strings.LastIndex(name, "/")])
	}
	slices.Sort(folders)
	if diff := cmp.Diff([]string{"/orders/github/issues/2026/11/23/11", "/orders/github/issues/2026/11/23/12"}, folders); diff != "" {
		t.Error(diff)
	}
}

func TestPartitionsAreOfTheEvent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, prefix, want string
		change             func(*event.Event)
	}{
		{"the default", "", "github/issues/2026/11/23/11/", func(*event.Event) {}},
		{"names of one's own", "raw/source={source}/dt={yyyy}-{mm}-{dd}/", "raw/source=github/dt=2026-11-23/", func(*event.Event) {}},
		{"an event without a time has the one it was received at", "{hh}", "12/", func(e *event.Event) {
			e.Time, e.ReceivedTime = time.Time{}, noon
		}},
		{"times are UTC", "{dd}/{hh}", "24/00/", func(e *event.Event) {
			e.Time = time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", -1800))
		}},
		{"a type leads nowhere else", "in/{type}", "in/.._.._secrets_/", func(e *event.Event) { e.Type = "../../secrets\n" }},
		{"nor do two dots", "in/{type}", "in/_/", func(e *event.Event) { e.Type = ".." }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			e := sample("1")
			test.change(&e)
			if _, err := c.open(t, config.Destination{Kind: "s3", Bucket: "orders", Prefix: test.prefix}).Deliver(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			for name := range c.objects {
				if name = strings.TrimPrefix(name, "/orders/"); name[:strings.LastIndex(name, "/")+1] != test.want {
					t.Errorf("it is in %s, want %s", name, test.want)
				}
			}
		})
	}
}

func TestObjectsAreReadableByOthers(t *testing.T) {
	t.Parallel()
	plain := func(b []byte) ([]byte, error) { return b, nil }
	gunzip := func(b []byte) ([]byte, error) {
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	unzstd := func(b []byte) ([]byte, error) {
		r, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return io.ReadAll(r)
	}
	for _, test := range []struct {
		compression, suffix string
		read                func([]byte) ([]byte, error)
	}{
		{"", ".ndjson.gz", gunzip},
		{"gzip", ".ndjson.gz", gunzip},
		{"zstd", ".ndjson.zst", unzstd},
		{"none", ".ndjson", plain},
	} {
		t.Run("ndjson "+test.compression, func(t *testing.T) {
			t.Parallel()
			f, err := formOf("", test.compression)
			if err != nil {
				t.Fatal(err)
			}
			body, err := f.encode([]event.Event{sample("1"), sample("2")})
			if err != nil {
				t.Fatal(err)
			}
			text, err := test.read(body)
			if err != nil || strings.Count(string(text), "\n") != 2 || !strings.Contains(string(text), `"data":{"n":1}`) || f.suffix != test.suffix {
				t.Errorf("%s has %q, %v", f.suffix, text, err)
			}
		})
	}
	for _, compression := range []string{"", "gzip", "zstd", "none"} {
		t.Run("parquet "+compression, func(t *testing.T) {
			t.Parallel()
			f, err := formOf("parquet", compression)
			if err != nil {
				t.Fatal(err)
			}
			missed := sample("1")
			missed.Missed = true
			binary := event.Event{ID: "2", Source: "github", Type: "issues", Transport: event.Poll, Backfill: true, Data: []byte{0xff, 0}}
			body, err := f.encode([]event.Event{missed, binary})
			if err != nil {
				t.Fatal(err)
			}
			rows, err := parquet.Read[row](bytes.NewReader(body), int64(len(body)))
			if err != nil {
				t.Fatal(err)
			}
			happened, received := noon.Add(-time.Minute), noon.Add(-time.Second)
			want := []row{
				{
					ID: "1", Source: "github", Type: "issues", Time: &happened, Subject: new("issue 17"), Version: new("3"),
					Transport: "webhook", Received: &received, Correlation: new("c-1"), ContentType: new("application/json"),
					Missed: true, Data: new("{\n  \"n\": 1\n}\n"),
				},
				{ID: "2", Source: "github", Type: "issues", Transport: "poll", Backfill: true, Binary: new("/wA=")},
			}
			if diff := cmp.Diff(want, rows); diff != "" {
				t.Error(diff)
			}
			again, err := f.encode([]event.Event{missed, binary})
			if err != nil || !bytes.Equal(body, again) {
				t.Errorf("the same events are another object, %v", err)
			}
		})
	}
}

// row is what another's reader makes of an event.
type row struct {
	ID          string     `parquet:"id,optional"`
	Source      string     `parquet:"source,optional"`
	Type        string     `parquet:"type,optional"`
	Time        *time.Time `parquet:"time,optional,timestamp(microsecond)"`
	Subject     *string    `parquet:"subject,optional"`
	Version     *string    `parquet:"version,optional"`
	Transport   string     `parquet:"transport,optional"`
	Received    *time.Time `parquet:"received_time,optional,timestamp(microsecond)"`
	Correlation *string    `parquet:"correlation_id,optional"`
	ContentType *string    `parquet:"content_type,optional"`
	Missed      bool       `parquet:"missed,optional"`
	Backfill    bool       `parquet:"backfill,optional"`
	Data        *string    `parquet:"data,optional"`
	Binary      *string    `parquet:"data_base64,optional"`
}
