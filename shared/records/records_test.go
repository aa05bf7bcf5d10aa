package records_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/jq"
	"pushpull/shared/records"
)

// all is what a Reader gives out until its error, which is nil for io.EOF.
func all(tb testing.TB, in io.Reader, contentType, contentEncoding string, o records.Options) (got []string, rest string, err error) {
	tb.Helper()
	r, err := records.Open(in, contentType, contentEncoding, o)
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	}()
	for {
		record, err := r.Next(tb.Context())
		if errors.Is(err, io.EOF) {
			return got, string(r.Rest()), nil
		}
		if err != nil {
			if _, again := r.Next(tb.Context()); again != err { //nolint:errorlint // the very same
				tb.Errorf("after %v came %v", err, again)
			}
			return got, "", err
		}
		if !json.Valid(record) || !utf8.Valid(record) {
			tb.Errorf("not JSON: %q", record)
		}
		got = append(got, string(record))
	}
}

func program(tb testing.TB, expr string) *jq.Program {
	tb.Helper()
	p, err := jq.Compile(expr)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

type reading struct {
	name        string
	options     records.Options
	contentType string
	in          string
	want        []string
	rest        string
}

func run(t *testing.T, tests []reading) {
	t.Helper()
	t.Parallel()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, rest, err := all(t, strings.NewReader(tt.in), tt.contentType, "", tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.rest, rest); diff != "" {
				t.Error("rest:", diff)
			}
			slow, _, err := all(t, iotest.OneByteReader(strings.NewReader(tt.in)), tt.contentType, "", tt.options)
			if diff := cmp.Diff(got, slow); diff != "" || err != nil {
				t.Error("byte by byte:", diff, err)
			}
		})
	}
}

type failing struct {
	name        string
	options     records.Options
	contentType string
	in          string
	before      int // records that came before
	passing     bool
	want        string
}

func refuse(t *testing.T, tests []failing) {
	t.Helper()
	t.Parallel()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := all(t, strings.NewReader(tt.in), tt.contentType, "", tt.options)
			e, ok := errors.AsType[*records.Error](err)
			if !ok || !strings.Contains(e.Reason, tt.want) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			if len(got) != tt.before || e.Passing != tt.passing {
				t.Errorf("%d records before %v, passing %v", len(got), e, e.Passing)
			}
			if strings.Contains(e.Reason, "hush") {
				t.Error("the error shows the data:", e)
			}
		})
	}
}

func path(p string) records.Options { return records.Options{Path: p} }

