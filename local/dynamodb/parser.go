package dynamodb

import (
	"strconv"
	"strings"
)

// A parser reads one expression by recursive descent. Its depth and its number
// of operators are bounded, so no text can exhaust the stack.
type parser struct {
	text  string
	scope *scope
	prev  token
	tok   token
	depth int
	nodes int
}

// parseCondition reads a condition, filter or key condition expression;
// parameter is its name in the request, for messages.
func parseCondition(parameter, text string, s *scope) (*node, error) {
	p, err := newParser(text, s)
	if err != nil {
		return nil, named(parameter, err)
	}
	n, err := p.condition()
	if err == nil {
		err = p.atEnd()
	}
	if err == nil && !n.isCondition() {
		err = p.notACondition(n)
	}
	if err != nil {
		return nil, named(parameter, err)
	}
	return n, nil
}

// parseProjection reads a list of paths.
func parseProjection(text string, s *scope) ([]path, error) {
	const parameter = "ProjectionExpression"
	p, err := newParser(text, s)
	if err != nil {
		return nil, named(parameter, err)
	}
	var paths []path
	for {
		one, err := p.path()
		if err != nil {
			return nil, named(parameter, err)
		}
		paths = append(paths, one)
		if !p.symbol(",") {
			break
		}
	}
	if err := p.atEnd(); err != nil {
		return nil, named(parameter, err)
	}
	return paths, named(parameter, checkClashes(paths))
}

func newParser(text string, s *scope) (*parser, error) {
	if len(text) > maxExpressionBytes {
		return nil, invalid("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	if text == "" {
		return nil, invalid("The expression can not be empty;")
	}
	p := &parser{text: text, scope: s}
	p.tok = nextToken(text, 0)
	p.prev = p.tok
	return p, nil
}

func (p *parser) advance() {
	p.prev = p.tok
	p.tok = nextToken(p.text, p.tok.end)
}

func (p *parser) current() string { return p.text[p.tok.start:p.tok.end] }

// symbol consumes the symbol if it is next.
func (p *parser) symbol(s string) bool {
	if p.tok.kind == tokenSymbol && p.current() == s {
		p.advance()
		return true
	}
	return false
}

// keyword consumes the keyword, in any case, if it is next.
func (p *parser) keyword(word string) bool {
	if p.isKeyword(word) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) isKeyword(word string) bool {
	return p.tok.kind == tokenWord && strings.EqualFold(p.current(), word)
}

func (p *parser) atEnd() error {
	if p.tok.kind != tokenEnd {
		return p.syntax()
	}
	return nil
}

// syntax is AWS's syntax error: the token, and its neighbours as written.
func (p *parser) syntax() error {
	text, end := p.current(), p.tok.end
	if p.tok.kind == tokenEnd {
		text, end = "<EOF>", p.prev.end
		if p.prev.end < len(p.text) {
			end = len(p.text)
		}
	} else if next := nextToken(p.text, p.tok.end); next.kind != tokenEnd {
		end = next.end
	}
	return invalid("Syntax error; token: %q, near: %q", text, p.text[p.prev.start:end])
}

// deeper guards every recursion.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxExpressionDepth {
		return invalid("The expression contains too many nested operands; maximum depth: %d", maxExpressionDepth)
	}
	return nil
}

// count guards the size of the tree.
func (p *parser) count(n *node) (*node, error) {
	if p.nodes++; p.nodes > maxExpressionNodes {
		return nil, invalid("The expression contains too many operators; maximum operator count: %d", maxExpressionNodes)
	}
	return n, nil
}

// condition := conjunction { OR conjunction }
func (p *parser) condition() (*node, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	return p.joined("OR", opOr, p.conjunction)
}

// conjunction := negation { AND negation }
func (p *parser) conjunction() (*node, error) {
	return p.joined("AND", opAnd, p.negation)
}

func (p *parser) joined(word string, op operator, part func() (*node, error)) (*node, error) {
	n, err := part()
	if err != nil || !p.isKeyword(word) {
		return n, err
	}
	all := &node{op: op, args: []*node{n}}
	for {
		if last := all.args[len(all.args)-1]; !last.isCondition() {
			return nil, p.notACondition(last)
		}
		if !p.keyword(word) {
			return all, nil
		}
		if n, err = part(); err != nil {
			return nil, err
		}
		if _, err := p.count(n); err != nil {
			return nil, err
		}
		all.args = append(all.args, n)
	}
}

// notACondition is the error where a value stands for a truth value.
func (p *parser) notACondition(n *node) error {
	if n.op == opSize {
		return misplaced(opSize)
	}
	return p.syntax()
}

func misplaced(op operator) error {
	return invalid("The function is not allowed to be used this way in an expression; function: %s", op)
}

