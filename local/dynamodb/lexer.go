package dynamodb

// A token is a piece of an expression; start and end are its place in it.
type token struct {
	kind       tokenKind
	start, end int
}

type tokenKind byte

const (
	tokenEnd    tokenKind = iota
	tokenWord             // an attribute or function name, or a keyword
	tokenName             // #placeholder
	tokenValue            // :placeholder
	tokenIndex            // digits between brackets
	tokenSymbol           // an operator or punctuation
	tokenBad              // a character that begins nothing
)

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }

// nextToken is the first token of text at or behind the place at.
func nextToken(text string, at int) token {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	if at == len(text) {
		return token{kind: tokenEnd, start: at, end: at}
	}
	end := at + 1
	run := func(kind tokenKind, in func(byte) bool) token {
		for end < len(text) && in(text[end]) {
			end++
		}
		return token{kind: kind, start: at, end: end}
	}
	switch c := text[at]; {
	case isLetter(c):
		return run(tokenWord, isWord)
	case c == '#' || c == ':':
		kind := tokenName
		if c == ':' {
			kind = tokenValue
		}
		if t := run(kind, isWord); t.end > at+1 {
			return t
		}
		return token{kind: tokenBad, start: at, end: end}
	case c == '0': // an index has no leading zero
		return token{kind: tokenIndex, start: at, end: end}
	case isDigit(c):
		return run(tokenIndex, isDigit)
	case c == '<' || c == '>':
		if end < len(text) && (text[end] == '=' || c == '<' && text[end] == '>') {
			end++
		}
		return token{kind: tokenSymbol, start: at, end: end}
	case c == '=' || c == '(' || c == ')' || c == '[' || c == ']' || c == '.' || c == ',' || c == '+' || c == '-':
		return token{kind: tokenSymbol, start: at, end: end}
	}
	return token{kind: tokenBad, start: at, end: end}
}