func TestJSON(t *testing.T) {
	run(t, []reading{
		{"the document is the array", path(""), "application/json", ` [ {"id":1} , 2 ,"x",null] `, []string{`{"id":1}`, "2", `"x"`, "null"}, "[]"},
		{"a dot says the same", path("."), "", `[1]`, []string{"1"}, "[]"},
		{"an array in an object, with what is before and behind it", path("data"), "", `{"a":{"b":[1]},"data":[{"id":1},{"id":2}],"has_more":true,"next":"x"}`, []string{`{"id":1}`, `{"id":2}`}, `{"a":{"b":[1]},"data":[],"has_more":true,"next":"x"}`},
		{"an array further down", path("a.b.c"), "", `{"x":1,"a":{"y":2,"b":{"c":[true],"z":3}},"w":[4]}`, []string{"true"}, `{"x":1,"a":{"y":2,"b":{"c":[],"z":3}},"w":[4]}`},
		{"a dot in a name", path(`a\.b`), "", `{"a":{"b":[1]},"a.b":[2]}`, []string{"2"}, `{"a":{"b":[1]},"a.b":[]}`},
		{"a name that is written with escapes", path("é"), "", `{"\u00e9":[1]}`, []string{"1"}, `{"\u00e9":[]}`},
		{"an index into an array", path("1.items"), "", `[{"items":[1]},{"items":[2],"n":3},4]`, []string{"2"}, `[{"items":[1]},{"items":[],"n":3},4]`},
		{"a number as the name of a member", path("0"), "", `{"0":[1]}`, []string{"1"}, `{"0":[]}`},
		{"an object of arrays: the elements of each", path("changes"), "", `{"changes":{"added":[1,2],"removed":null,"updated":[3]},"next":"x"}`, []string{"1", "2", "3"}, `{"changes":{"added":[],"removed":null,"updated":[]},"next":"x"}`},
		{"an object of nothing", path("changes"), "", `{"changes":{}}`, nil, `{"changes":{}}`},
		{"null is no records", path("data"), "", `{"data":null,"n":1}`, nil, `{"data":null,"n":1}`},
		{"a document that is null", path(""), "", `null`, nil, `null`},
		{"no records", path("data"), "", `{"data":[]}`, nil, `{"data":[]}`},
		{"no array where it may be left out", records.Options{Path: "data", Optional: true}, "", `{"n":1}`, nil, `{"n":1}`},
		{"something on the way where it may be left out", records.Options{Path: "data.items", Optional: true}, "", `{"data":null,"n":1}`, nil, `{"data":null,"n":1}`},
		{"nothing at all where it may be left out", records.Options{Path: "data", Optional: true}, "", "", nil, ""},
		{"of members with the same name the first counts", path("data"), "", `{"data":[1],"data":[2]}`, []string{"1"}, `{"data":[],"data":[2]}`},
		{"the exact bytes of a record", path(""), "", `[{"n":9007199254740993, "d" : 1.10,"e":1e999,"a":1,"a":2,"s":"\u00e9\/"}]`, []string{`{"n":9007199254740993, "d" : 1.10,"e":1e999,"a":1,"a":2,"s":"\u00e9\/"}`}, "[]"},
		{"bytes that are not UTF-8 are replaced", path("data"), "", "{\"data\":[\"a\xffb\"],\"n\":\"\xff\"}", []string{"\"a\uFFFDb\""}, "{\"data\":[],\"n\":\"\uFFFD\"}"},
		{"a byte order mark", path(""), "", "\xef\xbb\xbf[1]", []string{"1"}, "[]"},
		{"UTF-16", path(""), "", "[\x00\"\x00\xe9\x00\"\x00]\x00", []string{`"é"`}, "[]"},
		{"a charset of the West", path(""), "application/json; charset=ISO-8859-1", "[\"\xe9\"]", []string{`"é"`}, "[]"},
		{"a charset of the West that is named in vain", path(""), "application/json; charset=latin1", `["é"]`, []string{`"é"`}, "[]"},
		{"a charset of the West, far behind", path(""), "application/json; charset=latin1", `["` + strings.Repeat("x", 9000) + "\xe9\"]", []string{`"` + strings.Repeat("x", 9000) + `é"`}, "[]"},
		{"a charset of Japan", path(""), "application/json; charset=Shift_JIS", "[\"\x93\xfa\x96\x7b\"]", []string{`"日本"`}, "[]"},
		{"a charset that nobody knows", path(""), "application/json; charset=klingon", `["é"]`, []string{`"é"`}, "[]"},
		{"another format that is meant to be JSON", records.Options{Format: "json"}, "text/csv", `[1]`, []string{"1"}, "[]"},
		{"any other content type", path(""), "text/plain", `[1]`, []string{"1"}, "[]"},
	})
}

