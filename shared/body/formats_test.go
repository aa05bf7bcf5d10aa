package body_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

func TestForms(t *testing.T) {
	many := strings.Repeat("a=1&", 10_001)
	run(t, []reading{
		{"names in their order, the same name in an array", config.Body{}, formType, "b=2&a=1&b=3&&c=&d", one("b=2&a=1&b=3&&c=&d", formType, `{"b":["2","3"],"a":"1","c":"","d":""}`), ""},
		{"percent signs and pluses", config.Body{}, formType, "a+b=c%20d%2B%22%5C%0a%00", one("a+b=c%20d%2B%22%5C%0a%00", formType, `{"a b":"c d+\"\\\n\u0000"}`), ""},
		{"what cannot be decoded stays", config.Body{}, formType, "a=100%&b=%zz;c=1", one("a=100%&b=%zz;c=1", formType, `{"a":"100%","b":"%zz;c=1"}`), ""},
		{"as many fields as may be", config.Body{ToJSON: true}, formType, many[:3*4] + "b", one(`{"a":["1","1","1"],"b":""}`, jsonType, `{"a":["1","1","1"],"b":""}`), ""},
		{"more fields", config.Body{}, formType, many, one(many, formType, `{}`), "fields"},
		{"far more fields", config.Body{ToJSON: true}, formType, strings.Repeat(many, 2), one(strings.Repeat(many, 2), formType, `{}`), "fields"},
		{"more than eight names are found as well", config.Body{}, formType, "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&a=2&i=2", one("a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&a=2&i=2", formType, `{"a":["1","2"],"b":"1","c":"1","d":"1","e":"1","f":"1","g":"1","h":"1","i":["1","2"]}`), ""},
		{"made JSON", config.Body{ToJSON: true}, formType, "MessageSid=SM1&Body=hi", one(`{"MessageSid":"SM1","Body":"hi"}`, jsonType, `{"MessageSid":"SM1","Body":"hi"}`), ""},
		{"bytes that are not UTF-8 stay in the view, not in the JSON", config.Body{ToJSON: true}, formType, "a=%ff", one("{\"a\":\"\uFFFD\"}", jsonType, "{\"a\":\"\xff\"}"), ""},
		{"another charset", config.Body{}, formType + "; charset=windows-1252", "a=%80%e9", one("a=%80%e9", formType+"; charset=windows-1252", `{"a":"€é"}`), ""},
		{"a charset that is named in vain", config.Body{}, formType + "; charset=iso-8859-1", "a=%c3%a9", one("a=%c3%a9", formType+"; charset=iso-8859-1", `{"a":"é"}`), ""},
		{"elements of a form", config.Body{Each: config.Names{"id"}}, formType, "id=1&id=2", []part{
			{`"1"`, jsonType, `"1"`, `{"id":["1","2"]}`, `{"id":["1","2"]}`}, {`"2"`, jsonType, `"2"`, `{"id":["1","2"]}`, `{"id":["1","2"]}`},
		}, ""},
	})
}

