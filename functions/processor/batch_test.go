package main

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

// fickle is a queue that refuses one event the first time, and takes the others.
type fickle struct {
	refused string

	mu    sync.Mutex
	sizes []int          // of the calls
	got   map[string]int // how often each event was taken
}

func (f *fickle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Entries []struct{ ID, MessageBody string }
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var good, bad []map[string]any
	for _, e := range in.Entries {
		id := gjson.Get(e.MessageBody, "id").String()
		if id == f.refused && len(f.sizes) == 0 {
			bad = append(bad, map[string]any{"Id": e.ID, "Code": "InternalError", "SenderFault": false})
			continue
		}
		f.got[id]++
		sum := md5.Sum([]byte(e.MessageBody))
		good = append(good, map[string]any{"Id": e.ID, "MessageId": "m", "MD5OfMessageBody": hex.EncodeToString(sum[:])})
	}
	f.sizes = append(f.sizes, len(in.Entries))
	_ = json.NewEncoder(w).Encode(map[string]any{"Successful": good, "Failed": bad})
}

func TestABatchIsOneCallAndOnlyWhatFailedOfItIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fickle{refused: "3", got: map[string]int{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	w.aws = func() (aws.Config, error) {
		return aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}, nil
	}
	w.config = config.Header + "test\n" + `destination billing {"kind":"sqs","queue":"http://sqs.invalid/000000000000/billing","batch":{"size":10,"wait":"1s"}}
route 0000 {"from":["github"],"to":["billing"]}
source github {"window":"30d"}
`
	w.start()
	want := map[string]int{}
	for i := range 10 {
		e := ledgertest.Event("github", fmt.Sprint(i), w.clock.Now())
		want[e.ID], e.Subject = 1, ""
		w.send(e)
	}
	w.drain()
	for id := range want {
		r := w.want("github/"+id, ledger.Delivered, "billing")
		if n := len(r.Attempts); n != map[bool]int{false: 1, true: 2}[id == "3"] {
			t.Errorf("event %s was attempted %d times", id, n)
		}
	}
	if diff := cmp.Diff(want, f.got); diff != "" {
		t.Error(diff)
	}
	slices.Sort(f.sizes)
	if diff := cmp.Diff([]int{1, 10}, f.sizes); diff != "" {
		t.Error(diff)
	}
}