func TestJSONRefuses(t *testing.T) {
	small := records.Options{Path: "data", MaxBytes: 20}
	refuse(t, []failing{
		{"an object where the array should be the document", path(""), "", `{"data":[1]}`, 0, false, "the answer is an object and not a list: records.path must lead to the list in it"},
		{"a text for a document", path(""), "", `"hush"`, 0, false, "the answer is a text and not a list"},
		{"a number at the path", path("a.b"), "", `{"a":{"b":4}}`, 0, false, "at a.b is a number and not a list"},
		{"an object of other things than arrays", path("a"), "", `{"a":{"x":[1],"y":{"hush":1}}}`, 1, false, `at a is an object whose member "y" is an object and not a list`},
		{"no array at the path", path("a.b"), "", `{"a":{"c":[1]}}`, 0, false, "there is no list at a.b: mend records.path, or set records.optional"},
		{"null on the way", path("a.b"), "", `{"errors":["hush"],"a":null}`, 0, false, "there is no list at a.b"},
		{"an array on the way", path("a.b"), "", `{"a":[{"b":[1]}]}`, 0, false, "there is no list at a.b"},
		{"an index that there is not", path("2"), "", `[[1]]`, 0, false, "there is no list at 2"},
		{"nothing", path(""), "", "", 0, true, "the answer is empty"},
		{"a format that there is not", records.Options{Format: "toml"}, "", "1", 0, false, `records.format is "toml"; there are json`},
		{"a cut in a record", path("data"), "", `{"data":[1,{"a":"hush`, 1, true, "the answer is cut short"},
		{"a cut between two records", path("data"), "", `{"data":[1,2,`, 2, true, "the answer is cut short"},
		{"a cut behind the records", path("data"), "", `{"data":[1,2],"next":`, 2, true, "the answer is cut short"},
		{"a cut in a name", path("data"), "", `{"data":[1,2],"ne`, 2, true, "the answer is cut short"},
		{"a cut before the end", path("data"), "", `{"data":[1,2]`, 2, true, "the answer is cut short"},
		{"a cut on the way", path("data.items"), "", `{"data":`, 0, true, "the answer is cut short"},
		{"a web page", path(""), "text/html; charset=utf-8", `<html>hush</html>`, 0, true, "no valid JSON at byte 0, or nested too deep there; it is a web page"},
		{"what is no JSON behind a record", path(""), "", `[1,hush]`, 1, true, "no valid JSON at byte 3"},
		{"text behind the document", path(""), "", `[1]hush`, 1, true, "no valid JSON at byte 3"},
		{"a second document", path(""), "", `[1] [2]`, 1, true, "the answer goes on behind its JSON document"},
		{"depth", path(""), "", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), 0, true, "nested too deep"},
		{"a record over the limit by a byte", small, "", `{"data":["` + strings.Repeat("x", 18) + `","` + strings.Repeat("x", 19) + `"]}`, 1, false, "a record is larger than 20 bytes: raise request.max_bytes"},
		{"a value beside the records over the limit", small, "", `{"a":"` + strings.Repeat("x", 20) + `","data":[1]}`, 0, false, "what stands beside the records is larger than 20 bytes"},
		{"values beside the records that are too many", small, "", `{"a":1,"b":2,"c":3,"d":4,"e":5,"data":[1]}`, 0, false, "what stands beside the records is larger than 20 bytes"},
		{"white space without end", small, "", `{"data":[1,` + strings.Repeat(" ", 9_000) + `2]}`, 1, false, "larger than 20 bytes"},
		{"a wide charset that is named in vain leaves no JSON", path(""), "application/json; charset=utf-16", `hush`, 0, true, "no valid JSON at byte 0"},
	})
}

func TestLines(t *testing.T) {
	const ndjson = "application/x-ndjson"
	run(t, []reading{
		{"lines, empty ones left out", records.Options{}, ndjson, "\r\n{\"a\":1}\r\n\n [2] \n3", []string{`{"a":1}`, "[2]", "3"}, "{}"},
		{"by the configuration", records.Options{Format: "ndjson"}, "text/plain", "1\n2\n", []string{"1", "2"}, "{}"},
		{"texts behind record separators", records.Options{}, "application/json-seq", "\x1e{\"a\":\n1}\n\x1e2\n", []string{"{\"a\":\n1}", "2"}, "{}"},
		{"documents that are just one after another", records.Options{}, ndjson, `{"a":1}{"a":2}`, []string{`{"a":1}`, `{"a":2}`}, "{}"},
		{"nothing", records.Options{}, ndjson, "", nil, "{}"},
		{"a byte order mark", records.Options{}, ndjson, "\xef\xbb\xbf1\n2", []string{"1", "2"}, "{}"},
	})
}

func TestLinesRefuse(t *testing.T) {
	refuse(t, []failing{
		{"a last line that is cut", records.Options{Format: "ndjson"}, "", "{\"a\":1}\n{\"a\":\"hush", 1, true, "the answer is cut short"},
		{"a line that is no JSON", records.Options{Format: "ndjson"}, "", "1\nhush\n2", 1, true, "no valid JSON at byte 2"},
		{"a line that is too large", records.Options{Format: "ndjson", MaxBytes: 10}, "", "1\n\"" + strings.Repeat("x", 10) + "\"\n", 1, false, "a record is larger than 10 bytes"},
		{"a path", records.Options{Format: "ndjson", Path: "data"}, "", "1", 0, false, "records.path leads nowhere in ndjson"},
	})
}