func TestAFieldIsTheBody(t *testing.T) {
	payload := config.Body{Field: "payload"}
	xml := "<notification><kind>check</kind></notification>\n"
	coded := base64.StdEncoding.EncodeToString([]byte(xml))
	braintree := config.Body{Field: "bt_payload", FieldEncoding: "base64", FieldFormat: "xml"}
	run(t, []reading{
		{"JSON in a field", payload, formType, "payload=%7B%22type%22%3A%22block_actions%22%7D", one(`{"type":"block_actions"}`, jsonType, `{"type":"block_actions"}`), ""},
		{"a batch in a field", config.Body{Field: "mandrill_events", Each: config.Names{"[]"}}, formType, `mandrill_events=[{"_id":"1"}]`, []part{{`{"_id":"1"}`, jsonType, `{"_id":"1"}`, `[{"_id":"1"}]`, `[{"_id":"1"}]`}}, ""},
		{"an empty batch in a field", config.Body{Field: "mandrill_events", Each: config.Names{"[]"}}, formType, `mandrill_events=%5B%5D`, nil, ""},
		{"XML in base64", braintree, formType, "bt_signature=s&bt_payload=" + strings.ReplaceAll(coded, "=", "%3D") + "%0A", one(xml, "application/xml", `{"notification":{"kind":"check"}}`), ""},
		{"XML in base64, made JSON", config.Body{Field: "p", FieldEncoding: "base64", FieldFormat: "xml", ToJSON: true}, formType, "p=" + coded, one(`{"notification":{"kind":"check"}}`, jsonType, `{"notification":{"kind":"check"}}`), ""},
		{"base64 of the URL's alphabet, without padding", config.Body{Field: "p", FieldEncoding: "base64", FieldFormat: "text"}, formType, "p=_-8_Pg", one("\xff\xef\x3f\x3e", "text/plain", `{}`), ""},
		{"base64 with a plus that was not escaped", config.Body{Field: "p", FieldEncoding: "base64", FieldFormat: "text"}, formType, "p=/+8/Pg==", one("\xff\xef\x3f\x3e", "text/plain", `{}`), ""},
		{"a form without it is taken as it is", payload, formType, "a=1", one("a=1", formType, `{"a":"1"}`), ""},
		{"what is no form is taken as it is", payload, jsonType, `{"payload":1}`, one(`{"payload":1}`, jsonType, `{"payload":1}`), ""},
		{"an empty field is an empty body", payload, formType, "payload=", one("", jsonType, `{}`), ""},
		{"a field that is no JSON: the form stays", payload, formType, "payload=x", one("payload=x", formType, `{"payload":"x"}`), "field payload"},
		{"a field that is no base64: the form stays", braintree, formType, "bt_payload=*", one("bt_payload=*", formType, `{"bt_payload":"*"}`), "base64"},
		{"a field of a multipart", config.Body{Field: "json"}, "multipart/form-data; boundary=x", multi("x", `name="json"`, `{"event":{"event_type":"sent"}}`), one(`{"event":{"event_type":"sent"}}`, jsonType, `{"event":{"event_type":"sent"}}`), ""},
	})
}

// multi is a multipart of dispositions and values.
func multi(boundary string, parts ...string) string {
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		b.WriteString("--" + boundary + "\r\nContent-Disposition: form-data; " + parts[i] + "\r\n\r\n" + parts[i+1] + "\r\n")
	}
	return b.String() + "--" + boundary + "--\r\n"
}

func TestMultiparts(t *testing.T) {
	const formData = "multipart/form-data; boundary=x"
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	fields := multi("x", `name="from"`, "a@example.com", `name="n"`, "1", `name="n"`, "2")
	mail := multi("x", "name=\"text\"\r\nContent-Type: text/plain; charset=iso-8859-1", "caf\xe9",
		"name=\"attachment\"; filename=\"../a\\\"b.txt\"\r\nContent-Type: text/csv", "hello")
	many := multi("x", slicesOf(1_001, `name="a"`, "1")...)
	headers := multi("x", "name=\"a\"\r\nX-Long: "+strings.Repeat("x", 70<<10), "1")
	run(t, []reading{
		{"fields", config.Body{}, formData, fields, one(fields, formData, `{"from":"a@example.com","n":["1","2"]}`), ""},
		{
			"files are seen without their bytes",
			config.Body{},
			formData, mail,
			one(mail, formData, `{"text":"café","attachment":{"filename":"a\"b.txt","content_type":"text/csv","size":5,"sha256":"`+hello+`"}}`), "",
		},
		{
			"files in the JSON have them",
			config.Body{ToJSON: true},
			formData, mail,
			one(`{"text":"café","attachment":{"filename":"a\"b.txt","content_type":"text/csv","size":5,"sha256":"`+hello+`","data_base64":"aGVsbG8="}}`, jsonType,
				`{"text":"café","attachment":{"filename":"a\"b.txt","content_type":"text/csv","size":5,"sha256":"`+hello+`"}}`), "",
		},
		{"a multipart that is cut off", config.Body{ToJSON: true}, formData, fields[:40], one(fields[:40], formData, `{}`), "multipart"},
		{"a multipart with another boundary", config.Body{}, "multipart/form-data; boundary=y", fields, one(fields, "multipart/form-data; boundary=y", `{}`), "boundary"},
		{"a boundary that only looks like the last", config.Body{}, formData, "x--x--", one("x--x--", formData, `{}`), "multipart"},
		{"a multipart without its boundary", config.Body{}, "multipart/form-data", fields, one(fields, "multipart/form-data", `{}`), "boundary"},
		{"more parts than 1,000", config.Body{}, formData, many, one(many, formData, `{}`), "parts"},
		{"headers that are too long", config.Body{}, formData, headers, one(headers, formData, `{}`), "headers"},
	})
}

