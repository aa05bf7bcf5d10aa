package asjson

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxXMLDepth = 100
	maxXMLNodes = 100_000   // elements and attributes of a record, or beside the records
	maxTag      = 256 << 10 // bytes of one tag; its attributes are read before they can be counted
)

// What an XML refuses.
var (
	ErrXML        = errors.New("the body is not one well-formed XML element")
	ErrXMLDoctype = errors.New("the XML has a DTD, which is not read")
	ErrXMLDeep    = fmt.Errorf("the XML is more than %d levels deep", maxXMLDepth)
	ErrXMLNodes   = fmt.Errorf("the XML has more than %d elements and attributes", maxXMLNodes)
	ErrXMLTag     = fmt.Errorf("the XML has a tag of more than %d bytes", maxTag)
	ErrXMLLarge   = errors.New("an element of the XML, or what is beside the elements that are looked for, is larger than is allowed")
)

// An XML reads one element after another out of a document in UTF-8, whatever its
// declaration says, as JSON: an element is its text, or an object of its
// attributes (@name), its elements, and the text beside them (#text). Prefixes are
// left out, and so are declarations of namespaces. Memory grows with one element
// and with what stands beside those that are read, not with the document.
type XML struct {
	in      *tagReader
	decoder *xml.Decoder
	path    []string
	open    []openNode
	matched int // of the open elements, so many from the root are those of the path
	reached int // the most that matched has been
	count   int // nodes that are held
	outside int // nodes that are held beside the records
	kept    int // bytes of text and tags that are held beside the records
	begun   bool
	root    *node
	record  *node
}

// A node is an element, an attribute (@name) or the text beside children (#text).
type node struct {
	name     string
	text     string
	children []node
}

type openNode struct {
	node
	content []byte
	nested  bool // it has elements in it
}

// NewXML reads the elements to which the path leads, the root's name first. An
// element, and all that is beside them, may have most bytes. A path of nothing
// leads nowhere: then Rest is the document.
func NewXML(in io.ByteReader, path []string, most int) *XML {
	x := &XML{in: &tagReader{in: in, most: most}, path: path}
	x.decoder = xml.NewDecoder(x.in)
	x.decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return x.in, nil }
	return x
}

// Next is the next element; io.EOF after the last.
func (x *XML) Next() ([]byte, error) {
	for x.record == nil {
		token, err := x.decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && len(x.open) == 0 && x.begun:
			return nil, io.EOF
		case x.in.err != nil:
			return nil, x.in.err
		case err != nil:
			return nil, ErrXML // the decoder's words may have the payload in them
		}
		at := x.decoder.InputOffset()
		size := int(at - x.in.start)
		x.in.next(at, x.inside())
		if err := x.take(token, size); err != nil {
			return nil, err
		}
		if !x.inside() && x.kept > x.in.most {
			return nil, ErrXMLLarge
		}
	}
	b := appendValue(nil, x.record)
	x.record = nil
	return b, nil
}

// Rest is, after the last element, the document without those that Next gave.
func (x *XML) Rest() []byte {
	if x.root == nil {
		return []byte("{}")
	}
	return appendNodes(nil, []node{*x.root})
}

// Reached is how many elements of the path there were so far.
func (x *XML) Reached() int { return x.reached }

// inside says whether an element that Next gives out is being read.
func (x *XML) inside() bool { return len(x.path) > 0 && x.matched == len(x.path) }

func (x *XML) take(token xml.Token, size int) error {
	switch t := token.(type) {
	case xml.StartElement:
		return x.start(t, size)
	case xml.EndElement:
		x.end()
	case xml.CharData:
		return x.text(t)
	case xml.Directive:
		return ErrXMLDoctype
	}
	return nil
}

