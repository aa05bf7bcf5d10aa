package queue

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestSendBatchWritesWhatSQSReads(t *testing.T) {
	t.Parallel()
	var got batchCall
	sqs := overHTTP(t, func(call batchCall) string { got = call; return allDone(call) })
	failures, err := sqs.SendBatch(t.Context(), queueURL, []Message{
		{Body: "a \"quoted\" \\ body\n\t😀\u2028", Group: "github", Delay: 1500 * time.Millisecond},
		{Body: "b", Group: "with space", Attributes: map[string]string{"n1": "v\"1", "n2": "v2"}},
	})
	if err != nil || len(failures) != 0 {
		t.Fatal(failures, err)
	}
	if got.Target != "AmazonSQS.SendMessageBatch" || got.QueueURL != queueURL {
		t.Errorf("target %s, queue %s", got.Target, got.QueueURL)
	}
	want := []entry{
		{ID: "0", MessageBody: "a \"quoted\" \\ body\n\t😀\u2028", MessageGroupId: "github", DelaySeconds: 2},
		{
			ID: "1", MessageBody: "b", MessageGroupId: group("with space"),
			MessageAttributes: map[string]struct{ DataType, StringValue string }{"n1": {"String", "v\"1"}, "n2": {"String", "v2"}},
		},
	}
	if diff := cmp.Diff(want, got.Entries); diff != "" {
		t.Error(diff)
	}
}

func TestAFIFOQueueTakesTheSameMessageOnce(t *testing.T) {
	t.Parallel()
	var got batchCall
	sqs := overHTTP(t, func(call batchCall) string { got = call; return allDone(call) })
	messages := []Message{
		{Body: "a", Group: "g"},
		{Body: "a", Group: "g"},
		{Body: "b", Group: "g"},
		{Body: "a", Group: "g", Attributes: map[string]string{AttributeReason: "dead"}},
	}
	if _, err := sqs.SendBatch(t.Context(), queueURL+".fifo", messages); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, e := range got.Entries {
		ids[e.MessageDeduplicationId]++
		if e.MessageDeduplicationId == "" || len(e.MessageDeduplicationId) > 128 {
			t.Errorf("id %q", e.MessageDeduplicationId)
		}
	}
	if len(ids) != 3 || got.Entries[0].MessageDeduplicationId != got.Entries[1].MessageDeduplicationId {
		t.Errorf("ids %v", ids)
	}
}

func TestPartialFailuresAreReadEntryByEntry(t *testing.T) {
	t.Parallel()
	sqs := overHTTP(t, func(batchCall) string {
		return `{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"x"}],
			"Failed":[{"Id":"2","Code":"InternalError","Message":"busy","SenderFault":false},{"Id":"1","Code":"Invalid","SenderFault":true}]}`
	})
	got, err := sqs.SendBatch(t.Context(), queueURL, make([]Message, 4))
	if err != nil {
		t.Fatal(err)
	}
	want := []Failure{
		{Index: 2, Code: "InternalError", Message: "busy"},
		{Index: 1, Code: "Invalid", Sender: true},
		{Index: 3, Code: "NotMentioned", Message: "the answer does not say what became of it"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnAnswerThatIsNoBatchResultIsNoSuccess(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{``, `[]`, `{"Successful":[{"Id":"7"}]}`, `{"Failed":[{"Id":"-1"}]}`, `{"Successful":[{"Id":"x"}]}`} {
		sqs := overHTTP(t, func(batchCall) string { return answer })
		if _, err := sqs.SendBatch(t.Context(), queueURL, make([]Message, 1)); err == nil {
			t.Errorf("%q was taken for a success", answer)
		}
	}
}

func TestVisibilityAndDeleteGoInCallsOfTen(t *testing.T) {
	t.Parallel()
	var calls []string
	sqs := overHTTP(t, func(call batchCall) string {
		calls = append(calls, fmt.Sprint(call.Target, " ", len(call.Entries), " ", call.ReceiptHandle, call.VisibilityTimeout))
		if len(call.Entries) == 2 {
			return `{"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","Code":"ReceiptHandleIsInvalid","SenderFault":true}]}`
		}
		return allDone(call)
	})
	if err := sqs.Visibility(t.Context(), queueURL, "handle", 90*time.Second); err != nil {
		t.Fatal(err)
	}
	failures, err := sqs.Visibilities(t.Context(), queueURL, make([]VisibilityChange, 12))
	if err != nil || len(failures) != 1 || failures[0].Index != 11 {
		t.Errorf("failures %v, error %v", failures, err)
	}
	if _, err := sqs.Delete(t.Context(), queueURL, "a", "b", "c"); err != nil {
		t.Error(err)
	}
	want := []string{
		"AmazonSQS.ChangeMessageVisibility 0 handle90",
		"AmazonSQS.ChangeMessageVisibilityBatch 10 0",
		"AmazonSQS.ChangeMessageVisibilityBatch 2 0",
		"AmazonSQS.DeleteMessageBatch 3 0",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
}

func TestGroupsThatSQSRefusesStayApart(t *testing.T) {
	t.Parallel()
	if group("github") != "github" || group("a b") == group("a c") || len(group(strings.Repeat("x", 200))) > maxGroup {
		t.Error(group("github"), group("a b"), group("a c"))
	}
}

// What is written by hand reads back as what encoding/json would have written.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\x00\x1f\x7f", "é\u2028😀", "\xff\xc3\xed\xa0\x80", `{"a":"b"}`, "12345678\x00", "1234567é\"12345678\\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		written, err := json.Marshal(s)
		if err != nil {
			t.Skip("encoding/json, which we compare with, refuses it")
		}
		var want, got string
		if err := json.Unmarshal(written, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if want := !strings.ContainsFunc(s, refused) && utf8.ValidString(s); acceptable(s) != want {
			t.Errorf("%q: acceptable is %v", s, !want)
		}
		if acceptable(s) && got != s {
			t.Errorf("%q is said to be acceptable and came back as %q", s, got)
		}
	})
}

// refused is what SQS refuses, as its guide lists it.
func refused(r rune) bool {
	return (r < 0x20 && r != '\t' && r != '\n' && r != '\r') || r == 0xFFFE || r == 0xFFFF
}

func BenchmarkAppendBatch(b *testing.B) {
	body := strings.Repeat(`{"id":12345,"name":"a repository","url":"https://example.com/a/b"},`, 80)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		appendBatch(nil, queueURL, []Message{{Body: body, Group: "github"}})
	}
}
