package dynamodb

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// open opens a server with one table, "things": pk S, and a clock to set.
func open(t *testing.T) (*Server, *atomic.Int64) {
	t.Helper()
	clock := &atomic.Int64{}
	clock.Store(1_800_000_000)
	s, err := Open(filepath.Join(t.TempDir(), "tables.db"), Options{
		Now: func() time.Time { return time.Unix(clock.Load(), 0) }, Rand: func() float64 { return 0.5 }, SweepTTL: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.EnsureTable(things()); err != nil {
		t.Fatal(err)
	}
	return s, clock
}

func things() TableDefinition {
	return TableDefinition{
		TableName: "things", BillingMode: billingOnDemand,
		AttributeDefinitions: []AttributeDefinition{{"pk", "S"}}, KeySchema: []KeySchemaElement{{"pk", "HASH"}},
	}
}

// post calls the endpoint as a client would.
func post(t *testing.T, s *Server, action, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+action)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if want := strconv.FormatUint(uint64(crc32.ChecksumIEEE(w.Body.Bytes())), 10); w.Header().Get("X-Amz-Crc32") != want {
		t.Errorf("the checksum is %s, want %s", w.Header().Get("X-Amz-Crc32"), want)
	}
	return w.Code, w.Body.String()
}

func TestWhatIsNotSupportedIsRefusedByName(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for _, c := range []struct{ name, action, body, want string }{
		{"PartiQL", "ExecuteStatement", `{}`, `UnknownOperationException","message":"ExecuteStatement is not supported by the local endpoint: it has no PartiQL"`},
		{"a call that is none", "Nope", `{}`, `Nope is not known to`},
		{"an unknown parameter", "GetItem", `{"TableName":"things","Bogus":1}`, `ValidationException","message":"the parameter Bogus is not known`},
		{"an unknown parameter of a table", "DescribeTable", `{"TableName":"things","Bogus":1}`, `the parameter Bogus is not known`},
		{"a parameter of another call", "GetItem", `{"TableName":"things","UpdateExpression":"SET a = b"}`, `the parameter UpdateExpression is not known`},
		{"Expected", "PutItem", `{"TableName":"things","Expected":{}}`, `the legacy parameter Expected is not supported by the local endpoint: use ConditionExpression`},
		{"AttributeUpdates", "UpdateItem", `{"TableName":"things","AttributeUpdates":{}}`, `AttributeUpdates is not supported by the local endpoint: use UpdateExpression`},
		{"KeyConditions", "Query", `{"TableName":"things","KeyConditions":{}}`, `use KeyConditionExpression`},
		{"streams", "CreateTable", `{"TableName":"other","StreamSpecification":{"StreamEnabled":true}}`, `it has no streams`},
		{"JSON that is none", "PutItem", `{"TableName":`, `SerializationException`},
		{"something behind the JSON", "PutItem", `{} {}`, `something follows`},
		{"a number that is not text", "PutItem", `{"TableName":"things","Item":{"pk":{"N":1}}}`, `SerializationException`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, answer := post(t, s, c.action, c.body)
			if status != http.StatusBadRequest || !strings.Contains(answer, c.want) {
				t.Errorf("got %d %s", status, answer)
			}
		})
	}
}

