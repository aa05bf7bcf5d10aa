package destination

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/tidwall/gjson"

	"pushpull/shared/config"
)

// A cloud speaks the wire protocol of each service as far as destinations use
// it, and keeps the ids of the events it took.
type cloud struct {
	url string
	// refuse is the status and the code that a call of these events is refused with, 0 if it is not.
	refuse func(ids []string) (status int, code string)
	// fail is the code that an entry fails with, "" if it does not.
	fail func(id string) (code string)

	mu       sync.Mutex
	taken    []string
	calls    [][]string // the ids of each
	requests []wired
	objects  map[string][]byte
}

// wired is a request as it came.
type wired struct {
	*http.Request
	body []byte
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{
		refuse:  func([]string) (int, string) { return 0, "" },
		fail:    func(string) string { return "" },
		objects: map[string][]byte{},
	}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

// settings are the SDK's for this cloud.
func (c *cloud) settings() (aws.Config, error) {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &c.url,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "not-a-real-key", ""),
	}, nil
}

func (c *cloud) open(t *testing.T, d config.Destination) Destination {
	t.Helper()
	opened, err := Open(d, NewEnv(Options{Now: at, AWS: c.settings}))
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// configs has a destination of each kind in AWS.
func configs(c *cloud) map[string]config.Destination {
	return map[string]config.Destination{
		"eventbridge": {Kind: "eventbridge", Bus: "orders"},
		"firehose":    {Kind: "firehose", Stream: "orders"},
		"kinesis":     {Kind: "kinesis", Stream: "orders"},
		"lambda":      {Kind: "lambda", Function: "orders"},
		"s3":          {Kind: "s3", Bucket: "orders"},
		"sns":         {Kind: "sns", Topic: "arn:aws:sns:eu-central-1:123456789012:orders"},
		"sqs":         {Kind: "sqs", Queue: c.url + "/123456789012/orders"},
	}
}

func cloudRig(kind string) func(*testing.T) rig {
	return func(t *testing.T) rig {
		c := newCloud(t)
		return rig{c.open(t, configs(c)[kind]), func(*testing.T) []string { return c.ids() }}
	}
}

func (c *cloud) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.taken)
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, wired{r, body})
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case operation != "":
		c.serveJSON(w, operation, body)
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/"):
		c.serveLambda(w, body)
	case r.Method == http.MethodPut:
		c.serveS3(w, r.URL.Path, body)
	default:
		c.serveSNS(w, body)
	}
}

// take notes a call, and returns for each of its events the code it fails with.
func (c *cloud) take(ids []string) (codes []string, status int, code string) {
	c.calls = append(c.calls, ids)
	if status, code = c.refuse(ids); status != 0 {
		return nil, status, code
	}
	for _, id := range ids {
		code := c.fail(id)
		if codes = append(codes, code); code == "" {
			c.taken = append(c.taken, id)
		}
	}
	return codes, 0, ""
}

func idOf(envelope string) string { return gjson.Get(envelope, "id").String() }

func fromBase64(s string) string {
	b, _ := base64.StdEncoding.DecodeString(s)
	return string(b)
}

// serveJSON answers EventBridge, SQS, Kinesis and Firehose.
func (c *cloud) serveJSON(w http.ResponseWriter, operation string, body []byte) {
	doc := gjson.ParseBytes(body)
	var envelopes []string
	for _, e := range doc.Get("Entries").Array() {
		envelopes = append(envelopes, e.Get("Detail").String()+e.Get("MessageBody").String())
	}
	for _, r := range doc.Get("Records").Array() {
		envelopes = append(envelopes, fromBase64(r.Get("Data").String()))
	}
	ids := make([]string, len(envelopes))
	for i, e := range envelopes {
		ids[i] = idOf(e)
	}
	codes, status, code := c.take(ids)
	if status != 0 {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"__type":%q,"message":"as the test says"}`, code)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(jsonAnswer(operation, envelopes, codes))
}

func jsonAnswer(operation string, envelopes, codes []string) map[string]any {
	if operation == "SendMessageBatch" {
		var good, bad []map[string]any
		for i, code := range codes {
			if id := fmt.Sprint(i); code == "" {
				sum := md5.Sum([]byte(envelopes[i]))
				good = append(good, map[string]any{"Id": id, "MessageId": "m-" + id, "MD5OfMessageBody": hex.EncodeToString(sum[:])})
			} else {
				bad = append(bad, map[string]any{"Id": id, "Code": code, "Message": "as the test says", "SenderFault": true})
			}
		}
		return map[string]any{"Successful": good, "Failed": bad}
	}
	list, count, id := "Records", "FailedRecordCount", "SequenceNumber"
	switch operation {
	case "PutEvents":
		list, count, id = "Entries", "FailedEntryCount", "EventId"
	case "PutRecordBatch":
		list, count, id = "RequestResponses", "FailedPutCount", "RecordId"
	}
	failed, all := 0, make([]map[string]any, len(codes))
	for i, code := range codes {
		all[i] = map[string]any{id: fmt.Sprint(i), "ShardId": "shard-0"}
		if code != "" {
			failed++
			all[i] = map[string]any{"ErrorCode": code, "ErrorMessage": "as the test says"}
		}
	}
	return map[string]any{list: all, count: failed}
}

func (c *cloud) serveSNS(w http.ResponseWriter, body []byte) {
	form, _ := url.ParseQuery(string(body))
	var ids []string
	for i := 1; form.Has(fmt.Sprintf("PublishBatchRequestEntries.member.%d.Id", i)); i++ {
		ids = append(ids, idOf(form.Get(fmt.Sprintf("PublishBatchRequestEntries.member.%d.Message", i))))
	}
	codes, status, code := c.take(ids)
	if status != 0 {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>as the test says</Message></Error></ErrorResponse>`, code)
		return
	}
	var good, bad string
	for i, code := range codes {
		if code == "" {
			good += fmt.Sprintf("<member><Id>%d</Id><MessageId>m</MessageId></member>", i)
		} else {
			bad += fmt.Sprintf("<member><Id>%d</Id><Code>%s</Code><Message>as the test says</Message><SenderFault>true</SenderFault></member>", i, code)
		}
	}
	_, _ = fmt.Fprintf(w, `<PublishBatchResponse><PublishBatchResult><Successful>%s</Successful><Failed>%s</Failed></PublishBatchResult></PublishBatchResponse>`, good, bad)
}

func (c *cloud) serveLambda(w http.ResponseWriter, body []byte) {
	codes, status, code := c.take([]string{idOf(string(body))})
	switch {
	case status != 0:
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, `{"message":"as the test says"}`)
	case codes[0] != "":
		w.Header().Set("X-Amz-Function-Error", codes[0])
		_, _ = fmt.Fprint(w, `{"errorType":"Error","errorMessage":"not for the log"}`)
	default:
		_, _ = fmt.Fprint(w, `{}`)
	}
}

func (c *cloud) serveS3(w http.ResponseWriter, path string, body []byte) {
	text := body
	if strings.HasSuffix(path, ".gz") {
		if r, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			text, _ = io.ReadAll(r)
		}
	}
	var ids []string
	for line := range strings.Lines(string(text)) {
		ids = append(ids, idOf(line))
	}
	_, status, code := c.take(ids)
	if status != 0 {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `<Error><Code>%s</Code><Message>as the test says</Message></Error>`, code)
		return
	}
	c.objects[path] = body
}
