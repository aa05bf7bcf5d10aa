package main

import (
	"strings"
	"testing"

	"pushpull/shared/config"
)

// hiding adds a source that hides things.
func (w *world) hiding(p config.Privacy) {
	w.add("s", config.Webhook{})
	s := w.config.sources["s"]
	s.Privacy = &p
	w.config.sources["s"] = s
	w.secrets.now["ssm:/privacy"] = "a key"
}

func TestWhatASourceHidesIsNotQueuedAndNotLogged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, contentType, body, want string
	}{
		{
			"in JSON", "application/json", `{"id":1,"email":"ann@example.com","card":"ann@example.com"}`,
			`{"id":1,"email":"4d9eed","card":"***"}`,
		},
		{"in a form", "application/x-www-form-urlencoded", "card=ann@example.com", "card=%2A%2A%2A"},
		{"all of what is neither", "text/plain", "ann@example.com", "null"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.hiding(config.Privacy{Mask: config.Paths{".card"}, Hash: config.Paths{".email"}, Key: config.Secrets{"ssm:/privacy"}})
			got := w.invoke(t.Context(), t, push{header: map[string]string{"X-Token": "the token", "Content-Type": test.contentType}, body: []byte(test.body)}.to(t, "s"))
			if got.Status != 202 || len(w.queue.taken) != 1 {
				t.Fatalf("%+v, %d events", got, len(w.queue.taken))
			}
			e := w.queue.taken[0]
			begin, end, _ := strings.Cut(test.want, "4d9eed")
			if text := string(e.Data); !strings.HasPrefix(text, begin) || !strings.HasSuffix(text, end) {
				t.Errorf("queued is %s, want %s", text, test.want)
			}
			for _, where := range []string{string(e.Data), w.logged.String(), got.Body} {
				if strings.Contains(where, "ann@") {
					t.Errorf("it is in %s", where)
				}
			}
		})
	}
}

func TestTheIdentityIsOfWhatCameAndTheSameForADuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hiding(config.Privacy{Encrypt: config.Paths{".email"}, KMS: "local:", Key: config.Secrets{"ssm:/privacy"}})
	request := push{header: map[string]string{"X-Token": "the token", "Content-Type": "application/json"}, body: []byte(`{"email":"ann@example.com"}`)}.to(t, "s")
	w.invoke(t.Context(), t, request)
	w.invoke(t.Context(), t, request)
	if len(w.queue.taken) != 2 || w.queue.taken[0].ID != w.queue.taken[1].ID || string(w.queue.taken[0].Data) == string(w.queue.taken[1].Data) {
		t.Errorf("%+v", w.queue.taken)
	}
}

func TestWithoutTheKeyOfWhatItHidesTheProviderComesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hiding(config.Privacy{Hash: config.Paths{".email"}, Key: config.Secrets{"ssm:/privacy"}})
	delete(w.secrets.now, "ssm:/privacy")
	got := w.invoke(t.Context(), t, push{header: map[string]string{"X-Token": "the token"}, body: []byte(`{"email":"ann@example.com"}`)}.to(t, "s"))
	if got.Status != 503 || len(w.queue.taken) != 0 || strings.Contains(w.logged.String(), "ann@") {
		t.Errorf("%+v, %d events", got, len(w.queue.taken))
	}
}
