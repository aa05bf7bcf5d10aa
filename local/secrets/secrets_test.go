package secrets

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T) *Store {
	t.Helper()
	clock := time.Now()
	s, err := Open(filepath.Join(t.TempDir(), "data", "secrets.yaml"), func() time.Time {
		clock = clock.Add(time.Second) // so that every call looks at the file
		return clock
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// invent makes the values in order.
func invent(ref string) (string, error) {
	if _, field, ok := strings.Cut(ref, "#"); ok {
		return `{"` + field + `":"made"}`, nil
	}
	return "made for " + ref, nil
}

func TestEveryReferenceGetsAValueOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	refs := []string{"ssm:/pushpull/github/webhook", "env:HOME", "secretsmanager:pushpull/x#key"}
	made, err := s.Ensure(refs, invent)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ssm:/pushpull/github/webhook", "secretsmanager:pushpull/x"}, made); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	first, err := s.Value(refs[0])
	if err != nil || first != "made for ssm:/pushpull/github/webhook" {
		t.Errorf("value %q, %v", first, err)
	}
	if v, err := s.Value(refs[2]); err != nil || v != `{"key":"made"}` {
		t.Errorf("value with a field %q, %v", v, err)
	}
	if made, err := s.Ensure(append(refs, "ssm:/new"), invent); err != nil || len(made) != 1 {
		t.Errorf("made %v again, %v: want only the new one", made, err)
	}
	if again, _ := s.Value(refs[0]); again != first {
		t.Error("the value changed")
	}
	if info, err := os.Stat(s.path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: want 0600", info.Mode(), err)
	}
}

func TestWhatPeopleWriteIsReadAnew(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, err := s.Ensure([]string{"ssm:/a"}, invent); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path, []byte("ssm:/a: mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Value("ssm:/a"); err != nil || v != "mine" {
		t.Errorf("value %q, %v", v, err)
	}
	if err := os.WriteFile(s.path, []byte("ssm:/a: [private"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Value("ssm:/a"); err != nil || v != "mine" {
		t.Errorf("while the file is broken: value %q, %v, want the last one", v, err)
	}
	if _, err := s.Ensure([]string{"ssm:/b"}, invent); err == nil || strings.Contains(err.Error(), "private") || !strings.Contains(err.Error(), "mend it") {
		t.Errorf("error %v, want one that mends and does not tell the value", err)
	}
}

func TestTheCallsOfBothServices(t *testing.T) {
	t.Parallel()
	s := open(t)
	for ref, value := range map[string]string{"ssm:/p/a": "1", "ssm:/p/b/c": "2", "secretsmanager:p/s": "3"} {
		if err := s.Set(ref, value); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, target, body string
		status             int
		want               string
	}{
		{"a parameter", "AmazonSSM.GetParameter", `{"Name":"/p/a","WithDecryption":true}`, 200, `"Value":"1"`},
		{"a parameter that is not there", "AmazonSSM.GetParameter", `{"Name":"/p/z"}`, 400, `"__type":"ParameterNotFound"`},
		{"several parameters", "AmazonSSM.GetParameters", `{"Names":["/p/a","/p/z"]}`, 200, `{"InvalidParameters":["/p/z"],"Parameters":[{"Name":"/p/a"`},
		{"too many parameters", "AmazonSSM.GetParameters", `{"Names":[]}`, 400, "ValidationException"},
		{"those directly under a path", "AmazonSSM.GetParametersByPath", `{"Path":"/p"}`, 200, `"Name":"/p/a"`},
		{"all under a path", "AmazonSSM.GetParametersByPath", `{"Path":"/p","Recursive":true}`, 200, `"Name":"/p/b/c"`},
		{"a parameter is not overwritten unasked", "AmazonSSM.PutParameter", `{"Name":"/p/a","Value":"x"}`, 400, "ParameterAlreadyExists"},
		{"a parameter is written", "AmazonSSM.PutParameter", `{"Name":"/p/n","Value":"x"}`, 200, `"Version":1`},
		{"a secret", "secretsmanager.GetSecretValue", `{"SecretId":"p/s"}`, 200, `"SecretString":"3"`},
		{"a secret by ARN", "secretsmanager.GetSecretValue", `{"SecretId":"arn:aws:secretsmanager:us-east-1:0:secret:p/s"}`, 200, `"SecretString":"3"`},
		{"a secret that is not there", "secretsmanager.GetSecretValue", `{"SecretId":"p/z"}`, 400, "ResourceNotFoundException"},
		{"an old version", "secretsmanager.GetSecretValue", `{"SecretId":"p/s","VersionStage":"AWSPREVIOUS"}`, 400, "ResourceNotFoundException"},
		{"a secret is written", "secretsmanager.PutSecretValue", `{"SecretId":"p/s","SecretString":"4"}`, 200, `"Name":"p/s"`},
		{"a call that is not supported", "AmazonSSM.DeleteParameter", `{}`, 400, "UnknownOperationException"},
		{"what is no JSON", "AmazonSSM.GetParameter", `{`, 400, "SerializationException"},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(tt.body))
		r.Header.Set("X-Amz-Target", tt.target)
		s.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Body)
		if w.Code != tt.status || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s: %d %s, want %d with %s", tt.name, w.Code, body, tt.status, tt.want)
		}
	}
}

func TestAFileWithNothingInItIsNoMistake(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path, []byte("# nothing yet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ensure([]string{"ssm:/a"}, invent); err != nil {
		t.Error(err)
	}
}
