package records

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	feedjson "github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"
	"github.com/tidwall/gjson"
)

// feed gives out the items of RSS, RDF, Atom and JSON Feed in one form.
type feed struct {
	in     *bufio.Reader
	most   int
	parsed *gofeed.Feed
	source []any // the items as their own format has them
	at     int
}

// An item is the form of all of them.
type item struct {
	ID         string      `json:"id"` // else its link, else a hash of what is here
	Title      string      `json:"title,omitempty"`
	Link       string      `json:"link,omitempty"`
	Updated    string      `json:"updated,omitempty"` // RFC 3339 in UTC, where it is a time that can be read
	Published  string      `json:"published,omitempty"`
	Content    string      `json:"content,omitempty"`
	Summary    string      `json:"summary,omitempty"`
	Authors    []person    `json:"authors,omitempty"`
	Categories []string    `json:"categories,omitempty"`
	Enclosures []enclosure `json:"enclosures,omitempty"`
	Original   any         `json:"original"`
}

type person struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

type enclosure struct {
	URL    string `json:"url"`
	Type   string `json:"type,omitempty"`
	Length string `json:"length,omitempty"`
}

func (f *feed) next(context.Context) (json.RawMessage, error) {
	if f.parsed == nil {
		if err := f.parse(); err != nil {
			return nil, err
		}
	}
	if f.at == len(f.parsed.Items) {
		return nil, io.EOF
	}
	f.at++
	made, err := newItem(f.parsed.Items[f.at-1], f.source[f.at-1])
	if err != nil {
		return nil, err
	}
	return encode(made)
}

func (f *feed) parse() error {
	b, err := readAll(f.in, f.most)
	if err == errLarge { //nolint:errorlint // readAll returns it as it is
		return large("the feed", f.most)
	}
	if err != nil {
		return err
	}
	plain := undeclared(b)
	if err := bounded(plain); err != nil {
		return err
	}
	parser := gofeed.NewParser()
	parser.KeepOriginalFeed = true
	parsed, err := parser.Parse(bytes.NewReader(plain))
	if err != nil {
		return passing("the answer is cut short, or is no feed: there are RSS, RDF, Atom and JSON Feed (for other XML set records.path)")
	}
	f.source = originals(parsed, b)
	if len(f.source) != len(parsed.Items) {
		return passing("the feed has items that are none")
	}
	f.parsed = parsed
	return nil
}

// undeclared is the text without its declaration, which may name the charset that
// it was in before.
func undeclared(b []byte) []byte {
	b = bytes.TrimLeft(b, " \t\r\n")
	if !bytes.HasPrefix(b, []byte("<?xml")) {
		return b
	}
	if _, rest, ok := bytes.Cut(b, []byte("?>")); ok {
		return rest
	}
	return b
}

const (
	maxFeedDepth = 200
	maxFeedNodes = 100_000
)

// bounded refuses a feed that would use up the parser's stack or memory: it goes down
// as deep as the elements do. What is no XML at all is left to the parser.
func bounded(b []byte) error {
	if bytes.HasPrefix(b, []byte("{")) {
		if bytes.Count(b, []byte("{")) > maxFeedNodes {
			return wrong("the feed has more than %d objects", maxFeedNodes)
		}
		return nil
	}
	d := xml.NewDecoder(bytes.NewReader(uncontrolled(b)))
	d.Strict = false // as the parser has it
	declared := false
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) {
		declared = true
		return nil, errors.New("it was read already")
	}
	for depth, nodes := 0, 0; ; {
		token, err := d.Token()
		switch token.(type) {
		case xml.StartElement:
			depth++
			nodes++
		case xml.EndElement:
			depth--
		}
		switch {
		case depth > maxFeedDepth:
			return wrong("the feed is more than %d levels deep", maxFeedDepth)
		case nodes > maxFeedNodes:
			return wrong("the feed has more than %d elements", maxFeedNodes)
		case declared:
			return wrong("the feed names its charset elsewhere than at its beginning")
		case err != nil:
			return nil //nolint:nilerr // the parser meets it, too
		}
	}
}

// uncontrolled is the text without the characters that the parser leaves out.
func uncontrolled(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return -1
		}
		return r
	}, b)
}

// originals are the items with all that their own format has.
func originals(f *gofeed.Feed, b []byte) (items []any) {
	switch f := f.OriginalFeed().(type) {
	case *rss.Feed:
		for _, i := range f.Items {
			items = append(items, i)
		}
	case *atom.Feed:
		for _, e := range f.Entries {
			items = append(items, e)
		}
	case *feedjson.Feed:
		for _, i := range gjson.GetBytes(b, "items").Array() { // its extensions are lost in f
			items = append(items, json.RawMessage(i.Raw))
		}
	}
	return items
}

func newItem(i *gofeed.Item, original any) (item, error) {
	made := item{
		ID: i.GUID, Title: i.Title, Link: i.Link, Content: i.Content, Summary: i.Description,
		Updated: when(i.Updated, i.UpdatedParsed), Published: when(i.Published, i.PublishedParsed),
		Categories: i.Categories,
	}
	for _, a := range i.Authors {
		made.Authors = append(made.Authors, person{a.Name, a.Email})
	}
	for _, e := range i.Enclosures {
		made.Enclosures = append(made.Enclosures, enclosure{e.URL, e.Type, e.Length})
	}
	if made.ID == "" {
		made.ID = made.Link
	}
	if made.ID == "" {
		b, err := encode(made) // without the original, whose form is the parser's to change
		if err != nil {
			return item{}, err
		}
		sum := sha256.Sum256(b)
		made.ID = "sha256:" + hex.EncodeToString(sum[:])
	}
	made.Original = original
	return made, nil
}

func when(text string, t *time.Time) string {
	if t == nil {
		return text
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// rest is what pagination may need: RFC 5005 has a link to the next page.
func (f *feed) rest() json.RawMessage {
	if f.parsed == nil {
		return nothing
	}
	b, err := encode(struct {
		Title   string `json:"title,omitempty"`
		Link    string `json:"link,omitempty"`
		Updated string `json:"updated,omitempty"`
		Next    string `json:"next,omitempty"`
		TTL     int    `json:"ttl,omitempty"` // minutes
	}{f.parsed.Title, f.parsed.Link, when(f.parsed.Updated, f.parsed.UpdatedParsed), nextPage(f.parsed), timeToLive(f.parsed)})
	if err != nil {
		return nothing
	}
	return b
}

func nextPage(f *gofeed.Feed) string {
	switch own := f.OriginalFeed().(type) {
	case *atom.Feed:
		for _, l := range own.Links {
			if l.Rel == "next" {
				return l.Href
			}
		}
	case *feedjson.Feed:
		return own.NextURL
	}
	for _, extension := range f.Extensions { // in RSS it is Atom's, under any prefix
		for _, l := range extension["link"] {
			if l.Attrs["rel"] == "next" {
				return l.Attrs["href"]
			}
		}
	}
	return ""
}

// timeToLive is for how many minutes an RSS says that it stays as it is.
func timeToLive(f *gofeed.Feed) int {
	own, ok := f.OriginalFeed().(*rss.Feed)
	if !ok {
		return 0
	}
	minutes, err := strconv.Atoi(strings.TrimSpace(own.TTL))
	if err != nil || minutes < 0 {
		return 0
	}
	return minutes
}

// encode is v as JSON in which texts stay as they are.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
