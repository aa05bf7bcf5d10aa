package secret_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"pushpull/shared/secret"
)

// A slowStore answers its first reading late, with what was there when it began.
type slowStore struct {
	mu    sync.Mutex
	value string
	reads int
	slow  chan struct{}
}

func (s *slowStore) JSON(_ context.Context, _, _, _ string, _ []byte, out any) error {
	s.mu.Lock()
	value := s.value
	s.reads++
	first := s.reads == 1
	s.mu.Unlock()
	if first {
		<-s.slow
	}
	b, err := json.Marshal(map[string]any{"Parameter": map[string]string{"Name": "/a", "Value": value}})
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// Who is about to replace a secret must see what another stored, though somebody
// began to read it before that.
func TestAReadingThatBeganBeforeIsNotAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := &slowStore{value: "old", slow: make(chan struct{})}
		s := secret.New(aws, func(string) string { return "" }, slog.New(slog.DiscardHandler))
		go func() { _, _ = s.All(t.Context(), []string{"ssm:/a"}) }()
		synctest.Wait()
		aws.mu.Lock()
		aws.value = "new"
		aws.mu.Unlock()
		go func() {
			if value, err := s.Anew(t.Context(), "ssm:/a"); err != nil || value != "new" {
				t.Errorf("%q (%v)", value, err)
			}
		}()
		synctest.Wait()
		close(aws.slow)
		synctest.Wait()
	})
}
