package dynamodb_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/local/dynamodb"
)

// crashFile tells the test binary to be a server on that file.
const crashFile = "PUSHPULL_TEST_DYNAMODB_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		if err := serve(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// serve is the process that gets killed. It prints its address.
func serve(path string) error {
	s, err := dynamodb.Open(path, dynamodb.Options{})
	if err != nil {
		return err
	}
	if err := s.EnsureTable(crashTable()); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(os.Stdout, l.Addr()); err != nil {
		return err
	}
	return (&http.Server{Handler: s, ReadHeaderTimeout: time.Minute}).Serve(l)
}

func crashTable() dynamodb.TableDefinition {
	key := func(name, part string) dynamodb.KeySchemaElement {
		return dynamodb.KeySchemaElement{AttributeName: name, KeyType: part}
	}
	return dynamodb.TableDefinition{
		TableName: "crash", BillingMode: "PAY_PER_REQUEST",
		KeySchema:            []dynamodb.KeySchemaElement{key("id", "HASH")},
		AttributeDefinitions: []dynamodb.AttributeDefinition{{AttributeName: "id", AttributeType: "S"}, {AttributeName: "g", AttributeType: "S"}, {AttributeName: "n", AttributeType: "N"}},
		GlobalSecondaryIndexes: []dynamodb.IndexDefinition{{
			IndexName: "by-g", KeySchema: []dynamodb.KeySchemaElement{key("g", "HASH"), key("n", "RANGE")}, Projection: dynamodb.Projection{ProjectionType: "ALL"},
		}},
	}
}

// startVictim starts the server process, and gives its URL.
func startVictim(t *testing.T, path string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashFile+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return cmd, "http://" + strings.TrimSpace(line)
}

// TestKillLosesNothing kills the server, again and again, while clients count
// items up. Every answered count must be there, and the index must agree.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	const rounds, writers = 3, 4
	path := filepath.Join(t.TempDir(), "tables.db")
	answered := make([]int, writers)
	for range rounds {
		cmd, url := startVictim(t, path)
		client := newClient(url)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() { countUp(t, client, w, &answered[w]) })
		}
		time.AfterFunc(300*time.Millisecond, func() { _ = cmd.Process.Kill() })
		wg.Wait()
		_ = cmd.Wait()
	}
	cmd, url := startVictim(t, path)
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	client := newClient(url)
	total := 0
	for w := range writers {
		total += answered[w]
		checkCount(t, client, w, answered[w])
	}
	if total < rounds*writers {
		t.Errorf("only %d writes were answered: the test tests nothing", total)
	}
	t.Logf("%d writes were answered", total)
}

func crashKey(writer int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: fmt.Sprint(writer)}}
}

// countUp counts the writer's item up, moving it within the index, until the
// server is gone.
func countUp(t *testing.T, client *sdk.Client, writer int, answered *int) {
	for t.Context().Err() == nil {
		n := *answered + 1
		out, err := client.UpdateItem(t.Context(), &sdk.UpdateItemInput{
			TableName: aws.String("crash"), Key: crashKey(writer), UpdateExpression: aws.String("SET g = :g ADD n :one"), ReturnValues: types.ReturnValueUpdatedNew,
			ExpressionAttributeValues: map[string]types.AttributeValue{":g": &types.AttributeValueMemberS{Value: fmt.Sprint(n % 5)}, ":one": &types.AttributeValueMemberN{Value: "1"}},
		})
		if err != nil {
			return // killed: whether this one was done is open
		}
		var now int
		if v, ok := out.Attributes["n"].(*types.AttributeValueMemberN); ok {
			_, _ = fmt.Sscan(v.Value, &now)
		}
		if now < n {
			t.Errorf("writer %d: %d answered writes are gone", writer, n-now)
		}
		*answered = now
	}
}

func checkCount(t *testing.T, client *sdk.Client, writer, answered int) {
	t.Helper()
	out, err := client.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("crash"), Key: crashKey(writer), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if v, ok := out.Item["n"].(*types.AttributeValueMemberN); ok {
		_, _ = fmt.Sscan(v.Value, &n)
	}
	if n < answered || n > answered+1 {
		t.Errorf("writer %d: %d was answered, %d is there", writer, answered, n)
	}
	found := 0
	for g := range 5 {
		page, err := client.Query(t.Context(), &sdk.QueryInput{
			TableName: aws.String("crash"), IndexName: aws.String("by-g"), KeyConditionExpression: aws.String("g = :g"), FilterExpression: aws.String("id = :id"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":g": &types.AttributeValueMemberS{Value: fmt.Sprint(g)}, ":id": crashKey(writer)["id"]},
		})
		if err != nil {
			t.Fatal(err)
		}
		found += len(page.Items)
	}
	if found != 1 {
		t.Errorf("writer %d: the index has %d entries for its item", writer, found)
	}
}