func TestCSV(t *testing.T) {
	run(t, []reading{
		{"a header and lines", records.Options{}, "text/csv", "id,name\r\n1,Ann\r\n2,\"B, \"\"C\"\"\nD\"\n", []string{`{"id":"1","name":"Ann"}`, `{"id":"2","name":"B, \"C\"\nD"}`}, "{}"},
		{"no line behind the header", records.Options{Format: "csv"}, "", "id,name\n", nil, "{}"},
		{"nothing", records.Options{Format: "csv"}, "", "", nil, "{}"},
		{"no line break at the end", records.Options{Format: "csv"}, "", "id\n1", []string{`{"id":"1"}`}, "{}"},
		{"a byte order mark", records.Options{Format: "csv"}, "", "\xef\xbb\xbfid\n1\n", []string{`{"id":"1"}`}, "{}"},
		{"UTF-16, as spreadsheets write it", records.Options{Format: "csv"}, "", "\xff\xfei\x00d\x00\n\x00\xe9\x00\n\x00", []string{`{"id":"é"}`}, "{}"},
		{"half a character of UTF-16 at the end", records.Options{Format: "csv"}, "", "\xff\xfea\x00\n\x00b\x00c", []string{"{\"a\":\"b\uFFFD\"}"}, "{}"},
		{"zeros that are too few for UTF-32", records.Options{Format: "csv"}, "", "\x00\x00\x00", nil, "{}"},
		{"another delimiter", records.Options{Format: "csv", Delimiter: ";"}, "", "a;b\n1,5;2\n", []string{`{"a":"1,5","b":"2"}`}, "{}"},
		{"tabs by the content type", records.Options{}, "text/tab-separated-values", "a\tb\n1\t2\n", []string{`{"a":"1","b":"2"}`}, "{}"},
		{"a name that is there twice", records.Options{Format: "csv"}, "", "a,b,a\n1,2,3\n", []string{`{"a":["1","3"],"b":"2"}`}, "{}"},
		{"a charset of the West", records.Options{}, "text/csv; charset=windows-1252", "a\n\x80\n", []string{`{"a":"€"}`}, "{}"},
		{"bytes that are not UTF-8 are replaced", records.Options{Format: "csv"}, "", "a\n\xff\n", []string{"{\"a\":\"\uFFFD\"}"}, "{}"},
	})
}

func TestCSVRefuses(t *testing.T) {
	csv := records.Options{Format: "csv"}
	refuse(t, []failing{
		{"a line with fewer fields", csv, "", "a,b\n1,2\nhush\n3,4\n", 1, false, "line 3 of the csv has not as many fields as its header (2)"},
		{"a line with more fields", csv, "", "a\n1\n\"2\n3\",hush\n4\n", 1, false, "line 3 of the csv has not as many fields as its header (1)"},
		{"a last line that is cut between fields", csv, "", "a,b\n1,2\nhush", 1, true, "line 3 of the csv"},
		{"a last line that is cut in quotes", csv, "", "a,b\n1,2\n3,\"hush", 1, true, "line 3 of the csv"},
		{"a quote where none may be", csv, "", "a\n1\nhu\"sh\n2\n", 1, false, "line 3 of the csv, column 3"},
		{"a line that is too large", records.Options{Format: "csv", MaxBytes: 10}, "", "a\n1\n" + strings.Repeat("x", 11) + "\n", 1, false, "a line of the csv is larger than 10 bytes"},
		{"a quote that is never closed", records.Options{Format: "csv", MaxBytes: 10}, "", "a\n1\n\"" + strings.Repeat("x\n", 9_000), 1, false, "a line of the csv is larger than 10 bytes"},
		{"a delimiter of two characters", records.Options{Format: "csv", Delimiter: "||"}, "", "", 0, false, "records.delimiter must be one character"},
		{"a quote for a delimiter", records.Options{Format: "csv", Delimiter: `"`}, "", "", 0, false, "records.delimiter must be one character"},
		{"a path", records.Options{Format: "csv", Path: "data"}, "", "1", 0, false, "records.path leads nowhere in csv"},
	})
}

