package load

import (
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// joinColons mends what the lexer makes of { secret: [env:A, env:B] }: within
// braces it takes every colon for the end of a key, though YAML wants a space
// behind it, or a quote before it. References to secrets have such colons.
func joinColons(tokens token.Tokens) token.Tokens {
	out := make(token.Tokens, 0, len(tokens))
	depth := 0
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		default:
		}
		if depth > 0 && i+2 < len(tokens) && adjacent(t, tokens[i+1], tokens[i+2]) {
			t.Type, t.CharacterType, t.Indicator = token.StringType, token.CharacterTypeMiscellaneous, token.NotIndicator
			t.Value += ":" + tokens[i+2].Value
			t.Origin += ":" + tokens[i+2].Origin
			i += 2
		}
		out = append(out, t)
	}
	for i, t := range out { // the parser follows these too
		t.Prev, t.Next = nil, nil
		if i > 0 {
			t.Prev, out[i-1].Next = out[i-1], t
		}
	}
	return out
}

// adjacent reports whether three tokens are one plain text with a colon in it.
func adjacent(before, colon, after *token.Token) bool {
	return isPlain(before) && colon.Type == token.MappingValueType && isPlain(after) &&
		before.Position.Line == colon.Position.Line && colon.Position.Line == after.Position.Line &&
		before.Position.Column+utf8.RuneCountInString(before.Value) == colon.Position.Column &&
		colon.Position.Column+1 == after.Position.Column
}

func isPlain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType,
		token.HexIntegerType, token.OctetIntegerType, token.BinaryIntegerType:
		return true
	default:
		return false
	}
}
