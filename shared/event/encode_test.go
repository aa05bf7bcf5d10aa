package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pushpull/shared/event"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func sample() event.Event {
	return event.Event{
		ID: "evt_1", Source: "stripe", Type: "invoice.paid", Subject: "in_1", Version: "7",
		Time: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), ContentType: "application/json",
		Data: []byte(`{"id":"evt_1"}`), Transport: event.Webhook,
		ReceivedTime: time.Date(2026, 11, 23, 8, 0, 1, 5, time.UTC), VerifiedTime: time.Date(2026, 11, 23, 8, 0, 1, 6000, time.UTC),
		CorrelationID: "c-1", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func TestEncodeWritesCloudEvents(t *testing.T) {
	t.Parallel()
	const want = `{"specversion":"1.0","id":"evt_1","source":"stripe","type":"invoice.paid","time":"2026-11-23T08:00:00Z",` +
		`"subject":"in_1","version":"7","transport":"webhook","receivedtime":"2026-11-23T08:00:01.000000005Z",` +
		`"verifiedtime":"2026-11-23T08:00:01.000006Z","correlationid":"c-1",` +
		`"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","datacontenttype":"application/json","data":{"id":"evt_1"}}`
	got, err := event.Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestDataStandsAsItIsOnlyWhereNothingCanChangeIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, contentType, data string
		base64                  bool
	}{
		{"JSON is written as it is", "application/json", `{"a": 1.0, "a":2}`, false},
		{"a type with parameters is still JSON", "Application/JSON; charset=utf-8", `[]`, false},
		{"a vendor's JSON is JSON", "application/vnd.api+json", `null`, false},
		{"no type means JSON, as CloudEvents has it", "", `"x"`, false},
		{"text of another type would be read differently", "text/plain", `"x"`, true},
		{"white space before would be lost", "application/json", ` {}`, true},
		{"white space behind would be lost", "application/json", "{}\n", true},
		{"what is not JSON", "application/json", `{"a":`, true},
		{"two values", "application/json", `{} {}`, true},
		{"no bytes at all", "application/json", ``, true},
		{"U+FFFF, which SQS refuses", "application/json", "\"\uFFFF\"", true},
		{"bytes that are not UTF-8", "application/json", "\"\xff\"", true},
		{"an encoded surrogate, which is not UTF-8", "application/json", "\"\xed\xa0\x80\"", true},
		{"an escaped surrogate is plain text", "application/json", `"\ud800"`, false},
		{"line ends within are kept", "application/json", "{\r\n}", false},
		{"JSON as deep as it may be, and no deeper in the envelope", "application/json", strings.Repeat("[", 10000) + strings.Repeat("]", 10000), true},
		{"JSON one less deep", "application/json", strings.Repeat("[", 9999) + strings.Repeat("]", 9999), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := sample()
			e.ContentType, e.Data = tt.contentType, []byte(tt.data)
			b, err := event.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(b), `"data_base64":`); got != tt.base64 {
				t.Errorf("in base64: %v, want %v: %s", got, tt.base64, b)
			}
			got, err := event.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(e, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// acceptable says whether SQS takes the characters of a message.
func acceptable(b []byte) bool {
	for _, r := range string(b) {
		if r != 0x9 && r != 0xA && r != 0xD && (r < 0x20 || r == 0xFFFE || r == 0xFFFF) {
			return false
		}
	}
	return utf8.Valid(b)
}

func anyText(most int) *rapid.Generator[string] {
	nasty := rapid.SampledFrom([]string{"\x00", "\uFFFE", "\uFFFF", "\u2028", "\x7f", "\"", "\\", "\xff", "\xed\xa0\x80", "\xef\xbf", "𝄞"})
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(nasty, rapid.StringN(0, 8, 16)), 0, most/16), func(parts []string) string {
		return strings.Join(parts, "")
	})
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(-62135596800, 253402300799), func(s int64) time.Time {
		return time.Unix(s, s&0x3fffffff%1e9).UTC()
	})
}