func TestXML(t *testing.T) {
	const orders = `<?xml version="1.0"?><Orders xmlns="urn:x" page="1">
  <Order id="1"><Total>9.50</Total><Line>a</Line><Line>b</Line></Order>
  <Order id="2"/>
  <Order>text &amp; more</Order>
  <Next>abc</Next>
</Orders>`
	run(t, []reading{
		{"elements, with what is beside them", path("Orders.Order"), "application/xml", orders, []string{`{"@id":"1","Total":"9.50","Line":["a","b"]}`, `{"@id":"2"}`, `"text & more"`}, `{"Orders":{"@page":"1","Next":"abc"}}`},
		{"elements further down, also under two parents, whatever their prefixes", path("a.b.c"), "text/xml", `<a><b><c>1</c><d>2</d></b><c>3</c><b><x:c xmlns:x="y">4</x:c></b></a>`, []string{`"1"`, `"4"`}, `{"a":{"b":[{"d":"2"},""],"c":"3"}}`},
		{"an element of the same name inside of a record is of the record", path("a.b"), "text/xml", `<a><b><b>1</b><a><b>2</b></a></b></a>`, []string{`{"b":"1","a":{"b":"2"}}`}, `{"a":""}`},
		{"no elements in the list", path("Orders.Order"), "text/xml", `<Orders/>`, nil, `{"Orders":""}`},
		{"another root where it may be left out", records.Options{Path: "Orders.Order", Optional: true}, "text/xml", `<None/>`, nil, `{"None":""}`},
		{"nothing at all where it may be left out", records.Options{Path: "Orders.Order", Optional: true}, "text/xml", "", nil, "{}"},
		{"the root is the record", path("Order"), "text/xml", `<Order>1</Order>`, []string{`"1"`}, "{}"},
		{"text and white space", path("a.b"), "text/xml", "<a> t <b> 1 </b>\n u <b/>\n</a>", []string{`" 1 "`, `""`}, `{"a":"t \n u"}`},
		{"the charset that the text declares", path("a.b"), "text/xml", "<?xml version='1.0' encoding='ISO-8859-1'?><a><b>\xe9</b></a>", []string{`"é"`}, `{"a":""}`},
		{"UTF-16 that is none any more", path("a.b"), "text/xml", `<?xml version="1.0" encoding="utf-16"?><a><b>é</b></a>`, []string{`"é"`}, `{"a":""}`},
		{"the charset of the content type comes first", path("a.b"), "text/xml; charset=windows-1251", "<?xml version=\"1.0\" encoding=\"utf-8\"?><a><b>\xe9</b></a>", []string{`"й"`}, `{"a":""}`},
	})
}

func TestXMLRefuses(t *testing.T) {
	small := records.Options{Path: "a.b", Format: "xml", MaxBytes: 100}
	xml := records.Options{Path: "a.b", Format: "xml"}
	refuse(t, []failing{
		{"no path", records.Options{Format: "xml"}, "", "<a/>", 0, false, "records.path must lead to the element of a record"},
		{"another root", xml, "", "<hush/>", 0, false, "there is no element at a.b: mend records.path"},
		{"a cut behind a record", xml, "", "<a><b>1</b>", 1, true, "the answer is cut short"},
		{"a cut in a record", xml, "", "<a><b>1</b><b>hush", 1, true, "the answer is cut short"},
		{"nothing", xml, "", "", 0, true, "the answer is cut short"},
		{"what is no XML", xml, "", `{"hush":1}`, 0, true, "not one well-formed XML element"},
		{"a DTD", xml, "", `<!DOCTYPE a [<!ENTITY c "hush">]><a><b>&c;</b></a>`, 0, false, "the XML has a DTD"},
		{"depth", xml, "", "<a><b>" + strings.Repeat("<c>", 101), 0, false, "levels deep"},
		{"a record that is too large", small, "", "<a><b>1</b><b>" + strings.Repeat("x", 200) + "</b></a>", 1, false, "an element, or what stands beside the records, is larger than 100 bytes"},
		{"a text beside the records that is too large", small, "", "<a><b>1</b>" + strings.Repeat("x", 200) + "</a>", 1, false, "larger than 100 bytes"},
		{"elements beside the records that are too large", small, "", "<a><b>1</b>" + strings.Repeat("<c/>", 50) + "</a>", 1, false, "larger than 100 bytes"},
		{"a record of too many elements", xml, "", "<a><b>" + strings.Repeat("<c/>", 100_001) + "</b></a>", 0, false, "elements and attributes"},
		{"a tag that is too long", xml, "", "<a " + strings.Repeat(`b="" `, 100_000) + "/>", 0, false, "a tag of more than"},
	})
}

