package records_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"pushpull/shared/records"
)

const fuzzMost = 4096 // bytes that a record or the rest may have

// readFuzzed holds what is true of every answer: it gives out JSON and then ends,
// or fails with an Error.
func readFuzzed(t *testing.T, in []byte, contentType string, o records.Options) (got []string, rest string, ok bool) {
	t.Helper()
	o.MaxBytes = fuzzMost
	got, rest, err := all(t, bytes.NewReader(in), contentType, "", o)
	if err != nil {
		if e, ok := errors.AsType[*records.Error](err); !ok || e.Reason == "" {
			t.Errorf("%T: %v", err, err)
		}
		return nil, "", false
	}
	if rest != "" && (!json.Valid([]byte(rest)) || !utf8.ValidString(rest)) {
		t.Errorf("the rest is no JSON: %q", rest)
	}
	return got, rest, true
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`[1,{"a":2}]`, `{"data":[1,"x",null],"next":"y"}`, `{"a":1,"data":{"x":[1],"y":null}}`, `{"data":[1],"data":[2]}`, `{"data":null}`,
		`{"data":[{"a":"hu`, "\xef\xbb\xbf[]", "[\x00]\x00", `{"d\u0061ta":[9007199254740993]}`, "{\"data\":[\"\xff\"]}", `[] x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		readFuzzed(t, in, "application/json; charset=latin1", records.Options{})
		got, rest, ok := readFuzzed(t, in, "", records.Options{Path: "data"})
		list := gjson.GetBytes(in, "data")
		if !ok || !list.IsArray() || !utf8.Valid(in) || !json.Valid(in) {
			return
		}
		var want []string
		for _, v := range list.Array() {
			want = append(want, v.Raw)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if left := gjson.Get(rest, "data").Raw; left != "[]" {
			t.Errorf("%s stands for the records in %s", left, rest)
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("1\n{\"a\":2}\r\n\n[3]"))
	f.Add([]byte("\x1e1\n\x1e2"))
	f.Add([]byte("{}{}\"hu"))
	f.Fuzz(func(t *testing.T, in []byte) {
		readFuzzed(t, in, "", records.Options{Format: "ndjson"})
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\n1,\"2\n\"\"3\"\n"))
	f.Add([]byte("a;b;a\r\n1;2;3"))
	f.Add([]byte("a\n\"hu"))
	f.Add([]byte("\xff\xfea\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		readFuzzed(t, in, "text/csv; charset=windows-1252", records.Options{})
		readFuzzed(t, in, "", records.Options{Format: "csv", Delimiter: ";"})
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0" encoding="latin1"?><a x="1"><b>1</b><c/><b><d>&amp;</d></b></a>`))
	f.Add([]byte(`<a><b/>`))
	f.Add([]byte(`<a><![CDATA[x]]><!-- y --><b xmlns:x="z" x:y="1">t<b/></b></a>`))
	f.Fuzz(func(t *testing.T, in []byte) {
		readFuzzed(t, in, "", records.Options{Format: "xml", Path: "a.b"})
	})
}

func FuzzFeed(f *testing.F) {
	for _, seed := range []string{rssText, rdfText, atomText, jsonFeedText} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, _, _ := readFuzzed(t, in, "", records.Options{Format: "feed"})
		for _, item := range got {
			if gjson.Get(item, "id").Str == "" {
				t.Errorf("an item without an id: %s", item)
			}
		}
	})
}

func FuzzPacked(f *testing.F) {
	f.Add([]byte(gzipped(f, "1\n2\n")), "")
	f.Add([]byte(zipOf(f, "1.csv", "a\n1\n", "2.jsonl", "2\n", "3.json.gz", gzipped(f, "[3]"))), "")
	f.Add([]byte("1 2"), "br, deflate, zstd")
	f.Fuzz(func(t *testing.T, in []byte, encoding string) {
		_, _, err := all(t, bytes.NewReader(in), "", encoding, records.Options{MaxBytes: fuzzMost})
		if e, ok := errors.AsType[*records.Error](err); err != nil && (!ok || e.Reason == "") {
			t.Errorf("%T: %v", err, err)
		}
	})
}
