package template

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A node is one value of the file with its line, before intrinsic functions
// are evaluated: a mapping (fields), a sequence (items), or a scalar.
type node struct {
	line   int
	keys   []string // of a mapping, in the file's order
	fields map[string]*node
	items  []*node
	list   bool
	scalar any // string, int64, uint64, float64, bool or nil
}

// field returns the value of a key, or nil; it is safe on nil.
func (n *node) field(key string) *node {
	if n == nil {
		return nil
	}
	return n.fields[key]
}

// parse reads YAML (or JSON, which is YAML) into nodes; tags of the short form
// (!Ref x) become the long one ({"Ref": x}).
func parse(data []byte) (*node, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("read the template: it is empty")
	}
	return convert(file.Docs[0].Body)
}

func convert(n ast.Node) (*node, error) {
	line := 0
	if n != nil && n.GetToken() != nil {
		line = n.GetToken().Position.Line
	}
	switch v := n.(type) {
	case nil, *ast.NullNode:
		return &node{line: line}, nil
	case *ast.MappingNode:
		return convertMapping(line, v.Values)
	case *ast.MappingValueNode:
		return convertMapping(line, []*ast.MappingValueNode{v})
	case *ast.SequenceNode:
		return convertSequence(line, v.Values)
	case *ast.TagNode:
		return convertTag(line, v)
	case *ast.LiteralNode:
		return &node{line: line, scalar: v.Value.Value}, nil
	case ast.ScalarNode:
		return &node{line: line, scalar: v.GetValue()}, nil
	}
	return nil, fmt.Errorf("line %d: %s is not supported in a template (anchors and aliases are not part of CloudFormation)", line, n.Type())
}

func convertMapping(line int, values []*ast.MappingValueNode) (*node, error) {
	out := &node{line: line, fields: make(map[string]*node, len(values))}
	for _, mv := range values {
		key, err := convert(mv.Key)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(key.scalar)
		if _, twice := out.fields[name]; twice {
			return nil, fmt.Errorf("line %d: %s stands there twice: remove one", key.line, name)
		}
		value, err := convert(mv.Value)
		if err != nil {
			return nil, err
		}
		if value.line == 0 {
			value.line = key.line
		}
		out.keys = append(out.keys, name)
		out.fields[name] = value
	}
	return out, nil
}

func convertSequence(line int, values []ast.Node) (*node, error) {
	out := &node{line: line, list: true, items: make([]*node, 0, len(values))}
	for _, v := range values {
		item, err := convert(v)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, item)
	}
	return out, nil
}

// convertTag turns !GetAtt a.b into {"Fn::GetAtt": ["a", "b"]}, and so on.
func convertTag(line int, t *ast.TagNode) (*node, error) {
	value, err := convert(t.Value)
	if err != nil {
		return nil, err
	}
	name := strings.TrimPrefix(t.Start.Value, "!")
	switch name {
	case "Ref", "Condition":
	case "GetAtt":
		if s, ok := value.scalar.(string); ok {
			id, attribute, _ := strings.Cut(s, ".")
			value = &node{line: line, list: true, items: []*node{{line: line, scalar: id}, {line: line, scalar: attribute}}}
		}
		name = "Fn::GetAtt"
	default:
		name = "Fn::" + name
	}
	return &node{line: line, keys: []string{name}, fields: map[string]*node{name: value}}, nil
}
