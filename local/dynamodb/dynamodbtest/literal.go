package dynamodbtest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Attribute values as short Go literals: string, int, N, []byte, bool, nil, L,
// M, SS, NS and BS.
type (
	// M is a map, and an item.
	M map[string]any
	// L is a list.
	L []any
	// N is a number as text.
	N string
	// SS is a set of strings.
	SS []string
	// NS is a set of numbers.
	NS []string
	// BS is a set of bytes.
	BS []string
)

func (m M) attributes() map[string]types.AttributeValue {
	if m == nil {
		return nil
	}
	out := make(map[string]types.AttributeValue, len(m))
	for name, v := range m {
		out[name] = attribute(v)
	}
	return out
}

func attribute(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case int:
		return &types.AttributeValueMemberN{Value: strconv.Itoa(v)}
	case N:
		return &types.AttributeValueMemberN{Value: string(v)}
	case []byte:
		return &types.AttributeValueMemberB{Value: v}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case nil:
		return &types.AttributeValueMemberNULL{Value: true}
	case L:
		list := []types.AttributeValue{}
		for _, e := range v {
			list = append(list, attribute(e))
		}
		return &types.AttributeValueMemberL{Value: list}
	case M:
		return &types.AttributeValueMemberM{Value: v.attributes()}
	case SS:
		return &types.AttributeValueMemberSS{Value: v}
	case NS:
		return &types.AttributeValueMemberNS{Value: v}
	case BS:
		var set [][]byte
		for _, b := range v {
			set = append(set, []byte(b))
		}
		return &types.AttributeValueMemberBS{Value: set}
	}
	return &types.UnknownUnionMember{Tag: fmt.Sprintf("%T", v)} // a mistake in a case: the SDK refuses to send it
}

// fromAttributes is the way back; whole numbers come as int, sets sorted.
func fromAttributes(item map[string]types.AttributeValue) M {
	if item == nil {
		return nil
	}
	out := M{}
	for name, v := range item {
		out[name] = fromAttribute(v)
	}
	return out
}

func fromAttribute(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		if n, err := strconv.Atoi(v.Value); err == nil && strconv.Itoa(n) == v.Value {
			return n
		}
		return N(v.Value)
	case *types.AttributeValueMemberB:
		return v.Value
	case *types.AttributeValueMemberBOOL:
		return v.Value
	case *types.AttributeValueMemberL:
		list := L{}
		for _, e := range v.Value {
			list = append(list, fromAttribute(e))
		}
		return list
	case *types.AttributeValueMemberM:
		return fromAttributes(v.Value)
	case *types.AttributeValueMemberSS:
		return SS(sorted(v.Value))
	case *types.AttributeValueMemberNS:
		return NS(sorted(v.Value))
	case *types.AttributeValueMemberBS:
		var set []string
		for _, b := range v.Value {
			set = append(set, string(b))
		}
		return BS(sorted(set))
	}
	return nil
}

func sorted(set []string) []string {
	out := slices.Clone(set)
	slices.Sort(out)
	return out
}

func fromList(items []map[string]types.AttributeValue) []M {
	var out []M
	for _, it := range items {
		out = append(out, fromAttributes(it))
	}
	return out
}