// negation := { NOT } comparison
func (p *parser) negation() (*node, error) {
	if !p.keyword("NOT") {
		return p.comparison()
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	n, err := p.negation()
	if err != nil {
		return nil, err
	}
	if !n.isCondition() {
		return nil, p.notACondition(n)
	}
	return p.count(&node{op: opNot, args: []*node{n}})
}

// comparison := operand [ operator operand | BETWEEN … AND … | IN (…) ]
func (p *parser) comparison() (*node, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if left.isCondition() && (left.parenthesised || !p.comparing()) {
		return left, nil
	}
	switch {
	case p.keyword("BETWEEN"):
		return p.between(left)
	case p.keyword("IN"):
		return p.in(left)
	case p.comparing():
		op := operator(p.current())
		p.advance()
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		return p.checked(&node{op: op, args: []*node{left, right}})
	}
	return left, nil
}

func (p *parser) comparing() bool {
	if p.tok.kind == tokenSymbol {
		switch operator(p.current()) {
		case opEqual, opNot2, opLess, opAtMost, opMore, opAtLeast:
			return true
		default: // the rest goes on below
		}
	}
	return p.isKeyword("BETWEEN") || p.isKeyword("IN")
}

func (p *parser) between(left *node) (*node, error) {
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.keyword("AND") {
		return nil, p.syntax()
	}
	high, err := p.operand()
	if err != nil {
		return nil, err
	}
	return p.checked(&node{op: opBetween, args: []*node{left, low, high}})
}

func (p *parser) in(left *node) (*node, error) {
	if !p.symbol("(") {
		return nil, p.syntax()
	}
	n := &node{op: opIn, args: []*node{left}}
	for {
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
		if !p.symbol(",") {
			break
		}
	}
	if !p.symbol(")") {
		return nil, p.syntax()
	}
	return p.checked(n)
}

// operand := value | path | function | ( condition )
func (p *parser) operand() (*node, error) {
	switch p.tok.kind {
	case tokenValue:
		return p.placeholder()
	case tokenName:
		return p.pathNode()
	case tokenWord:
		if next := nextToken(p.text, p.tok.end); next.kind == tokenSymbol && p.text[next.start:next.end] == "(" {
			return p.function()
		}
		return p.pathNode()
	case tokenSymbol:
		if p.symbol("(") {
			return p.parentheses()
		}
	default: // the rest goes on below
	}
	return nil, p.syntax()
}

func (p *parser) parentheses() (*node, error) {
	n, err := p.condition()
	if err != nil {
		return nil, err
	}
	if !p.symbol(")") {
		return nil, p.syntax()
	}
	if n.parenthesised {
		return nil, invalid("The expression has redundant parentheses;")
	}
	n.parenthesised = true
	return n, nil
}

func (p *parser) placeholder() (*node, error) {
	name := p.current()
	v, found := p.scope.values[name]
	if !found {
		return nil, invalid("An expression attribute value used in expression is not defined; attribute value: %s", name)
	}
	p.scope.usedValues[name] = true
	p.advance()
	return &node{op: opValue, value: v}, nil
}

func (p *parser) pathNode() (*node, error) {
	at, err := p.path()
	return &node{op: opPath, path: at}, err
}

// function := name ( operand { , operand } )
func (p *parser) function() (*node, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	n := &node{op: operator(p.current())}
	if _, known := functions[n.op]; !known {
		return nil, invalid("Invalid function name; function: %s", n.op)
	}
	p.advance()
	p.advance() // the parenthesis, seen by operand
	for {
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
		if !p.symbol(",") {
			break
		}
	}
	if !p.symbol(")") {
		return nil, p.syntax()
	}
	return p.checked(n)
}

func (p *parser) checked(n *node) (*node, error) {
	if err := check(n); err != nil {
		return nil, err
	}
	return p.count(n)
}

// path := name { . name | [ index ] }
func (p *parser) path() (path, error) {
	first, err := p.name()
	if err != nil {
		return nil, err
	}
	at := path{first}
	for {
		var next step
		switch {
		case p.symbol("."):
			next, err = p.name()
		case p.symbol("["):
			next, err = p.index()
		default:
			return at, nil
		}
		if err != nil {
			return nil, err
		}
		at = append(at, next)
		if len(at) > maxNesting {
			return nil, invalid("The document path has too many nesting elements; nesting levels: %d", len(at))
		}
	}
}

func (p *parser) name() (step, error) {
	text := p.current()
	switch p.tok.kind {
	case tokenName:
		name, found := p.scope.names[text]
		if !found {
			return step{}, invalid("An expression attribute name used in the document path is not defined; attribute name: %s", text)
		}
		p.scope.usedNames[text] = true
		p.advance()
		return step{name: name}, nil
	case tokenWord:
		if isSyntaxWord(text) {
			return step{}, p.syntax()
		}
		if isReserved(text) {
			return step{}, invalid("Attribute name is a reserved keyword; reserved keyword: %s", text)
		}
		p.advance()
		return step{name: text}, nil
	default: // the rest goes on below
	}
	return step{}, p.syntax()
}

// isSyntaxWord reports the reserved words that are also part of the grammar: a
// syntax error rather than a bad name.
func isSyntaxWord(word string) bool {
	switch strings.ToUpper(word) {
	case "AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE":
		return true
	}
	return false
}

func (p *parser) index() (step, error) {
	if p.tok.kind != tokenIndex {
		return step{}, p.syntax()
	}
	text := p.current()
	n, err := strconv.Atoi(text)
	if err != nil || n > maxListIndex {
		return step{}, invalid("List index is not within the allowable range; index: [%s]", text)
	}
	p.advance()
	if !p.symbol("]") {
		return step{}, p.syntax()
	}
	return step{index: n, isIndex: true}, nil
}