func TestExpiredItemsAreSwept(t *testing.T) {
	t.Parallel()
	s, clock := open(t)
	put := func(pk string, end string) {
		t.Helper()
		if status, answer := post(t, s, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"`+pk+`"},"end":`+end+`}}`); status != 200 {
			t.Fatal(answer)
		}
	}
	now := clock.Load()
	seconds := func(n int64) string { return `{"N":"` + strconv.FormatInt(n, 10) + `"}` }
	put("before it was switched on", seconds(now+10))
	if status, answer := post(t, s, "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"AttributeName":"end","Enabled":true}}`); status != 200 {
		t.Fatal(answer)
	}
	put("soon", seconds(now+20))
	put("later", seconds(now+1000))
	put("text", `{"S":"`+strconv.FormatInt(now, 10)+`"}`)
	put("very old", seconds(now-int64(6*365*24*time.Hour/time.Second)))
	put("moved", seconds(now+5))
	put("moved", seconds(now+2000))
	clock.Add(500)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, answer := post(t, s, "Scan", `{"TableName":"things","ProjectionExpression":"pk"}`)
	var left []string
	for _, pk := range []string{"before it was switched on", "soon", "later", "text", "very old", "moved"} {
		if strings.Contains(answer, `"`+pk+`"`) {
			left = append(left, pk)
		}
	}
	if diff := gocmp.Diff([]string{"later", "text", "very old", "moved"}, left); diff != "" {
		t.Error(diff)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  string
		action string
		want   []int // the statuses of calls in turn
	}{
		{"a fault fails every call", `{"table":"things","action":"GetItem","code":"InternalServerError"}`, "GetItem", []int{500, 500}},
		{"a fault by glob and any table", `{"table":"*","action":"Get*"}`, "GetItem", []int{400, 400}},
		{"a fault ends after its count", `{"count":2,"status":503,"code":"ServiceUnavailable"}`, "GetItem", []int{503, 503, 200}},
		{"a fault of another table spares this one", `{"table":"other"}`, "GetItem", []int{200}},
		{"a fault of another action spares this one", `{"action":"PutItem"}`, "GetItem", []int{200}},
		{"a fault of a higher rate than the die", `{"rate":0.6}`, "GetItem", []int{400}},
		{"a fault of a lower rate than the die", `{"rate":0.4}`, "GetItem", []int{200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t)
			fault := func(method, body string) {
				t.Helper()
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/_faults", bytes.NewBufferString(body)))
				if w.Code != http.StatusOK {
					t.Fatal(w.Body)
				}
			}
			fault(http.MethodPut, c.fault)
			var got []int
			for range c.want {
				status, _ := post(t, s, c.action, `{"TableName":"things","Key":{"pk":{"S":"x"}}}`)
				got = append(got, status)
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			fault(http.MethodDelete, "")
			if left := s.Faults(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestABadFaultIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for _, body := range []string{`{"rate":2}`, `{"action":"["}`, `{"status":200}`, `{"what":1}`, `{`} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/_faults", strings.NewReader(body)))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
}

func TestEnsureTableMakesTheTableAsDefined(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for i := range 1200 { // more than one batch of a backfill
		if status, answer := post(t, s, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"%d"},"g":{"S":"%d"},"end":{"N":"1900000000"}}}`, i, i%2)); status != 200 {
			t.Fatal(answer)
		}
	}
	grown := things()
	grown.AttributeDefinitions = append(grown.AttributeDefinitions, AttributeDefinition{"g", "S"})
	grown.GlobalSecondaryIndexes = []IndexDefinition{{IndexName: "by-g", KeySchema: []KeySchemaElement{{"g", "HASH"}}, Projection: Projection{ProjectionType: projectKeys}}}
	grown.TimeToLiveSpecification = &TimeToLiveSpecification{AttributeName: "end", Enabled: true}
	for range 2 { // the second time, nothing is left to do
		if err := s.EnsureTable(grown); err != nil {
			t.Fatal(err)
		}
	}
	const query = `{"TableName":"things","IndexName":"by-g","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"1"}},"Select":"COUNT"}`
	if _, answer := post(t, s, "Query", query); answer != `{"Count":600,"ScannedCount":600}` {
		t.Error(answer)
	}
	if n := entries(t, s, "ttl/"); n != 1200 {
		t.Errorf("the TTL index has %d entries", n)
	}
	if err := s.EnsureTable(things()); err != nil {
		t.Fatal(err)
	}
	if _, answer := post(t, s, "Query", query); !strings.Contains(answer, "does not have the specified index: by-g") {
		t.Error(answer)
	}
	if n := entries(t, s, "ttl/"); n != 0 {
		t.Errorf("the TTL index has %d entries", n)
	}
	other := things()
	other.AttributeDefinitions[0].AttributeType = "N"
	if err := s.EnsureTable(other); err == nil || !strings.Contains(err.Error(), "remove the table") {
		t.Errorf("another key: %v", err)
	}
}

// entries counts what the table's bucket with the prefix holds.
func entries(t *testing.T, s *Server, prefix string) int {
	t.Helper()
	table, err := s.table("things")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(prefix + table.meta.ID)).ForEach(func(_, _ []byte) error {
			n++
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTablesAndTheirSizesSurviveAClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tables.db")
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureTable(things()); err != nil {
		t.Fatal(err)
	}
	for _, pk := range []string{"a", "b", "a"} {
		post(t, s, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"`+pk+`"}}}`)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _ := post(t, s, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"late"}}}`); status != http.StatusInternalServerError {
		t.Errorf("a write to a closed file: %d", status)
	}
	if s, err = Open(path, Options{}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, answer := post(t, s, "DescribeTable", `{"TableName":"things"}`); !strings.Contains(answer, `"ItemCount":2,"TableSizeBytes":6,`) {
		t.Error(answer)
	}
}

func TestTheReservedWordsAreThoseOfAWS(t *testing.T) {
	t.Parallel()
	longest := 0
	for word := range reservedWords {
		longest = max(longest, len(word))
	}
	if len(reservedWords) != 573 || longest > longestReserved {
		t.Errorf("%d words, the longest has %d letters", len(reservedWords), longest)
	}
}
