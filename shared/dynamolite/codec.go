package dynamolite

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// encode writes an input of the SDK in DynamoDB's JSON: its fields by their
// names, without those that are not set.
func encode(in any) ([]byte, error) {
	return appendValue(make([]byte, 0, 2<<10), reflect.ValueOf(in))
}

var errUnknown = errors.New("a value of a kind that the codec does not know")

func appendValue(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Pointer:
		return appendValue(b, v.Elem())
	case reflect.Interface:
		a, ok := reflect.TypeAssert[types.AttributeValue](v)
		if !ok {
			return nil, fmt.Errorf("%w: %s", errUnknown, v.Type())
		}
		return appendAttribute(b, a)
	case reflect.String:
		return appendString(b, v.String()), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Slice:
		return appendEach(b, v.Len(), func(b []byte, i int) ([]byte, error) { return appendValue(b, v.Index(i)) })
	case reflect.Map:
		return appendMap(b, v)
	case reflect.Struct:
		return appendStruct(b, v)
	default:
		return nil, fmt.Errorf("%w: %s", errUnknown, v.Type())
	}
}

func appendStruct(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '{')
	empty := len(b)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || v.Field(i).IsZero() {
			continue
		}
		if len(b) > empty {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f.Name...), '"', ':')
		var err error
		if b, err = appendValue(b, v.Field(i)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return append(b, '}'), nil
}

func appendMap(b []byte, v reflect.Value) ([]byte, error) {
	switch m := v.Interface().(type) { // what there is most of, without reflection
	case map[string]types.AttributeValue:
		return appendAttributes(b, m)
	case map[string]string:
		return appendMembers(b, m, func(b []byte, s string) ([]byte, error) { return appendString(b, s), nil })
	}
	b = append(b, '{')
	empty := len(b)
	for each := v.MapRange(); each.Next(); {
		if len(b) > empty {
			b = append(b, ',')
		}
		b = append(appendString(b, each.Key().String()), ':')
		var err error
		if b, err = appendValue(b, each.Value()); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendMembers[V any](b []byte, m map[string]V, write func([]byte, V) ([]byte, error)) ([]byte, error) {
	b = append(b, '{')
	empty := len(b)
	for name, v := range m {
		if len(b) > empty {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		var err error
		if b, err = write(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendEach(b []byte, n int, write func(b []byte, i int) ([]byte, error)) ([]byte, error) {
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = write(b, i); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendAttributes(b []byte, m map[string]types.AttributeValue) ([]byte, error) {
	return appendMembers(b, m, appendAttribute)
}

// appendAttribute writes a value with its type: {"S":"text"}.
func appendAttribute(b []byte, v types.AttributeValue) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		b = appendString(append(b, `{"S":`...), v.Value)
	case *types.AttributeValueMemberN:
		b = appendString(append(b, `{"N":`...), v.Value)
	case *types.AttributeValueMemberB:
		b = appendBinary(append(b, `{"B":`...), v.Value)
	case *types.AttributeValueMemberBOOL:
		b = strconv.AppendBool(append(b, `{"BOOL":`...), v.Value)
	case *types.AttributeValueMemberNULL:
		b = strconv.AppendBool(append(b, `{"NULL":`...), v.Value)
	case *types.AttributeValueMemberM:
		b, err = appendAttributes(append(b, `{"M":`...), v.Value)
	case *types.AttributeValueMemberL:
		b, err = appendEach(append(b, `{"L":`...), len(v.Value), func(b []byte, i int) ([]byte, error) { return appendAttribute(b, v.Value[i]) })
	case *types.AttributeValueMemberSS:
		b, err = appendEach(append(b, `{"SS":`...), len(v.Value), func(b []byte, i int) ([]byte, error) { return appendString(b, v.Value[i]), nil })
	case *types.AttributeValueMemberNS:
		b, err = appendEach(append(b, `{"NS":`...), len(v.Value), func(b []byte, i int) ([]byte, error) { return appendString(b, v.Value[i]), nil })
	case *types.AttributeValueMemberBS:
		b, err = appendEach(append(b, `{"BS":`...), len(v.Value), func(b []byte, i int) ([]byte, error) { return appendBinary(b, v.Value[i]), nil })
	default:
		return nil, fmt.Errorf("%w: %T", errUnknown, v)
	}
	return append(b, '}'), err
}

func appendBinary(b, data []byte) []byte {
	b = append(b, '"')
	return append(base64.StdEncoding.AppendEncode(b, data), '"')
}

// appendString writes a JSON string. Most of ours need no escapes, and are
// written without a look at each rune.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always has a form; bad UTF-8 becomes U+FFFD, as with the SDK
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// attributes is an item as it is decoded.
type attributes map[string]types.AttributeValue

// UnmarshalJSON reads {"name":{"S":"text"},…}.
func (a *attributes) UnmarshalJSON(text []byte) error {
	var members map[string]attribute
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	if members == nil {
		return nil
	}
	var err error
	*a, err = valuesOf(members)
	return err
}

// attribute is one value as it comes: one of its members is set.
type attribute struct {
	S    *string              `json:"S"`
	N    *string              `json:"N"`
	B    *[]byte              `json:"B"`
	BOOL *bool                `json:"BOOL"`
	NULL *bool                `json:"NULL"`
	M    map[string]attribute `json:"M"`
	L    []attribute          `json:"L"`
	SS   []string             `json:"SS"`
	NS   []string             `json:"NS"`
	BS   [][]byte             `json:"BS"`
}

func valuesOf(members map[string]attribute) (map[string]types.AttributeValue, error) {
	out := make(map[string]types.AttributeValue, len(members))
	for name, a := range members {
		v, err := a.value()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}

func (a attribute) value() (types.AttributeValue, error) {
	switch {
	case a.S != nil:
		return &types.AttributeValueMemberS{Value: *a.S}, nil
	case a.N != nil:
		return &types.AttributeValueMemberN{Value: *a.N}, nil
	case a.B != nil:
		return &types.AttributeValueMemberB{Value: *a.B}, nil
	case a.BOOL != nil:
		return &types.AttributeValueMemberBOOL{Value: *a.BOOL}, nil
	case a.NULL != nil:
		return &types.AttributeValueMemberNULL{Value: *a.NULL}, nil
	case a.M != nil:
		m, err := valuesOf(a.M)
		return &types.AttributeValueMemberM{Value: m}, err
	case a.L != nil:
		l := make([]types.AttributeValue, len(a.L))
		for i, e := range a.L {
			var err error
			if l[i], err = e.value(); err != nil {
				return nil, err
			}
		}
		return &types.AttributeValueMemberL{Value: l}, nil
	case a.SS != nil:
		return &types.AttributeValueMemberSS{Value: a.SS}, nil
	case a.NS != nil:
		return &types.AttributeValueMemberNS{Value: a.NS}, nil
	case a.BS != nil:
		return &types.AttributeValueMemberBS{Value: a.BS}, nil
	}
	return nil, errUnknown
}

// plain turns decoded items into those of the SDK.
func plain(items []attributes) []map[string]types.AttributeValue {
	out := make([]map[string]types.AttributeValue, len(items))
	for i, it := range items {
		out[i] = it
	}
	return out
}
