package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// What a file may be at most. A configuration of a thousand sources is a tenth of it.
const (
	maxFile  = 1 << 20
	maxDepth = 50
	maxNodes = 100_000
)

// A builder makes the trees of one file.
type builder struct {
	file     string
	anchors  map[string]*node
	nodes    int
	problems []Problem
}

// parse reads one file; a file may have several documents, and may be empty.
func parse(f File) (trees []*node, problems []Problem) {
	b := &builder{file: f.Name}
	defer func() {
		// The parser is another's, and the bytes are anyone's.
		if r := recover(); r != nil {
			trees, problems = nil, append(b.problems, Problem{File: f.Name, What: "this is not YAML that can be read", Mend: "simplify it"})
		}
	}()
	if len(f.Data) > maxFile {
		b.problem(nil, "", fmt.Sprintf("the file is larger than %d MiB", maxFile>>20), "split it")
		return nil, b.problems
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(f.Data), "\ufeff"))
	if deep := tooDeep(tokens); deep != nil {
		b.problem(deep, "", fmt.Sprintf("nested more than %d deep", maxDepth), "no configuration needs that")
		return nil, b.problems
	}
	file, err := parser.Parse(joinColons(tokens), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		b.syntax(err)
		return nil, b.problems
	}
	for _, doc := range file.Docs {
		b.anchors = map[string]*node{}
		if n := b.build(doc.Body, 0); n != nil && n.kind != nothing {
			trees = append(trees, n.withoutEmpty())
		}
	}
	return trees, b.problems
}

// tooDeep gives the token at which the nesting of the flow style, or of lists
// and keys on one line, is too deep for a parser that recurses.
func tooDeep(tokens token.Tokens) *token.Token {
	open, line, onLine := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			if t.Position.Line != line {
				line, onLine = t.Position.Line, 0
			}
			onLine++
		default:
		}
		if open > maxDepth || onLine > maxDepth {
			return t
		}
	}
	return nil
}

func (b *builder) problem(at *token.Token, text, what, mend string) {
	p := Problem{File: b.file, Text: text, What: what, Mend: mend}
	if at != nil && at.Position != nil {
		p.Line, p.Column = at.Position.Line, at.Position.Column
	}
	b.problems = append(b.problems, p)
}

// syntax reports a parser's error without the source lines that it would quote:
// they may hold what should not be shown.
func (b *builder) syntax(err error) {
	var e yaml.Error
	if !errors.As(err, &e) {
		b.problem(nil, "", "not YAML", "")
		return
	}
	message, _, _ := strings.Cut(e.GetMessage(), "\n")
	if strings.Contains(message, "'\t'") {
		b.problem(e.GetToken(), "", "not YAML: a tab", "indent with spaces")
		return
	}
	b.problem(e.GetToken(), "", "not YAML: "+message, "look at the indentation and the colons here and on the line before")
}

func scalar(k kind, text string, t *token.Token) *node {
	return &node{kind: k, text: text, line: t.Position.Line, col: t.Position.Column, size: 1}
}

// build makes the tree of a value; nil for one that was reported.
func (b *builder) build(n ast.Node, depth int) *node {
	if n == nil {
		return nil
	}
	b.nodes++
	if b.nodes > maxNodes || depth > maxDepth {
		if b.nodes <= maxNodes+1 {
			b.nodes = maxNodes + 2 // said once
			b.problem(n.GetToken(), "", "too much, or too deep", "split the file")
		}
		return nil
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return scalar(nothing, "", n.Token)
	case *ast.StringNode:
		return scalar(text, n.Value, n.Token)
	case *ast.LiteralNode:
		return scalar(text, n.Value.Value, n.Start)
	case *ast.BoolNode:
		return scalar(truth, fmt.Sprint(n.Value), n.Token)
	case *ast.IntegerNode:
		return scalar(number, integer(n), n.Token)
	case *ast.FloatNode:
		return b.float(n)
	case *ast.InfinityNode, *ast.NanNode:
		b.problem(n.GetToken(), n.GetToken().Value, "not a number that is of use here", "")
		return nil
	case *ast.SequenceNode:
		return b.list(n, depth)
	case *ast.MappingNode:
		return b.mapping(n.Values, n.Start, depth)
	case *ast.MappingValueNode:
		return b.mapping([]*ast.MappingValueNode{n}, n.Start, depth)
	case *ast.AnchorNode:
		return b.anchor(n, depth)
	case *ast.AliasNode:
		return b.alias(n)
	case *ast.TagNode:
		b.problem(n.Start, n.Start.Value, fmt.Sprintf("a tag (%s) is not used here", n.Start.Value), "leave it out")
		return nil
	case *ast.CommentGroupNode, *ast.DirectiveNode:
		return nil
	}
	b.problem(n.GetToken(), "", "not a value", "")
	return nil
}