func slicesOf(n int, values ...string) (out []string) {
	for range n {
		out = append(out, values...)
	}
	return out
}

func TestXML(t *testing.T) {
	const xmlType = "application/xml"
	soap := `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>
 <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
  <OrganizationId>00D1</OrganizationId>
  <Notification><Id>04l1</Id></Notification>
  <Notification><Id>04l2</Id></Notification>
 </notifications>
</soapenv:Body></soapenv:Envelope>`
	soapView := `{"Envelope":{"Body":{"notifications":{"OrganizationId":"00D1","Notification":[{"Id":"04l1"},{"Id":"04l2"}]}}}}`
	soapParent := soapView
	bomb := `<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>`
	deep := strings.Repeat("<a>", 101) + strings.Repeat("</a>", 101)
	many := "<a>" + strings.Repeat("<b/>", 100_000) + "</a>"
	attributes := "<a>" + strings.Repeat(`<b c=""/>`, 50_000) + "</a>"
	tag := "<a " + strings.Repeat(`b="" `, 100_000) + "/>"
	long := "<a>" + strings.Repeat("x", 300<<10) + "</a>"
	run(t, []reading{
		{"an element is its text", config.Body{}, xmlType, "<a> 1 &lt;&#233;<![CDATA[<b>]]></a>", one("<a> 1 &lt;&#233;<![CDATA[<b>]]></a>", xmlType, `{"a":" 1 <é<b>"}`), ""},
		{"an element without text", config.Body{}, xmlType, "<a/>", one("<a/>", xmlType, `{"a":""}`), ""},
		{"attributes, children and text", config.Body{}, xmlType, `<a b="1" x:c="2">t <d/><e>3</e><d>4</d> u</a>`, one(`<a b="1" x:c="2">t <d/><e>3</e><d>4</d> u</a>`, xmlType, `{"a":{"@b":"1","@c":"2","d":["","4"],"e":"3","#text":"t  u"}}`), ""},
		{"attributes beside text", config.Body{}, xmlType, `<a type="integer">1</a>`, one(`<a type="integer">1</a>`, xmlType, `{"a":{"@type":"integer","#text":"1"}}`), ""},
		{"attributes that differ by their prefixes only", config.Body{}, xmlType, `<a b="1" x:b="2"/>`, one(`<a b="1" x:b="2"/>`, xmlType, `{"a":{"@b":["1","2"]}}`), ""},
		{"SOAP, without prefixes and declarations", config.Body{}, "text/xml", soap, one(soap, "text/xml", soapView), ""},
		{"SOAP, made JSON", config.Body{ToJSON: true}, "text/xml", soap, one(soapView, jsonType, soapView), ""},
		{"SOAP, split", config.Body{Each: config.Names{"Envelope.Body.notifications.Notification"}}, "text/xml", soap, []part{
			{`{"Id":"04l1"}`, jsonType, `{"Id":"04l1"}`, soapView, soapParent}, {`{"Id":"04l2"}`, jsonType, `{"Id":"04l2"}`, soapView, soapParent},
		}, ""},
		{"a comment and an instruction are nothing", config.Body{}, xmlType, "<!--x--><?y z?><a>1<!--x-->2</a>\n", one("<!--x--><?y z?><a>1<!--x-->2</a>\n", xmlType, `{"a":"12"}`), ""},
		{"the charset that the text declares", config.Body{}, xmlType, "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", one("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", xmlType, `{"a":"é"}`), ""},
		{"the charset of the content type comes first", config.Body{}, xmlType + "; charset=windows-1251", "<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\xe9</a>", one("<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\xe9</a>", xmlType+"; charset=windows-1251", `{"a":"й"}`), ""},
		{"UTF-16 that is none any more", config.Body{}, xmlType, `<?xml version="1.0" encoding="utf-16"?><a>é</a>`, one(`<?xml version="1.0" encoding="utf-16"?><a>é</a>`, xmlType, `{"a":"é"}`), ""},
		{"UTF-16 that is", config.Body{}, xmlType, wide(`<?xml version="1.0" encoding="utf-16"?><a>é</a>`, true, false), one(wide(`<?xml version="1.0" encoding="utf-16"?><a>é</a>`, true, false), xmlType, `{"a":"é"}`), ""},
		{"a byte order mark", config.Body{}, xmlType, "\xef\xbb\xbf<a/>", one("\xef\xbb\xbf<a/>", xmlType, `{"a":""}`), ""},
		{"a DTD with its entities", config.Body{ToJSON: true}, xmlType, bomb, one(bomb, xmlType, `{}`), "DTD"},
		{"an entity that there is not", config.Body{}, xmlType, "<a>&nbsp;</a>", one("<a>&nbsp;</a>", xmlType, `{}`), "well-formed"},
		{"an element that is not closed", config.Body{}, xmlType, "<a><b></a>", one("<a><b></a>", xmlType, `{}`), "well-formed"},
		{"an element that goes on", config.Body{}, xmlType, "<a>", one("<a>", xmlType, `{}`), "well-formed"},
		{"two elements", config.Body{}, xmlType, "<a/><b/>", one("<a/><b/>", xmlType, `{}`), "one"},
		{"text beside the element", config.Body{}, xmlType, "x<a/>", one("x<a/>", xmlType, `{}`), "one"},
		{"no element", config.Body{}, xmlType, "<!---->", one("<!---->", xmlType, `{}`), "one"},
		{"bytes that are not UTF-8", config.Body{}, xmlType, "<a>\xff</a>", one("<a>\xff</a>", xmlType, `{}`), "well-formed"},
		{"elements that are too deep", config.Body{}, xmlType, deep, one(deep, xmlType, `{}`), "deep"},
		{"elements that are too many", config.Body{}, xmlType, many, one(many, xmlType, `{}`), "elements"},
		{"attributes that are too many", config.Body{}, xmlType, attributes, one(attributes, xmlType, `{}`), "attributes"},
		{"a tag that is too long", config.Body{}, xmlType, tag, one(tag, xmlType, `{}`), "tag"},
		{"text may be long", config.Body{}, xmlType, long, one(long, xmlType, `{"a":"`+long[3:len(long)-4]+`"}`), ""},
	})
}

