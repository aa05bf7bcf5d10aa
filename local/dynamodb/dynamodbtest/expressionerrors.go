package dynamodbtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// expressionErrors are expressions that must be refused, before any item is
// looked at.
func (s *suite) expressionErrors(t *testing.T) {
	manyNames, manyValues := []string{}, M{}
	for i := range 101 {
		manyNames = append(manyNames, fmt.Sprintf(":v%d", i))
		manyValues[fmt.Sprintf(":v%d", i)] = i
	}
	for _, c := range []struct {
		name, condition string
		names           map[string]string
		values          M
		says            string
	}{
		{"an empty expression is refused", "", nil, nil, "Invalid ConditionExpression: The expression can not be empty;"},
		{"an open parenthesis is a syntax error", "attribute_exists(a", nil, nil, `Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "a"`},
		{"an operator that is none is a syntax error", "a == b", nil, nil, `Invalid ConditionExpression: Syntax error; token: "=", near: "== b"`},
		{"a character that is none is a syntax error", "a = ! b", nil, nil, `Invalid ConditionExpression: Syntax error; token: "!", near: "= ! b"`},
		{"a path alone is a syntax error", "a", nil, nil, `Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "a"`},
		{"a literal number is a syntax error", "a = 1", nil, nil, `Invalid ConditionExpression: Syntax error; token: "1", near: "= 1"`},
		{"two comparisons in a row are a syntax error", "a = :v = b", nil, M{":v": 1}, `Invalid ConditionExpression: Syntax error; token: "=", near: ":v = b"`},
		{"IN without parentheses is a syntax error", "a IN :v", nil, M{":v": 1}, `Invalid ConditionExpression: Syntax error; token: ":v", near: "IN :v"`},
		{"a name that begins with an underscore is a syntax error", "_a = b", nil, nil, `Invalid ConditionExpression: Syntax error; token: "_", near: "_a"`},
		{"an index with a leading nought is a syntax error", "a[01] = b", nil, nil, `Invalid ConditionExpression: Syntax error; token: "1", near: "01]"`},
		{"an index that is too large is refused", "a[99999999999] = b", nil, nil, "Invalid ConditionExpression: List index is not within the allowable range; index: [99999999999]"},
		{"redundant parentheses are refused", "((attribute_exists(a)))", nil, nil, "Invalid ConditionExpression: The expression has redundant parentheses;"},
		{"a reserved word is refused", "attribute_exists(name)", nil, nil, "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: name"},
		{"a reserved word within a path is refused, in any case", "attribute_exists(a.StAtUs)", nil, nil, "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: StAtUs"},
		{"a name that is not defined is refused", "attribute_exists(#z)", nil, nil, "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #z"},
		{"a value that is not defined is refused", "a = :z", nil, nil, "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :z"},
		{"a name that is not used is refused", "attribute_exists(a)", map[string]string{"#a": "a"}, nil, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
		{"a value that is not used is refused", "attribute_exists(a)", nil, M{":a": 1}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}"},
		{"a name without its mark is refused", "attribute_exists(a)", map[string]string{"a": "b"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{"an empty name is refused", "attribute_exists(#a)", map[string]string{"#a": ""}, nil, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"},
		{"a value without its mark is refused", "attribute_exists(a)", nil, M{"a": 1}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "a"`},
		{"a function that is none is refused", "foo(a)", nil, nil, "Invalid ConditionExpression: Invalid function name; function: foo"},
		{"a function in capitals is none", "SIZE(a) = b", nil, nil, "Invalid ConditionExpression: Invalid function name; function: SIZE"},
		{"a function with an operand too many is refused", "attribute_exists(a, b)", nil, nil, "Invalid ConditionExpression: Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2"},
		{"size alone is refused", "size(a)", nil, nil, "Invalid ConditionExpression: The function is not allowed to be used this way in an expression; function: size"},
		{"a condition as an operand is refused", "attribute_exists(a) = b", nil, nil, "Invalid ConditionExpression: The function is not allowed to be used this way in an expression; function: attribute_exists"},
		{"begins_with of a number is refused", "begins_with(a, :v)", nil, M{":v": 1}, "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"begins_with of a path and itself is refused", "begins_with(a, a)", nil, nil, "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: begins_with, first operand: [a]"},
		{"a path compared with itself is refused", "a.b[1] = a.b[1]", nil, nil, "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a, b, [1]]"},
		{"attribute_type of no type is refused", "attribute_type(a, :v)", nil, M{":v": "Q"}, "Invalid ConditionExpression: Invalid attribute type name found; type: Q, valid types: {"},
		{"attribute_exists of a value is refused", "attribute_exists(:v)", nil, M{":v": 1}, "Invalid ConditionExpression: Operator or function requires a document path; operator or function: attribute_exists"},
		{"size of a number is refused", "size(:v) > :v", nil, M{":v": 1}, "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: size, operand type: N"},
		{"less than a boolean is refused", "a < :v", nil, M{":v": true}, "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		{"a range of two types is refused", "a BETWEEN :v AND :w", nil, M{":v": 1, ":w": "1"}, "Invalid ConditionExpression: The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:1}"},
		{"IN with 101 operands is refused", "a IN (" + strings.Join(manyNames, ",") + ")", nil, manyValues, "Invalid ConditionExpression: The IN operator is provided with too many operands; number of operands: 101"},
		{"an expression over 4 KB is refused", "attribute_exists(a)" + strings.Repeat(" ", 4096), nil, nil, "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4115"},
	} {
		s.run(t, c.name, func(_ *testing.T, x *tester) {
			_, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{
				TableName: x.simple(), Item: M{"pk": x.pk}.attributes(), ConditionExpression: &c.condition,
				ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values.attributes(),
			})
			x.fails(err, "ValidationException", c.says)
		})
	}
	s.updateErrors(t)
	s.run(t, "names without an expression are refused", func(_ *testing.T, x *tester) {
		_, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{TableName: x.simple(), Item: M{"pk": x.pk}.attributes(), ExpressionAttributeNames: map[string]string{"#a": "a"}})
		x.fails(err, "ValidationException", "ExpressionAttributeNames can only be specified when using expressions")
	})
	for projection, says := range map[string]string{
		"a, a.b":    "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
		"a.b, a[1]": "Invalid ProjectionExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]",
		"a,":        `Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","`,
	} {
		s.run(t, "the projection "+projection+" is refused", func(_ *testing.T, x *tester) {
			_, err := x.client.GetItem(x.ctx(), &dynamodb.GetItemInput{TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ProjectionExpression: &projection})
			x.fails(err, "ValidationException", says)
		})
	}
}

func (s *suite) updateErrors(t *testing.T) {
	all := M{":n": 1, ":s": "x", ":l": L{}, ":ss": SS{"x"}}
	for _, c := range []struct{ name, update, says string }{
		{"an update of nothing is a syntax error", "SET", `Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "SET"`},
		{"an update without an operand is a syntax error", "SET n", `Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "n"`},
		{"an update without a comma is a syntax error", "SET n = :n n", `Invalid UpdateExpression: Syntax error; token: "n", near: ":n n"`},
		{"an update that sets a value is a syntax error", "SET :n = n", `Invalid UpdateExpression: Syntax error; token: ":n", near: "SET :n ="`},
		{"a section twice is refused", "SET n = :n SET m = :n", `Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`},
		{"a path twice is refused", "SET n = :n, n = :n", "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [n], path two: [n]"},
		{"a path and one below it are refused", "SET m = :n REMOVE m.a", "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, a]"},
		{"a path as map and as list is refused", "SET m.a = :n, m[0] = :n", "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, a], path two: [m, [0]]"},
		{"a sum of three is a syntax error", "SET n = n + :n - :n", `Invalid UpdateExpression: Syntax error; token: "-", near: ":n - :n"`},
		{"a sum with a text value is refused", "SET n = n + :s", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S"},
		{"list_append of a text value is refused", "SET n = list_append(n, :s)", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: list_append, operand type: S"},
		{"list_append of one is refused", "SET n = list_append(n)", "Invalid UpdateExpression: Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1"},
		{"if_not_exists of a value is refused", "SET n = if_not_exists(:n, :n)", "Invalid UpdateExpression: Operator or function requires a document path; operator or function: if_not_exists"},
		{"size in an update is refused", "SET n = size(n)", "Invalid UpdateExpression: The function is not allowed in an update expression; function: size"},
		{"ADD of text is refused", "ADD n :s", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"ADD of a path is a syntax error", "ADD n m", `Invalid UpdateExpression: Syntax error; token: "m", near: "n m"`},
		{"DELETE of a number is refused", "DELETE n :n", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
		{"a reserved word in an update is refused", "SET name = :n", "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name"},
	} {
		s.run(t, c.name, func(_ *testing.T, x *tester) {
			values := M{}
			for name, v := range all {
				if strings.Contains(strings.NewReplacer(",", " ", ")", " ").Replace(c.update)+" ", name+" ") {
					values[name] = v
				}
			}
			if len(values) == 0 {
				values = nil
			}
			_, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
				TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), UpdateExpression: aws.String(c.update), ExpressionAttributeValues: values.attributes(),
			})
			x.fails(err, "ValidationException", c.says)
		})
	}
}