func TestAnyEventComesBackFromItsEncoding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return anyText(event.MaxID).Draw(t, name) }
		e := event.Event{
			ID: "i" + text("id"), Source: "s" + text("source"), Type: "t" + text("type"), Subject: text("subject"),
			Version: text("version"), ContentType: rapid.OneOf(rapid.Just("application/json"), anyText(64)).Draw(t, "content type"),
			DataRef: text("dataref"), CorrelationID: text("correlation"), TraceParent: text("traceparent"),
			Transport: rapid.SampledFrom([]event.Transport{event.Webhook, event.Poll}).Draw(t, "transport"),
			Time:      anyTime().Draw(t, "time"), ReceivedTime: anyTime().Draw(t, "received"), VerifiedTime: anyTime().Draw(t, "verified"),
			Missed:   rapid.Bool().Draw(t, "missed"),
			Backfill: rapid.Bool().Draw(t, "backfill"),
			Hydrated: rapid.Bool().Draw(t, "hydrated"),
			Replay:   rapid.StringMatching(`[a-z0-9]{0,32}`).Draw(t, "replay"),
			Headers:  anyCarried().Draw(t, "headers"), Query: anyCarried().Draw(t, "query"),
			Data: rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Custom(func(t *rapid.T) []byte {
				b, err := json.Marshal(map[string]any{anyText(64).Draw(t, "key"): anyText(64).Draw(t, "value")})
				if err != nil {
					t.Fatal(err)
				}
				return b
			})).Draw(t, "data"),
		}
		if e.Validate() != nil {
			t.Skip("an event that Validate refuses need not be encoded")
		}
		b, err := event.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if !acceptable(b) {
			t.Fatalf("SQS would refuse %q", b)
		}
		if !json.Valid(b) {
			t.Fatalf("not JSON: %q", b)
		}
		got, err := event.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*string{&e.ID, &e.Source, &e.Type, &e.Subject, &e.Version, &e.ContentType, &e.DataRef, &e.CorrelationID, &e.TraceParent} {
			*s = strings.ToValidUTF8(*s, "\uFFFD")
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// anyCarried is UTF-8, as what is carried from a request is made to be.
func anyCarried() *rapid.Generator[event.Carried] {
	return rapid.Custom(func(t *rapid.T) event.Carried {
		var c event.Carried
		for key, value := range rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "carried") {
			if c == nil {
				c = event.Carried{}
			}
			c[key] = value
		}
		return c
	})
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, says string }{
		{"what is not JSON", `{`, "not JSON"},
		{"what is no object", `[]`, "not a JSON object"},
		{"another version of CloudEvents", `{"specversion":"0.3","id":"1","source":"s","type":"t","transport":"poll"}`, "specversion"},
		{"an event without its id", `{"specversion":"1.0","source":"s","type":"t","transport":"poll"}`, "id is empty"},
		{"an event that came no way we know", `{"specversion":"1.0","id":"1","source":"s","type":"t","transport":"pigeon"}`, "transport"},
		{"an id that is a number", `{"specversion":"1.0","id":1,"source":"s","type":"t","transport":"poll"}`, "id is not a text"},
		{"an id that is there twice", `{"specversion":"1.0","id":"1","id":"2","source":"s","type":"t","transport":"poll"}`, "twice"},
		{"a time that is none", `{"specversion":"1.0","id":"1","source":"s","type":"t","transport":"poll","time":"now"}`, "RFC 3339"},
		{"data in both forms", `{"specversion":"1.0","id":"1","source":"s","type":"t","transport":"poll","data":1,"data_base64":""}`, "other data"},
		{"base64 that is broken", `{"specversion":"1.0","id":"1","source":"s","type":"t","transport":"poll","data_base64":"*"}`, "base64"},
		{"a flag that is a text", `{"specversion":"1.0","id":"1","source":"s","type":"t","transport":"poll","missed":"true"}`, "boolean"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := event.Decode([]byte(tt.in))
			if !errors.Is(err, event.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want ErrInvalid that says %q", err, tt.says)
			}
			if diff := cmp.Diff(event.Event{}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidateSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	e := event.Event{ID: strings.Repeat("x", event.MaxID+1), Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	err := e.Validate()
	for _, says := range []string{"id has 513 bytes", "source is empty", "type is empty", "transport", "time is in the year 10000"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b, err := event.Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","transport":"poll","data_base64":"AA=="}`))
	f.Add([]byte(`{"specversion":"1.0","id":"\ud800","source":"s","type":"t","transport":"poll","data":" "}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := event.Decode(in)
		if err != nil {
			if diff := cmp.Diff(event.Event{}, e); diff != "" {
				t.Fatalf("an event beside an error: %s", diff)
			}
			return
		}
		b, err := event.Encode(e)
		if err != nil {
			t.Fatalf("decoded, but not encodable: %v", err)
		}
		if !acceptable(b) {
			t.Fatalf("SQS would refuse %q", b)
		}
		again, err := event.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzValidJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"\u00e9\n"]}`, ` [ ] `, `{`, `[1,]`, `{"a":1,}`, `01`, `-`, `1.`, `1e`, `"\x"`, `{"a" : {}}`,
		"\"\xff\"", "tru", "nul", `[[[[`, `{"a"`, `"\u12"`, strings.Repeat("[", 9999) + strings.Repeat("]", 9999),
		strings.Repeat("[", 10001) + strings.Repeat("]", 10001),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := event.ValidJSON(b), json.Valid(b); got != want {
			t.Errorf("ValidJSON is %v, json.Valid is %v: %q", got, want, b)
		}
	})
}

func TestIsJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"application/json": true, "APPLICATION/JSON ; charset=utf-8": true, "text/json": true, "application/cloudevents+json": true,
		"": false, "text/plain": false, "+json": false, "application/jsonp": false, "application/x-ndjson": false,
	} {
		if got := event.IsJSON(in); got != want {
			t.Errorf("IsJSON(%q) is %v", in, got)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	e := sample()
	e.Data = []byte(`{"items":[` + strings.Repeat(`{"id":"li_1","text":"a line of an invoice"},`, 200) + `{}]}`)
	buf, err := event.Encode(e)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(e.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = event.Append(buf[:0], e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidJSON compares our scan with the standard library's.
func BenchmarkValidJSON(b *testing.B) {
	body := []byte(`{"items":[` + strings.Repeat(`{"id":"li_1","amount":1099,"text":"a line of an invoice"},`, 200) + `{}]}`)
	for name, valid := range map[string]func([]byte) bool{"ours": event.ValidJSON, "encoding/json": json.Valid} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if !valid(body) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