func TestLines(t *testing.T) {
	const ndjson = "application/x-ndjson"
	line := func(s string) part { return part{s, jsonType, s, "", ""} }
	many := strings.Repeat("1\n", 100_001)
	run(t, []reading{
		{"lines, empty ones left out", config.Body{}, ndjson, "\r\n{\"a\":1}\r\n\n [2] \n3", []part{line(`{"a":1}`), line(`[2]`), line(`3`)}, ""},
		{"a line that is no JSON is an event too", config.Body{}, ndjson, "{}\nx", []part{line(`{}`), {"x", ndjson, `{}`, "", ""}}, ""},
		{"no line is JSON", config.Body{}, ndjson, "x\ny", one("x\ny", ndjson, `{}`), "no line"},
		{"nothing but empty lines is no event", config.Body{}, ndjson, "\n\n", nil, ""},
		{"texts behind record separators", config.Body{}, "application/json-seq", "\x1e{\"a\":\n1}\n\x1e2\n", []part{line("{\"a\":\n1}"), line("2")}, ""},
		{"a byte order mark", config.Body{}, ndjson, "\xef\xbb\xbf1\n2", []part{line("1"), line("2")}, ""},
		{"more lines than 25,000", config.Body{}, ndjson, many, one(many, ndjson, `{}`), "elements"},
	})
}