func (x *XML) start(t xml.StartElement, size int) error {
	if x.begun && len(x.open) == 0 {
		return ErrXML // a second root
	}
	x.begun = true
	if len(x.open) == maxXMLDepth {
		return ErrXMLDeep
	}
	if x.matched == len(x.open) && x.matched < len(x.path) && t.Name.Local == x.path[x.matched] {
		x.matched++
		x.reached = max(x.reached, x.matched)
		if x.inside() {
			x.outside = x.count
		}
	}
	if x.count += 1 + len(t.Attr); x.count > maxXMLNodes {
		return ErrXMLNodes
	}
	if !x.inside() {
		x.kept += size
	}
	element := node{name: t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
			element.children = append(element.children, node{name: "@" + a.Name.Local, text: a.Value})
		}
	}
	x.open = append(x.open, openNode{node: element})
	return nil
}

func (x *XML) text(t []byte) error {
	if len(x.open) == 0 {
		if len(bytes.TrimSpace(t)) > 0 {
			return ErrXML
		}
		return nil
	}
	last := &x.open[len(x.open)-1]
	if last.nested && len(bytes.TrimSpace(last.content)) == 0 {
		last.content = last.content[:0] // layout, as end has it: there may be as much as there are elements
		t = bytes.TrimLeft(t, " \t\r\n")
	}
	last.content = append(last.content, t...)
	if !x.inside() {
		x.kept += len(t)
	}
	return nil
}

// end closes an element. Its text is all of it where it has nothing else;
// between elements the white space around is layout.
func (x *XML) end() {
	last := len(x.open) - 1
	closed := x.open[last].node
	text := string(x.open[last].content)
	if x.open[last].nested {
		text = strings.TrimSpace(text)
	}
	x.open[last] = openNode{}
	x.open = x.open[:last]
	if len(closed.children) == 0 {
		closed.text = text
	} else if strings.TrimSpace(text) != "" {
		closed.children = append(closed.children, node{name: "#text", text: text})
	}
	wanted := x.inside() && x.matched == last+1
	if x.matched == last+1 {
		x.matched--
	}
	if last > 0 {
		x.open[last-1].nested = true
	}
	switch {
	case wanted:
		x.record, x.count = &closed, x.outside
		x.in.begin = x.in.start
	case last == 0:
		x.root = &closed
	default:
		parent := &x.open[last-1]
		parent.children = append(parent.children, closed)
	}
}

func appendValue(dst []byte, n *node) []byte {
	if len(n.children) == 0 {
		return AppendText(dst, n.text)
	}
	return appendNodes(dst, n.children)
}

func appendNodes(dst []byte, nodes []node) []byte {
	return AppendObject(dst, len(nodes),
		func(i int) string { return nodes[i].name },
		func(dst []byte, i int) []byte { return appendValue(dst, &nodes[i]) })
}

// A tagReader hands bytes to the decoder, and stops where an element or a text is
// larger than is allowed, or a tag is: of those the attributes come at once.
type tagReader struct {
	in    io.ByteReader
	most  int
	at    int64 // bytes that were handed over
	start int64 // where the token that is being read begins
	begin int64 // where what is held begins
	head  []byte
	last  byte
	err   error
}

// next says that the token before at is read. What it was of is held where inside.
func (r *tagReader) next(at int64, inside bool) {
	r.start = at
	if !inside {
		r.begin = at
	}
	r.head = r.head[:0]
	if r.at > at {
		r.head = append(r.head, r.last) // the decoder looked ahead
	}
}

// ReadByte is what the decoder reads by.
func (r *tagReader) ReadByte() (byte, error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case r.at-r.start > maxTag && r.isTag():
		r.err = ErrXMLTag
		return 0, r.err
	case r.at-r.begin > int64(r.most):
		r.err = ErrXMLLarge
		return 0, r.err
	}
	c, err := r.in.ReadByte()
	if err != nil {
		return 0, err
	}
	r.at++
	r.last = c
	if len(r.head) < 2 {
		r.head = append(r.head, c)
	}
	return c, nil
}

func (r *tagReader) isTag() bool {
	return len(r.head) == 2 && r.head[0] == '<' && !slices.Contains([]byte("!?"), r.head[1])
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
