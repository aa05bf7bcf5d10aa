package api

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "pushpull/local/dynamodb"
	"pushpull/shared/budget"
	"pushpull/shared/config"
)

// provider counts what arrives, as a provider with a sliding window does.
type provider struct {
	limit int
	per   time.Duration

	mu       sync.Mutex
	arrived  []time.Time
	exceeded int
}

func (p *provider) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.arrived = append(p.arrived, now)
	if n := len(p.arrived); n > p.limit && now.Sub(p.arrived[n-1-p.limit]) <= p.per {
		p.exceeded++
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

func stateTable(t *testing.T) *dynamodb.Client {
	t.Helper()
	s, err := local.Open(filepath.Join(t.TempDir(), "dynamodb.db"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(server.URL), Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	_, err = client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("state"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestEightPollersOfOneCredentialKeepToItsLimitAndUseIt(t *testing.T) {
	t.Parallel()
	table := stateTable(t)
	p := &provider{limit: 40, per: 3 * time.Second}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	var group sync.WaitGroup
	const each = 12
	for range 8 {
		client, err := New(
			Config{Base: parse(server.URL), RateLimit: &config.RateLimit{Requests: p.limit, Per: config.Duration(p.per)}},
			Options{Auth: &auth{tokens: []string{key}}, Budget: budget.New(table, "state", slog.New(slog.DiscardHandler), time.Now)},
		)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			for range each {
				answer, err := client.Do(t.Context(), Request{URL: parse(server.URL)})
				if err != nil {
					t.Error(err)
					return
				}
				_ = answer.Body.Close()
			}
		})
	}
	group.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	took := p.arrived[len(p.arrived)-1].Sub(p.arrived[0])
	share := float64(len(p.arrived)) / (float64(p.limit) * float64(took) / float64(p.per))
	if p.exceeded > 0 || len(p.arrived) != 8*each {
		t.Errorf("%d of %d requests were over the limit", p.exceeded, len(p.arrived))
	}
	if share < 0.9 {
		t.Errorf("%.1f %% of the limit were used, want 90 %% at least", 100*share)
	}
	t.Logf("%d requests in %v: %.1f %% of the limit", len(p.arrived), took, 100*share)
}
