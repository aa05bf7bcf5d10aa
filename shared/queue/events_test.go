package queue

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pushpull/shared/event"
)

func folderURL(dir string) string {
	dir = filepath.ToSlash(dir)
	if !strings.HasPrefix(dir, "/") {
		dir = "/" + dir
	}
	return "file://" + dir
}

// stores returns a claim check of each kind.
func stores(t *testing.T) map[string]Bodies {
	t.Helper()
	var mu sync.Mutex
	objects := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPut {
			objects[r.URL.Path], _ = io.ReadAll(r.Body)
			return
		}
		if r.Method == http.MethodDelete {
			delete(objects, r.URL.Path)
			return
		}
		if _, ok := objects[r.URL.Path]; !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(objects[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	c := client(t, server.URL)
	opened := map[string]Bodies{}
	for name, location := range map[string]string{
		"a bucket": "s3://bodies", "a bucket with a prefix": "s3://bodies/a/b/", "a folder": folderURL(t.TempDir()),
	} {
		bodies, err := OpenBodies(location, c)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := bodies.(*folder); ok {
			t.Cleanup(func() { _ = f.root.Close() })
		}
		opened[name] = bodies
	}
	return opened
}

func newEvent(data []byte) event.Event {
	return event.Event{
		ID: "1", Source: "github", Type: "push", ContentType: "application/json", Data: data,
		Transport: event.Webhook, ReceivedTime: time.Unix(1_790_000_000, 0).UTC(),
	}
}

func TestEventsOfAnySizeComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	large := make([]byte, 3<<20)
	if _, err := rand.Read(large); err != nil {
		t.Fatal(err)
	}
	for name, bodies := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, data := range [][]byte{
				{},
				[]byte(`{"a":1}`), large[:600_000], large[:900_000], large,
				[]byte(`"` + strings.Repeat("a", eventBytes-300) + `"`), []byte(`"` + strings.Repeat(`\"`, eventBytes/2) + `"`),
			} {
				sqs := &fakeSQS{}
				if err := New(sqs, queueURL, bodies).SendEvents(t.Context(), newEvent(data)); err != nil {
					t.Fatal(err)
				}
				m := sqs.taken[0]
				if m.Group != "github" || len(m.Body) > eventBytes {
					t.Errorf("group %s, %d bytes", m.Group, len(m.Body))
				}
				got, err := Decode(t.Context(), m.Body, bodies)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Data, data) {
					t.Errorf("%d bytes came back as %d others", len(data), len(got.Data))
				}
			}
		})
	}
}

func TestABodyThatIsDeletedIsGone(t *testing.T) {
	t.Parallel()
	for name, bodies := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, other := []byte("a body"), []byte("another")
			ref, err := bodies.Put(t.Context(), "github", body)
			if err != nil {
				t.Fatal(err)
			}
			stays, err := bodies.Put(t.Context(), "github", other)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // what is not there is deleted, too
				if err := bodies.Delete(t.Context(), "github", body); err != nil {
					t.Error(err)
				}
			}
			if _, err := bodies.Get(t.Context(), ref); err == nil {
				t.Error("it is still there")
			}
			if _, err := bodies.Get(t.Context(), stays); err != nil {
				t.Errorf("the other is gone, too: %v", err)
			}
			if err := bodies.Delete(t.Context(), "../etc", body); err == nil {
				t.Error("it left its store")
			}
		})
	}
}

func TestABodyIsOneReferenceHoweverOftenItIsPut(t *testing.T) {
	t.Parallel()
	for name, bodies := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
				first, err := bodies.Put(t.Context(), "github", body)
				if err != nil {
					t.Fatal(err)
				}
				second, err := bodies.Put(t.Context(), "github", body)
				if err != nil || second != first {
					t.Fatalf("%s, then %s, %v", first, second, err)
				}
				got, err := bodies.Get(t.Context(), first)
				if err != nil || !bytes.Equal(got, body) {
					t.Fatalf("got %q, %v", got, err)
				}
			})
		})
	}
}

func TestReferencesOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("a", 64)
	for name, bodies := range stores(t) {
		for _, ref := range []string{
			"", "s3://other/github/" + sum, "s3://bodies/../github/" + sum, "file:///etc/passwd",
			"http://169.254.169.254/latest", "s3://bodies/github", "s3://bodies/a/b/../../" + sum,
		} {
			if _, err := bodies.Get(t.Context(), ref); !errors.Is(err, ErrBadReference) {
				t.Errorf("%s: %q: %v", name, ref, err)
			}
		}
		if _, err := bodies.Put(t.Context(), "../github", nil); err == nil {
			t.Errorf("%s: a source that leaves the folder was taken", name)
		}
	}
}

func TestAFolderGivesNothingThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	outside, inside := t.TempDir(), t.TempDir()
	body := []byte("secret")
	name, err := objectName("github", body)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimPrefix(name, "github/")
	if err := os.WriteFile(filepath.Join(outside, base), body, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(inside, "github")); err != nil {
		t.Skip(err)
	}
	bodies, err := OpenBodies(folderURL(inside), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bodies.(*folder).root.Close() })
	if got, err := bodies.Get(t.Context(), folderURL(inside)+"/"+name); err == nil {
		t.Errorf("followed a link out of the folder: %q", got)
	}
}

func TestABodyThatWasChangedIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bodies, err := OpenBodies(folderURL(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bodies.(*folder).root.Close() })
	ref, err := bodies.Put(t.Context(), "github", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "github", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || (os.PathSeparator == '/' && info.Mode().Perm() != 0o600) {
		t.Error(info, err)
	}
	if err := os.WriteFile(files[0], []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bodies.Get(t.Context(), ref); !errors.Is(err, ErrBadReference) {
		t.Errorf("error %v", err)
	}
}

func TestOnlyTheEventsThatCannotBeSentAreRefused(t *testing.T) {
	t.Parallel()
	bad, large := newEvent([]byte("{}")), newEvent(make([]byte, 2<<20))
	bad.ID = ""
	sqs := &fakeSQS{refuse: func(_ int, m Message) *Failure {
		if strings.Contains(m.Body, "[4]") {
			return &Failure{Code: "Invalid", Sender: true}
		}
		return nil
	}}
	err := New(sqs, queueURL, nil).SendEvents(t.Context(), newEvent([]byte("[0]")), bad, large, newEvent([]byte("[3]")), newEvent([]byte("[4]")))
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || !errors.Is(err, event.ErrInvalid) {
		t.Fatalf("error %v", err)
	}
	got := map[int]string{}
	for _, f := range refused.Failures {
		got[f.Index] = f.Code
	}
	want := map[int]string{1: "InvalidEvent", 2: "MessageTooLong", 4: "Invalid"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(sqs.taken) != 2 || refused.Total != 5 {
		t.Errorf("%d taken of %d", len(sqs.taken), refused.Total)
	}
}

func TestDeadLettersAreAlwaysAcceptable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.Just(strings.Repeat("é", 5000)))
		body := strings.Repeat("x", rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(maxBytes-5000, maxBytes-4400)).Draw(t, "body"))
		m := DeadLetter(body, "github", text.Draw(t, "key"), text.Draw(t, "reason"), text.Draw(t, "destination"))
		if f := check(m, false); f != nil {
			t.Fatalf("%+v", f)
		}
		for name, value := range m.Attributes {
			if len(value) > maxAttribute {
				t.Fatalf("%s has %d bytes", name, len(value))
			}
		}
	})
}

func TestOpenBodiesSaysWhatALocationIs(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"", "bodies", "s3://", "file://relative", "https://example.com"} {
		if _, err := OpenBodies(location, nil); err == nil || !strings.Contains(err.Error(), "BODIES") {
			t.Errorf("%q: %v", location, err)
		}
	}
}
