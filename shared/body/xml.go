package body

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	maxXMLDepth = 100
	maxXMLNodes = 100_000   // elements and attributes
	maxTag      = 256 << 10 // bytes of one tag; its attributes are read before they can be counted
)

var (
	errXML        = errors.New("the body is not one well-formed XML element")
	errXMLDoctype = errors.New("the XML has a DTD, which is not read")
	errXMLDeep    = fmt.Errorf("the XML is more than %d levels deep", maxXMLDepth)
	errXMLNodes   = fmt.Errorf("the XML has more than %d elements and attributes", maxXMLNodes)
	errXMLTag     = fmt.Errorf("the XML has a tag of more than %d bytes", maxTag)
	errXMLSize    = errors.New("the XML would be more than eight times as large in JSON")
)

// A node is an element, an attribute (@name) or the text beside children (#text).
type node struct {
	name     string
	text     string
	children []node
}

// readXML makes JSON of XML, as docs/webhooks.md has it. Declarations of
// namespaces are no attributes: they say nothing once prefixes are left out.
func readXML(b []byte, contentType string) document {
	charset := charsetOf(contentType)
	if charset == "" {
		charset = declared(b)
	}
	text := toUTF8(b, charset)
	root, err := parseXML(text)
	if err != nil {
		return unreadable(b, contentType, err)
	}
	view := appendNodes(nil, []node{root})
	if len(view) > 8*len(text)+1024 {
		return unreadable(b, contentType, errXMLSize)
	}
	return document{data: b, contentType: contentType, view: view, made: view}
}

// declared is the charset of <?xml encoding="…"?>. One that says UTF-16 and can
// be read here is not: the text was encoded anew, and nobody told it.
func declared(b []byte) string {
	b = bytes.TrimPrefix(b, utf8BOM)
	if !bytes.HasPrefix(b, []byte("<?xml")) {
		return ""
	}
	head, _, ok := bytes.Cut(b[:min(len(b), 256)], []byte("?>"))
	if !ok {
		return ""
	}
	_, rest, ok := bytes.Cut(head, []byte("encoding"))
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if !ok || len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	name, _, _ := bytes.Cut(rest[1:], rest[:1])
	return foreign(string(name))
}

// parseXML reads UTF-8, whatever its declaration says.
func parseXML(text []byte) (node, error) {
	p := xmlParser{in: &tagReader{text: text}}
	p.decoder = xml.NewDecoder(p.in)
	p.decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return p.in, nil }
	for {
		token, err := p.decoder.Token()
		p.in.start = p.decoder.InputOffset()
		switch {
		case errors.Is(err, io.EOF) && len(p.open) == 0 && p.root.name != "":
			return p.root, nil
		case p.in.over:
			return node{}, errXMLTag
		case err != nil:
			return node{}, errXML // the decoder's words may have the payload in them
		}
		if err := p.take(token); err != nil {
			return node{}, err
		}
	}
}

type xmlParser struct {
	in      *tagReader
	decoder *xml.Decoder
	root    node
	open    []openNode
	count   int
}

type openNode struct {
	node
	content []byte
	nested  bool // it has elements in it
}

func (p *xmlParser) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		p.end()
	case xml.CharData:
		if len(p.open) > 0 {
			last := &p.open[len(p.open)-1]
			last.content = append(last.content, t...)
		} else if len(bytes.TrimSpace(t)) > 0 {
			return errXML
		}
	case xml.Directive:
		return errXMLDoctype
	}
	return nil
}

func (p *xmlParser) start(t xml.StartElement) error {
	if p.root.name != "" {
		return errXML // a second root
	}
	if len(p.open) == maxXMLDepth {
		return errXMLDeep
	}
	if p.count += 1 + len(t.Attr); p.count > maxXMLNodes {
		return errXMLNodes
	}
	element := node{name: t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
			element.children = append(element.children, node{name: "@" + a.Name.Local, text: a.Value})
		}
	}
	p.open = append(p.open, openNode{node: element})
	return nil
}

// end closes an element. Its text is all of it where it has nothing else;
// between elements the white space around is layout.
func (p *xmlParser) end() {
	last := len(p.open) - 1
	closed := p.open[last].node
	text := string(p.open[last].content)
	if p.open[last].nested {
		text = strings.TrimSpace(text)
	}
	p.open[last] = openNode{}
	p.open = p.open[:last]
	if len(closed.children) == 0 {
		closed.text = text
	} else if strings.TrimSpace(text) != "" {
		closed.children = append(closed.children, node{name: "#text", text: text})
	}
	if last == 0 {
		p.root = closed
		return
	}
	parent := &p.open[last-1]
	parent.nested = true
	parent.children = append(parent.children, closed)
}

func appendNodes(dst []byte, nodes []node) []byte {
	return appendObject(dst, len(nodes),
		func(i int) string { return nodes[i].name },
		func(dst []byte, i int) []byte {
			if len(nodes[i].children) == 0 {
				return appendText(dst, nodes[i].text)
			}
			return appendNodes(dst, nodes[i].children)
		})
}

// A tagReader hands the text to the decoder, and stops where a tag is too long:
// text, comments and CDATA may be as long as they like.
type tagReader struct {
	text  []byte
	at    int64
	start int64 // where the token that is being read begins
	over  bool
}

// ReadByte is what the decoder reads by.
func (r *tagReader) ReadByte() (byte, error) {
	if r.at == int64(len(r.text)) {
		return 0, io.EOF
	}
	if r.at-r.start > maxTag && r.isTag() {
		r.over = true
		return 0, errXMLTag
	}
	c := r.text[r.at]
	r.at++
	return c, nil
}

func (r *tagReader) isTag() bool {
	return r.text[r.start] == '<' && r.text[r.start+1] != '!' && r.text[r.start+1] != '?'
}

// Read makes it an io.Reader, which the decoder asks for and does not use.
func (r *tagReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}
