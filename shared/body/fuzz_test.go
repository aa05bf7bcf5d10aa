package body_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// fuzzed are configurations of each kind; those from splits on only split.
var fuzzed = []config.Body{
	{},
	{ToJSON: true},
	{Format: "form", Field: "payload", Each: config.Names{"[]"}},
	{Format: "form", Field: "payload", FieldEncoding: "base64", FieldFormat: "xml", ToJSON: true},
	{Format: "xml", ToJSON: true, Each: config.Names{"Envelope.Body.notifications.Notification"}},
	{Format: "ndjson"},
	{Format: "jwt"},
	{Each: config.Names{"entry[].changes", "entry[].messaging"}, Add: map[string]string{"id": "parent.id", "object": "root.object"}},
	{Format: "json", Each: config.Names{"[]"}},
	{Format: "json", Each: config.Names{"events", "data.events"}},
	{Format: "json", Each: config.Names{"eventNotifications[].dataChangeEvent.entities", "notificationItems[].NotificationRequestItem"}},
	{Format: "json", Each: config.Names{"entry[].changes[].value", "events"}},
}

const splits = 8

// bodies are in the shape in which providers send them.
var bodies = []struct{ contentType, body string }{
	{"application/json", `{"id":"evt_1","object":"event","created":1763884800,"data":{"object":{"id":"in_1","amount_due":1099}},"type":"invoice.paid"}`},
	{"application/json", `{"object":"page","entry":[{"id":"1","time":1763884800,"changes":[{"field":"feed","value":{"item":"post"}}]},{"id":"2","messaging":[{"sender":{"id":"3"},"message":{"mid":"m_1","text":"h\u00e9"}}]}]}`},
	{"application/json", `{"eventNotifications":[{"realmId":"1185883450","dataChangeEvent":{"entities":[{"name":"Customer","id":"1","operation":"Create","lastUpdated":"2026-11-23T08:00:00.000Z"}]}}]}`},
	{"application/json", `{"live":"false","notificationItems":[{"NotificationRequestItem":{"eventCode":"AUTHORISATION","pspReference":"7914073381342284","success":"true"}}]}`},
	{"application/json", `[{"email":"a@example.com","timestamp":1763884800,"event":"delivered","sg_event_id":"x=="}]`},
	{"application/json; charset=utf-8", `{"events":[],"entropy":"S0m3r4Nd0mt3xt"}`},
	{"application/json", `{"eventType":"com.example.event_hook","data":{"events":[{"uuid":"b0b1","published":"2026-11-23T08:00:00Z"}]}}`},
	{"application/cloudevents-batch+json", `[{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{}}]`},
	{"application/x-www-form-urlencoded", `MessageSid=SM1&From=%2B14155550100&Body=Hello+there&NumMedia=0`},
	{"application/x-www-form-urlencoded", `payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%5D%7D`},
	{"application/x-www-form-urlencoded", `type=subscribe&data%5Bid%5D=8a25ff1d98&data%5Bmerges%5D%5BFNAME%5D=A`},
	{"application/x-www-form-urlencoded", `mandrill_events=%5B%7B%22event%22%3A%22send%22%2C%22_id%22%3A%22e1%22%7D%5D`},
	{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{\"event\":{\"event_type\":\"signature_request_sent\"}}\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--x--\r\n"},
	{"text/xml", `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notifications><Notification><Id>1</Id></Notification></notifications></soapenv:Body></soapenv:Envelope>`},
	{"application/atom+xml", `<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="https://pubsubhubbub.appspot.com"/><entry><yt:videoId>v1</yt:videoId></entry></feed>`},
	{"application/x-ndjson", "{\"id\":\"1\"}\n{\"id\":\"2\"}\n"},
	{"application/json-seq", "\x1e{\"id\":\"1\"}\n"},
	{"application/jwt", "eyJhbGciOiJSUzI1NiJ9.eyJldmVudF9pZCI6ImUxIn0.c2ln"},
	{"application/json; charset=utf-16", "\xff\xfe{\x00}\x00"},
	{"application/xml; charset=shift_jis", "<a>\x93\xfa</a>"},
	{"text/plain", "{\"Type\":\"Notification\"}"},
	{"", "\x00\x00\xfe\xff"},
}

func FuzzRead(f *testing.F) {
	for i := range fuzzed {
		for _, r := range bodies {
			f.Add([]byte(r.body), r.contentType, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, contentType string, which uint8) {
		i := int(which) % len(fuzzed)
		before := bytes.Clone(in)
		m := reader(t, fuzzed[i]).Read(in, contentType)
		if !bytes.Equal(before, in) {
			t.Fatal("the body was changed")
		}
		wellFormed(t, m)
		if m.Unreadable != nil && !bytes.Equal(m.Parts[0].Data, in) {
			t.Fatal("unreadable, and not the bytes as they came")
		}
		if i >= splits && m.Unreadable == nil && event.ValidJSON(in) {
			agrees(t, in, fuzzed[i].Each, parts(m))
		}
	})
}

// agrees compares with what gjson finds.
func agrees(t *testing.T, in []byte, paths []string, got []part) {
	t.Helper()
	var want []string
	there := false
	for _, p := range paths {
		there = collect(gjson.ParseBytes(in), strings.Split(p, "[]"), &want) || there
	}
	if !there {
		want = []string{string(in)}
	} else {
		for _, p := range paths { // each of another array
			leftovers(gjson.ParseBytes(in), p, &want)
		}
	}
	if len(want) != len(got) {
		t.Fatalf("%d parts, gjson finds %d: %q", len(got), len(want), in)
	}
	for i := range got {
		if got[i].Data != want[i] {
			t.Fatalf("part %d is %q, gjson finds %q", i, got[i].Data, want[i])
		}
		if !bytes.Contains(in, []byte(got[i].Data)) {
			t.Fatalf("part %d is not of the body", i)
		}
	}
}

// leftovers are the elements of outer arrays to which the rest of the path does not lead.
func leftovers(v gjson.Result, path string, out *[]string) {
	array, rest, nested := strings.Cut(path, "[].")
	v = v.Get(array)
	if !nested || !v.IsArray() && !v.IsObject() {
		return
	}
	for _, element := range v.Array() {
		if collect(element, strings.Split(rest, "[]"), new([]string)) {
			leftovers(element, rest, out)
		} else {
			*out = append(*out, element.Raw)
		}
	}
}

func collect(v gjson.Result, segments []string, out *[]string) (there bool) {
	first := strings.TrimPrefix(segments[0], ".")
	last := len(segments) == 1 || len(segments) == 2 && segments[1] == ""
	if first != "" {
		v = v.Get(first)
	}
	switch {
	case v.IsArray():
		empty := true
		for _, element := range v.Array() {
			empty = false
			if last {
				*out, there = append(*out, element.Raw), true
			} else {
				there = collect(element, segments[1:], out) || there
			}
		}
		return there || empty
	case v.IsObject() && !last:
		return collect(v, segments[1:], out)
	case v.IsObject() && first != "":
		*out = append(*out, v.Raw)
		return true
	}
	return false
}
