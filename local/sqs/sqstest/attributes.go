package sqstest

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func attributeCases() []testCase {
	return []testCase{
		{"attributes of every type come back as they were sent", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			want := map[string]types.MessageAttributeValue{
				"text": text("é < & 漢"), "number": numeral("-12.5"), "bytes": binary([]byte{0, 1, 0xFF}),
				"labelled": {DataType: aws.String("Number.int"), StringValue: aws.String("7")},
			}
			e.send(t, url, "x", with(want))
			got := e.one(t, url).MessageAttributes
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.MessageAttributeValue{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the attributes (-want +got):\n%s", diff)
			}
		}},
		{"the digest of the attributes is that of AWS", func(t *testing.T, e env) {
			// Computed by hand from the algorithm in the developer guide, with names in
			// another order than they are sent in.
			url := e.queue(t, nil)
			sent := e.send(t, url, "x", with(map[string]types.MessageAttributeValue{"timestamp": numeral("1493147359900")}))
			equal(t, "the digest", "235c5c510d26fb653d073faed50ae77c", aws.ToString(sent.MD5OfMessageAttributes))
			equal(t, "the digest when received", "235c5c510d26fb653d073faed50ae77c", aws.ToString(e.one(t, url).MD5OfMessageAttributes))
		}},
		{"only the attributes that were asked for are answered, by name and by prefix", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"VisibilityTimeout": "0"})
			e.send(t, url, "x", with(map[string]types.MessageAttributeValue{"a.one": text("1"), "a.two": text("2"), "b": text("3")}))
			for _, c := range []struct{ ask, want []string }{
				{[]string{"b"}, []string{"b"}},
				{[]string{"a.*"}, []string{"a.one", "a.two"}},
				{[]string{".*"}, []string{"a.one", "a.two", "b"}},
				{[]string{"All"}, []string{"a.one", "a.two", "b"}},
				{[]string{"other"}, nil},
				{nil, nil},
			} {
				m := e.one(t, url, func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = c.ask })
				equal(t, "the names", c.want, slices.Sorted(maps.Keys(m.MessageAttributes)))
			}
		}},
		{"a message without attributes has no digest of them", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			sent := e.send(t, url, "x")
			equal(t, "when sent", "", aws.ToString(sent.MD5OfMessageAttributes))
			equal(t, "when received", "", aws.ToString(e.one(t, url).MD5OfMessageAttributes))
		}},
		{"an attribute with an unknown type is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.trySend(t, url, "x", with(map[string]types.MessageAttributeValue{"a": {DataType: aws.String("Boolean"), StringValue: aws.String("true")}}))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"an empty attribute is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.trySend(t, url, "x", with(map[string]types.MessageAttributeValue{"a": text("")}))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a number that is none is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.trySend(t, url, "x", with(map[string]types.MessageAttributeValue{"a": numeral("seven")}))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a message has at most ten attributes", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			many := map[string]types.MessageAttributeValue{}
			for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
				many[name] = text("x")
			}
			e.send(t, url, "x", with(many))
			many["k"] = text("x")
			_, err := e.trySend(t, url, "x", with(many))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"names of attributes are limited as AWS limits them", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for _, name := range []string{"with space", ".begin", "end.", "a..b", "AWS.x", "amazon.x"} {
				_, err := e.trySend(t, url, "x", with(map[string]types.MessageAttributeValue{name: text("x")}))
				e.refused(t, err, "InvalidParameterValue")
			}
		}},
	}
}
