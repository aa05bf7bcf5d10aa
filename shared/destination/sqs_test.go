package destination

import (
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/local/sqs"
	"pushpull/shared/config"
	"pushpull/shared/event"
)

func TestAFIFOQueueHasAnEventOnceAndAnEntityInOrder(t *testing.T) {
	t.Parallel()
	s, err := sqs.Open(filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.Close(); _ = s.Close() })
	s.SetBaseURL(server.URL)
	queue, _, err := s.CreateQueue("orders.fifo", map[string]string{"FifoQueue": "true"})
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{url: server.URL}
	d := c.open(t, config.Destination{Kind: "sqs", Queue: queue})
	other := sample("2")
	other.Subject = "issue 18"
	for _, e := range []event.Event{sample("1"), sample("1"), other, sample("3")} {
		if _, err := d.Deliver(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	messages, err := s.Receive(t.Context(), "orders.fifo", 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string][]string{}
	for _, m := range messages {
		e, err := event.Decode([]byte(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		groups[e.Subject] = append(groups[e.Subject], e.ID)
		if got := m.MessageAttributes["type"].StringValue; got != "issues" {
			t.Errorf("its type is %q", got)
		}
	}
	if diff := cmp.Diff(map[string][]string{"issue 17": {"1", "3"}, "issue 18": {"2"}}, groups); diff != "" {
		t.Error(diff)
	}
}
