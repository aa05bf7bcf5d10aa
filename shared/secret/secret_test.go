package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/awslite"
)

// fakeAWS is a Parameter Store and a Secrets Manager.
type fakeAWS struct {
	mu         sync.Mutex
	parameters map[string]string
	secrets    map[string]string
	binary     map[string][]byte
	fail       error
	hang       bool
	calls      []string
}

func (f *fakeAWS) JSON(ctx context.Context, service, target, version string, in []byte, out any) error {
	_, action, _ := strings.Cut(target, ".")
	f.mu.Lock()
	f.calls = append(f.calls, action)
	fail, hang := f.fail, f.hang
	f.mu.Unlock()
	pass(10 * time.Millisecond)
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if fail != nil {
		return fail
	}
	if version != "1.1" {
		return fmt.Errorf("version %s", version)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.answer(service, action, in, out)
}

func (f *fakeAWS) answer(service, action string, in []byte, out any) error {
	var ask struct {
		Name, SecretId string
		Names          []string
		WithDecryption bool
	}
	if err := json.Unmarshal(in, &ask); err != nil {
		return err
	}
	answer := map[string]any{}
	switch action {
	case "GetParameter":
		value, ok := f.parameters[ask.Name]
		if !ok || !ask.WithDecryption {
			return &awslite.Error{Service: service, Code: "ParameterNotFound", Status: 400}
		}
		answer["Parameter"] = map[string]string{"Name": ask.Name, "Value": value}
	case "GetParameters":
		if len(ask.Names) > 10 || !ask.WithDecryption {
			return &awslite.Error{Service: service, Code: "ValidationException", Status: 400}
		}
		var found []map[string]string
		for _, name := range ask.Names {
			if value, ok := f.parameters[name]; ok {
				found = append([]map[string]string{{"Name": name, "Value": value}}, found...) // in no order
			}
		}
		answer["Parameters"] = found
	case "GetSecretValue":
		value, ok := f.secrets[ask.SecretId]
		if binary, is := f.binary[ask.SecretId]; is {
			answer["SecretBinary"] = binary
		} else if !ok {
			return &awslite.Error{Service: service, Code: "ResourceNotFoundException", Status: 400}
		} else {
			answer["SecretString"] = value
		}
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// pass lets time pass on the test's own clock, which costs none.
func pass(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // inside synctest

func newStore(aws *fakeAWS) (*Store, *strings.Builder) {
	var log strings.Builder
	getenv := func(name string) string { return map[string]string{"TOKEN": "from-env"}[name] }
	return New(aws, getenv, slog.New(slog.NewTextHandler(&log, nil))), &log
}

func TestAllResolvesEveryKindInTheirOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := &fakeAWS{
			parameters: map[string]string{}, binary: map[string][]byte{"raw": {0, 255}},
			secrets: map[string]string{"whole": "all of it", "object": `{"a":"1","b":"2"}`},
		}
		var refs, want []string
		for i := range 12 {
			name := fmt.Sprint("/p/", i)
			aws.parameters[name] = fmt.Sprint("v", i)
			refs, want = append(refs, "ssm:"+name), append(want, fmt.Sprint("v", i))
		}
		refs = append(refs, "env:TOKEN", "secretsmanager:whole", "secretsmanager:object#b", "secretsmanager:object#a", "secretsmanager:raw", "env:TOKEN")
		want = append(want, "from-env", "all of it", "2", "1", "\x00\xff", "from-env")
		s, _ := newStore(aws)
		got, err := s.All(t.Context(), refs)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if len(aws.calls) != 5 { // 2 × GetParameters, 3 secrets
			t.Errorf("calls %v", aws.calls)
		}
	})
}

func TestErrorsNameTheReferenceAndTheMendAndNeverTheValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, ref string
		fail      error
		want      string
	}{
		{"a parameter that is not there", "ssm:/none", nil, "aws ssm put-parameter --type SecureString --name /none"},
		{"a secret that is not there", "secretsmanager:none", nil, "aws secretsmanager create-secret --name none"},
		{"a field that is not there", "secretsmanager:object#none", nil, "has no field none"},
		{"a field of what is no object", "secretsmanager:whole#a", nil, "leave out #a"},
		{"a field that is no text", "secretsmanager:object#n", nil, "is not a text"},
		{"a variable that is not set", "env:NONE", nil, "set NONE"},
		{"a kind that is none", "vault:x", nil, "begins with none of ssm:, secretsmanager:, env:"},
		{"a value that is empty", "ssm:/empty", nil, "is empty"},
		{"no permission", "ssm:/none", &awslite.Error{Service: "ssm", Code: "AccessDeniedException", Status: 400}, "template.yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, log := newStore(&fakeAWS{
					fail:       test.fail,
					parameters: map[string]string{"/empty": ""},
					secrets:    map[string]string{"whole": "hunter2", "object": `{"a":"hunter2","n":{"x":"hunter2"}}`},
				})
				values, err := s.All(t.Context(), []string{"env:TOKEN", test.ref})
				if !errors.Is(err, ErrUnresolved) || values != nil {
					t.Fatalf("values %v, error %v", values, err)
				}
				for _, want := range []string{test.ref, test.want} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("error %q is without %q", err, want)
					}
				}
				if strings.Contains(err.Error()+log.String(), "hunter2") {
					t.Errorf("the value is told: %v %s", err, log)
				}
			})
		})
	}
}

func TestSeveralReferencesTellAllTheirErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newStore(&fakeAWS{parameters: map[string]string{"/b": "v"}})
		_, err := s.All(t.Context(), []string{"ssm:/a", "ssm:/b", "ssm:/c"})
		if err == nil || !strings.Contains(err.Error(), "ssm:/a") || !strings.Contains(err.Error(), "ssm:/c") || strings.Contains(err.Error(), "ssm:/b") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAValueIsKeptForFiveMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := &fakeAWS{parameters: map[string]string{"/a": "old"}}
		s, _ := newStore(aws)
		expect := func(want string, calls int) {
			t.Helper()
			got, err := s.All(t.Context(), []string{"ssm:/a"})
			if err != nil || got[0] != want || len(aws.calls) != calls {
				t.Errorf("got %v after %d calls, error %v; want %s after %d", got, len(aws.calls), err, want, calls)
			}
		}
		expect("old", 1)
		aws.parameters["/a"] = "new"
		pass(keep - time.Second)
		expect("old", 1)
		pass(time.Second)
		expect("new", 2)
	})
}

func TestAValueIsUsedOnWhileItCannotBeRefreshed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := &fakeAWS{parameters: map[string]string{"/a": "old"}}
		s, log := newStore(aws)
		resolve := func() string {
			t.Helper()
			got, err := s.All(t.Context(), []string{"ssm:/a"})
			if err != nil {
				t.Fatal(err)
			}
			return got[0]
		}
		resolve()
		aws.fail = &awslite.Error{Service: "ssm", Code: "InternalServerError", Status: 500}
		pass(keep)
		for range 5 {
			if got := resolve(); got != "old" {
				t.Errorf("got %q", got)
			}
		}
		if len(aws.calls) != 2 {
			t.Errorf("%d calls: one that is down was asked for each event", len(aws.calls))
		}
		synctest.Wait() // the log is told behind the callers' back
		if !strings.Contains(log.String(), "secret not refreshed") || strings.Contains(log.String(), "old") {
			t.Errorf("log %s", log)
		}
		aws.fail, aws.parameters["/a"] = nil, "new"
		pass(stalePause)
		if got := resolve(); got != "new" {
			t.Errorf("got %q after the trouble", got)
		}
	})
}

func TestFreshSeesARotationButAsksOnlyEveryFewSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := &fakeAWS{parameters: map[string]string{"/a": "old"}}
		s, _ := newStore(aws)
		refs := []string{"ssm:/a"}
		if _, err := s.All(t.Context(), refs); err != nil {
			t.Fatal(err)
		}
		aws.parameters["/a"] = "new"
		pass(pause)
		for range 10 {
			got, err := s.Fresh(t.Context(), refs)
			if err != nil || got[0] != "new" {
				t.Fatal(got, err)
			}
		}
		if got, err := s.All(t.Context(), refs); err != nil || got[0] != "new" || len(aws.calls) != 2 {
			t.Error(got, err, aws.calls)
		}
	})
}

func TestManyCallersReadAReferenceOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := &fakeAWS{parameters: map[string]string{"/a": "v"}}
		s, _ := newStore(aws)
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if got, err := s.All(t.Context(), []string{"ssm:/a"}); err != nil || got[0] != "v" {
					t.Error(got, err)
				}
			})
		}
		wait.Wait()
		if len(aws.calls) != 1 {
			t.Errorf("calls %v", aws.calls)
		}
	})
}

func TestAReferenceThatIsWrongIsNotReadForEveryEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := &fakeAWS{}
		s, _ := newStore(aws)
		for range 10 {
			if _, err := s.All(t.Context(), []string{"ssm:/a"}); !errors.Is(err, ErrUnresolved) {
				t.Fatal(err)
			}
		}
		if len(aws.calls) != 1 {
			t.Errorf("calls %v", aws.calls)
		}
		aws.parameters = map[string]string{"/a": "v"}
		pass(pause)
		if _, err := s.All(t.Context(), []string{"ssm:/a"}); err != nil {
			t.Error(err)
		}
	})
}

func TestAStoreThatHangsDoesNotHoldTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newStore(&fakeAWS{hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := s.All(ctx, []string{"ssm:/a"})
		if !errors.Is(err, ErrUnresolved) || time.Since(begin) != time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		begin = time.Now()
		_, err = s.All(t.Context(), []string{"ssm:/a"})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) >= patience {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

func BenchmarkAll(b *testing.B) {
	s, _ := newStore(&fakeAWS{})
	refs := []string{"env:TOKEN"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.All(b.Context(), refs); err != nil {
			b.Fatal(err)
		}
	}
}