// integer is the number as JSON writes it; YAML also has 0x1F, 0o7 and 1_000.
func integer(n *ast.IntegerNode) string {
	written := strings.TrimPrefix(n.Token.Value, "+")
	if json.Valid([]byte(written)) {
		return written
	}
	return fmt.Sprint(n.Value)
}

func (b *builder) float(n *ast.FloatNode) *node {
	written := strings.TrimPrefix(n.Token.Value, "+")
	if json.Valid([]byte(written)) && len(written) < 40 && !strings.ContainsAny(written, "eE") {
		return scalar(number, written, n.Token)
	}
	// An exponent of a thousand million would be computed in full by whoever compares it.
	f := new(big.Float).SetFloat64(n.Value)
	if f.IsInf() || f.MantExp(nil) > 100 || f.MantExp(nil) < -100 {
		b.problem(n.Token, n.Token.Value, "not a number that is of use here", "")
		return nil
	}
	return scalar(number, f.Text('f', -1), n.Token)
}

func (b *builder) list(n *ast.SequenceNode, depth int) *node {
	out := &node{kind: list, line: n.Start.Position.Line, col: n.Start.Position.Column, size: 1}
	for _, v := range n.Values {
		if item := b.build(v, depth+1); item != nil {
			out.items = append(out.items, item)
			out.size += item.size
		}
	}
	return out
}

func (b *builder) mapping(values []*ast.MappingValueNode, start *token.Token, depth int) *node {
	out := &node{kind: mapping, line: start.Position.Line, col: start.Position.Column, size: 1}
	if len(values) > 0 && start.Type != token.MappingStartType {
		at := values[0].Key.GetToken().Position
		out.line, out.col = at.Line, at.Column
	}
	var merged []entry
	for _, v := range values {
		value := b.build(v.Value, depth+1)
		if value == nil {
			continue
		}
		key := v.Key.GetToken()
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, b.merge(key, value)...)
			continue
		}
		name, ok := keyText(v.Key)
		if !ok {
			b.problem(key, "", "a key must be a plain text", "")
			continue
		}
		if first := out.get(name); first != nil {
			b.problem(key, name, fmt.Sprintf("the key %q is there twice, first in line %d", name, first.line), "keep one of them")
			continue
		}
		out.put(entry{key: name, line: key.Position.Line, col: key.Position.Column, value: value})
	}
	for _, e := range merged { // what is written out wins
		if out.get(e.key) == nil {
			out.put(e)
		}
	}
	return out
}

// merge gives the entries that `<<: *name` or `<<: [*a, *b]` brings in.
func (b *builder) merge(at *token.Token, value *node) []entry {
	from := value.items
	if value.kind == mapping {
		from = []*node{value}
	}
	var out []entry
	for _, n := range from {
		if n.kind != mapping {
			from = nil
			break
		}
		out = append(out, n.entries...)
	}
	if from == nil {
		b.problem(at, "<<", "<< takes a mapping, or a list of them", "")
		return nil
	}
	return out
}

func keyText(k ast.MapKeyNode) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode, *ast.NullNode:
		return k.GetToken().Value, true
	}
	return "", false
}

func (b *builder) anchor(n *ast.AnchorNode, depth int) *node {
	value := b.build(n.Value, depth+1)
	if value != nil && n.Name != nil && n.Name.GetToken() != nil {
		b.anchors[n.Name.GetToken().Value] = value
	}
	return value
}

// alias gives the anchor's tree again, counted again: ten aliases of ten aliases
// of ten are a thousand nodes.
func (b *builder) alias(n *ast.AliasNode) *node {
	name := ""
	if n.Value != nil && n.Value.GetToken() != nil {
		name = n.Value.GetToken().Value
	}
	value := b.anchors[name]
	if value == nil {
		b.problem(n.Start, "*"+name, fmt.Sprintf("no anchor &%s before this", name), "")
		return nil
	}
	if b.nodes+value.size > maxNodes {
		if b.nodes <= maxNodes+1 {
			b.nodes = maxNodes + 2
			b.problem(n.Start, "*"+name, "the aliases unfold to too much", "write it out")
		}
		return nil
	}
	b.nodes += value.size
	return value
}
