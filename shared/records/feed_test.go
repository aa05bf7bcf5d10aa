package records_test

import (
	"strings"
	"testing"

	"pushpull/shared/records"
)

const rssText = `<?xml version="1.0" encoding="ISO-8859-1"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>News</title><link>https://example.com/</link><ttl>60</ttl>
<atom:link rel="next" href="https://example.com/feed?page=2"/>
<lastBuildDate>Mon, 02 Nov 2026 10:00:00 GMT</lastBuildDate>
<item><title>Caf` + "\xe9" + ` &amp; more</title><link>https://example.com/1</link><guid isPermaLink="false">n-1</guid>
<pubDate>Mon, 02 Nov 2026 11:00:00 +0100</pubDate><description>short</description><content:encoded><![CDATA[<p>long</p>]]></content:encoded>
<category>a</category><category>b</category><enclosure url="https://example.com/1.mp3" length="12" type="audio/mpeg"/></item>
<item><title>No id</title><link>https://example.com/2</link></item>
<item><description>Nothing but text</description><pubDate>some day</pubDate></item>
</channel></rss>`

const rdfText = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://example.com/"><title>RDF</title></channel>
<item rdf:about="https://example.com/1"><title>One</title><link>https://example.com/1</link><dc:date>2026-11-02T11:00:00+01:00</dc:date><dc:creator>Ann</dc:creator></item>
</rdf:RDF>`

const atomText = `<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><link rel="next" href="https://example.com/a?p=2"/><updated>2026-11-02T11:00:00Z</updated>
<entry><id>urn:1</id><title>One</title><link href="https://example.com/1"/><updated>2026-11-02T12:00:00.5+01:00</updated><published>2026-11-01T00:00:00Z</published>
<author><name>Ann</name><email>ann@example.com</email></author><summary>s</summary><content type="html">&lt;b&gt;c&lt;/b&gt;</content><category term="x"/></entry></feed>`

const jsonFeedText = `{"version":"https://jsonfeed.org/version/1.1","title":"J","next_url":"https://example.com/j?p=2","items":[
{"id":7,"url":"https://example.com/7","content_text":"c","date_published":"2026-11-02T11:00:00Z","_example":{"n":1},"tags":["x"]}]}`

func TestFeeds(t *testing.T) {
	run(t, []reading{
		{"RSS", records.Options{}, "application/rss+xml", rssText, []string{
			`{"id":"n-1","title":"Café & more","link":"https://example.com/1","published":"2026-11-02T10:00:00Z","content":"<p>long</p>","summary":"short","categories":["a","b"],"enclosures":[{"url":"https://example.com/1.mp3","type":"audio/mpeg","length":"12"}],"original":{"title":"Café & more","link":"https://example.com/1","links":["https://example.com/1"],"description":"short","content":"<p>long</p>","categories":[{"value":"a"},{"value":"b"}],"enclosure":{"url":"https://example.com/1.mp3","length":"12","type":"audio/mpeg"},"enclosures":[{"url":"https://example.com/1.mp3","length":"12","type":"audio/mpeg"}],"guid":{"value":"n-1","isPermalink":"false"},"pubDate":"Mon, 02 Nov 2026 11:00:00 +0100","pubDateParsed":"2026-11-02T10:00:00Z"}}`,
			`{"id":"https://example.com/2","title":"No id","link":"https://example.com/2","original":{"title":"No id","link":"https://example.com/2","links":["https://example.com/2"]}}`,
			`{"id":"sha256:9a257b5bcb3903be2e4e7112f02c4032a836a54f13fb1e0d2c64eb7e27610e86","published":"some day","summary":"Nothing but text","original":{"description":"Nothing but text","pubDate":"some day"}}`,
		}, `{"title":"News","link":"https://example.com/","updated":"2026-11-02T10:00:00Z","next":"https://example.com/feed?page=2","ttl":60}`},
		{"RDF, as XML without a path", records.Options{}, "text/xml", rdfText, []string{`{"id":"https://example.com/1","title":"One","link":"https://example.com/1","updated":"2026-11-02T10:00:00Z","published":"2026-11-02T10:00:00Z","authors":[{"name":"Ann"}],"original":{"title":"One","link":"https://example.com/1","links":["https://example.com/1"],"dcExt":{"creator":["Ann"],"date":["2026-11-02T11:00:00+01:00"]},"extensions":{"dc":{"creator":[{"name":"creator","value":"Ann","attrs":{},"children":{}}],"date":[{"name":"date","value":"2026-11-02T11:00:00+01:00","attrs":{},"children":{}}]}}}}`}, `{"title":"RDF"}`},
		{"Atom", records.Options{Format: "feed"}, "text/plain", atomText, []string{`{"id":"urn:1","title":"One","link":"https://example.com/1","updated":"2026-11-02T11:00:00.5Z","published":"2026-11-01T00:00:00Z","content":"<b>c</b>","summary":"s","authors":[{"name":"Ann","email":"ann@example.com"}],"categories":["x"],"original":{"title":"One","id":"urn:1","updated":"2026-11-02T12:00:00.5+01:00","updatedParsed":"2026-11-02T11:00:00.5Z","summary":"s","authors":[{"name":"Ann","email":"ann@example.com"}],"categories":[{"term":"x"}],"links":[{"href":"https://example.com/1","rel":"alternate"}],"published":"2026-11-01T00:00:00Z","publishedParsed":"2026-11-01T00:00:00Z","content":{"type":"html","value":"<b>c</b>"}}}`}, `{"title":"A","updated":"2026-11-02T11:00:00Z","next":"https://example.com/a?p=2"}`},
		{"JSON Feed", records.Options{Format: "feed"}, "application/json", jsonFeedText, []string{`{"id":"7","link":"https://example.com/7","published":"2026-11-02T11:00:00Z","content":"c","categories":["x"],"original":{"id":7,"url":"https://example.com/7","content_text":"c","date_published":"2026-11-02T11:00:00Z","_example":{"n":1},"tags":["x"]}}`}, `{"title":"J","next":"https://example.com/j?p=2"}`},
		{"no items", records.Options{Format: "feed"}, "", `<rss version="2.0"><channel><title>x</title></channel></rss>`, nil, `{"title":"x"}`},
	})
}

func TestFeedsRefuse(t *testing.T) {
	refuse(t, []failing{
		{"a feed that is cut short", records.Options{Format: "feed"}, "", rssText[:len(rssText)-30], 0, true, "cut short, or is no feed"},
		{"other XML", records.Options{}, "text/xml", "<hush/>", 0, true, "is no feed"},
		{"nothing", records.Options{Format: "feed"}, "", "", 0, true, "is no feed"},
		{"a feed that is deeper than its parser's stack", records.Options{Format: "feed"}, "", `<rss version="2.0" xmlns:a="urn:a"><channel><item>` + strings.Repeat("<a:b>", 1000), 0, false, "more than 200 levels deep"},
		{"one that is deep behind a character that its parser leaves out", records.Options{Format: "feed"}, "", "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry>\x01<content type=\"xhtml\">" + strings.Repeat("<b>", 1000), 0, false, "more than 200 levels deep"},
		{"one that is deep in another charset", records.Options{Format: "feed"}, "", `<rss version="2.0"><channel><?xml version="1.0" encoding="utf-16"?>`, 0, false, "names its charset elsewhere"},
		{"a feed of nothing but items", records.Options{Format: "feed"}, "", `<rss version="2.0"><channel>` + strings.Repeat("<item/>", 100_000) + `</channel></rss>`, 0, false, "more than 100000 elements"},
		{"a JSON Feed of nothing but items", records.Options{Format: "feed"}, "", `{"version":"https://jsonfeed.org/version/1.1","items":[` + strings.Repeat("{},", 100_000) + `{}]}`, 0, false, "more than 100000 objects"},
		{"a feed that is too large", records.Options{Format: "feed", MaxBytes: 1000}, "", strings.Replace(rssText, "short", strings.Repeat("x", 1000), 1), 0, false, "the feed is larger than 1000 bytes"},
	})
}