func TestTokens(t *testing.T) {
	const jwt = "application/jwt"
	run(t, []reading{
		{"the claims are the body", config.Body{}, jwt, "eyJhbGciOiJub25lIn0.eyJpZCI6ImV2dF8xIn0.\n", one(`{"id":"evt_1"}`, jsonType, `{"id":"evt_1"}`), ""},
		{"an array in the claims", config.Body{Each: config.Names{"e"}}, jwt, "e30.eyJlIjpbMV19.x", []part{{"1", jsonType, "1", `{"e":[1]}`, `{"e":[1]}`}}, ""},
		{"what is no token", config.Body{}, jwt, "a.b", one("a.b", jwt, `{}`), "Token"},
		{"an encrypted token", config.Body{}, jwt, "e30.e30.e30.e30.e30", one("e30.e30.e30.e30.e30", jwt, `{}`), "Token"},
		{"claims that are no base64", config.Body{}, jwt, "e30.*.x", one("e30.*.x", jwt, `{}`), "Token"},
		{"claims that are no JSON", config.Body{}, jwt, "e30.eA.x", one("e30.eA.x", jwt, `{}`), "Token"},
	})
}

// wide is s in UTF-16.
func wide(s string, mark, bigEndian bool) string {
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xFEFF}, units...)
	}
	var b strings.Builder
	for _, u := range units {
		if bigEndian {
			b.WriteByte(byte(u >> 8))
		}
		b.WriteByte(byte(u))
		if !bigEndian {
			b.WriteByte(byte(u >> 8))
		}
	}
	return b.String()
}

// wider is s in UTF-32.
func wider(s string, bigEndian bool) string {
	var b strings.Builder
	for _, r := range s {
		if bigEndian {
			b.Write([]byte{byte(r >> 24), byte(r >> 16), byte(r >> 8), byte(r)})
		} else {
			b.Write([]byte{byte(r), byte(r >> 8), byte(r >> 16), byte(r >> 24)})
		}
	}
	return b.String()
}

func TestJSONOfAnyCharset(t *testing.T) {
	const text = `{"a":"é"}`
	for _, tt := range []struct{ name, contentType, in, view string }{
		{"a byte order mark of UTF-8", jsonType, "\xef\xbb\xbf" + text, text},
		{"UTF-16, little end first, with its mark", jsonType, wide(text, true, false), text},
		{"UTF-16, big end first, with its mark", jsonType, wide(text, true, true), text},
		{"UTF-16 without a mark", jsonType, wide(text, false, false), text},
		{"UTF-16 that is named", jsonType + "; charset=utf-16", wide(text, false, true), text},
		{"UTF-32", jsonType, wider(text, false), text},
		{"UTF-32 with its mark, and without a type", "", wider("\uFEFF"+text, true), text},
		{"UTF-16 that is named in vain", jsonType + "; charset=utf-16", text, text},
		{"a charset of the West", jsonType + "; charset=ISO-8859-1", "{\"a\":\"\xe9\"}", text},
		{"a charset of the West that is named in vain", jsonType + ";charset=latin1", text, text},
		{"a charset of Japan", jsonType + `; charset="Shift_JIS"`, "{\"a\":\"\x93\xfa\x96\x7b\"}", `{"a":"日本"}`},
		{"a charset of Japan with escapes", jsonType + "; charset=iso-2022-jp", "{\"a\":\"\x1b$BF|K\\\x1b(B\"}", `{"a":"日本"}`},
		{"a charset of China", jsonType + "; charset=gb2312", "{\"a\":\"\xd6\xd0\"}", `{"a":"中"}`},
		{"a charset that nobody knows", jsonType + "; charset=klingon", text, text},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := reader(t, config.Body{}).Read([]byte(tt.in), tt.contentType)
			if diff := cmp.Diff(one(tt.in, tt.contentType, tt.view), parts(got)); diff != "" || got.Unreadable != nil {
				t.Error(diff, got.Unreadable)
			}
			made := reader(t, config.Body{ToJSON: true}).Read([]byte(tt.in), tt.contentType)
			if diff := cmp.Diff(tt.view, string(made.Parts[0].Data)); diff != "" || !event.IsJSON(made.Parts[0].ContentType) && made.Parts[0].ContentType != "" {
				t.Error("made JSON:", diff, made.Parts[0].ContentType)
			}
			wellFormed(t, got)
		})
	}
}