func TestXMLOfManyRecords(t *testing.T) {
	t.Parallel()
	in := "<a>" + strings.Repeat("\n  <b><c>1</c></b>", 50_000) + "\n</a>"
	got, rest, err := all(t, strings.NewReader(in), "", "", records.Options{Path: "a.b", Format: "xml", MaxBytes: 100})
	if len(got) != 50_000 || rest != `{"a":""}` || err != nil {
		t.Errorf("%d records, %s, %v", len(got), rest, err)
	}
}

func TestJQ(t *testing.T) {
	changes := records.Options{JQ: program(t, ".added[], (.removed[] | .deleted = true)")}
	run(t, []reading{
		{"records that an expression makes", changes, "application/json", `{"added":[{"id":9007199254740993}],"removed":[{"id":2}],"next":"x"}`, []string{`{"id":9007199254740993}`, `{"deleted":true,"id":2}`}, `{"added":[{"id":9007199254740993}],"removed":[{"id":2}],"next":"x"}`},
		{"the answer is the record", records.Options{JQ: program(t, ".")}, "", `{"a":1}`, []string{`{"a":1}`}, `{"a":1}`},
		{"none", records.Options{JQ: program(t, "empty")}, "", `{"a":1}`, nil, `{"a":1}`},
		{"of XML", records.Options{JQ: program(t, ".Orders.Order[]")}, "text/xml", `<Orders><Order>1</Order><Order>2</Order></Orders>`, []string{`"1"`, `"2"`}, `{"Orders":{"Order":["1","2"]}}`},
		{"of lines", records.Options{JQ: program(t, ".[1:][]")}, "application/x-ndjson", "1\n2\n3", []string{"2", "3"}, "[1,2,3]"},
		{"of csv", records.Options{JQ: program(t, "map(select(.a != \"1\"))[]")}, "text/csv", "a\n1\n2\n", []string{`{"a":"2"}`}, `[{"a":"1"},{"a":"2"}]`},
		{"nothing at all where it may be left out", records.Options{JQ: program(t, ".[]"), Optional: true}, "", "", nil, "{}"},
	})
}

// slow is a program that never ends.
func slow(t *testing.T) *jq.Program {
	t.Helper()
	p, err := jq.Options{Timeout: 10 * time.Millisecond}.Compile("def f: f; f")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestJQRefuses(t *testing.T) {
	refuse(t, []failing{
		{"what the expression does not fit", records.Options{JQ: program(t, ".a[]")}, "", `{"a":"hush"}`, 0, false, "records.jq .a[]: cannot iterate over: string"},
		{"an expression that takes too long, as it may on a busy machine", records.Options{JQ: slow(t)}, "", `1`, 0, true, "takes too long"},
		{"an answer that is cut", records.Options{JQ: program(t, ".a[]")}, "", `{"a":["hush"`, 0, true, "the answer is cut short"},
		{"an answer that is too large", records.Options{JQ: program(t, "."), MaxBytes: 5}, "", `[1,2,3,4]`, 0, false, "the answer is larger than 5 bytes"},
		{"lines that are too many", records.Options{JQ: program(t, "."), Format: "ndjson", MaxBytes: 5}, "", "1\n2\n3\n", 0, false, "the answer is larger than 5 bytes"},
		{"more behind the answer", records.Options{JQ: program(t, ".")}, "", `1 2`, 0, true, "goes on behind"},
	})
}
