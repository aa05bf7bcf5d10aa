package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/webhook"

	"github.com/golang-jwt/jwt/v5"
)

// What a stranger's token says is not read: of megabytes of it a reader makes
// many times as much.
//
//nolint:paralleltest // it counts what is allocated
func TestAStrangersTokenIsNotRead(t *testing.T) {
	auth := config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: config.Signature{Body: "*"}}
	url64 := base64.RawURLEncoding.EncodeToString
	head := url64([]byte(`{"alg":"HS256"}`))
	long := `{"a":[` + strings.Repeat(`{},`, 100_000) + `0]}`
	for _, tt := range []struct{ name, token string }{
		{"its payload", head + "." + url64([]byte(long)) + ".AAAA"},
		{"its header", url64([]byte(`{"alg":"HS256","x":`+long+`}`)) + ".e30.AAAA"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := compile(t, auth)
			r := webhook.Request{Body: []byte(tt.token)}
			allocated := testing.AllocsPerRun(3, func() {
				if err := v.Verify(t.Context(), webhook.Credentials{Secrets: []string{jwtSecret}}, r, noon); !errors.Is(err, webhook.ErrSignature) {
					t.Errorf("got %v, want ErrSignature", err)
				}
			})
			if allocated > 200 {
				t.Errorf("%v allocations", allocated)
			}
		})
	}
}

// When a token is good is its own to say, give or take a minute.
func TestATokenIsGoodInItsTime(t *testing.T) {
	t.Parallel()
	auth := config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: config.Signature{Header: config.Names{"Authorization"}}}
	at := func(d time.Duration) string { return fmt.Sprint(noon.Add(d).Unix()) }
	for _, tt := range []struct {
		name, claims string
		want         error
	}{
		{"one that says nothing", `{}`, nil},
		{"one that has time", `{"exp":` + at(time.Hour) + `}`, nil},
		{"one that expired half a minute ago", `{"exp":` + at(-30*time.Second) + `}`, nil},
		{"one that expired two minutes ago", `{"exp":` + at(-2*time.Minute) + `}`, webhook.ErrStale},
		{"one that is good from half a minute on", `{"nbf":` + at(30*time.Second) + `}`, nil},
		{"one that is good from two minutes on", `{"nbf":` + at(2*time.Minute) + `}`, webhook.ErrStale},
		{"an end that is no number", `{"exp":"never"}`, webhook.ErrSignature},
		{"an end that is a fraction", `{"exp":` + at(time.Hour) + `.5}`, nil},
		{"a list", `[]`, webhook.ErrSignature},
		{"null", `null`, nil},
		{"no JSON", `{`, webhook.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url64 := base64.RawURLEncoding.EncodeToString
			text := url64([]byte(`{"alg":"HS256"}`)) + "." + url64([]byte(tt.claims))
			sum, err := jwt.SigningMethodHS256.Sign(text, []byte(jwtSecret))
			if err != nil {
				t.Fatal(err)
			}
			r := webhook.Request{Header: header("Authorization", text+"."+url64(sum))}
			if err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{jwtSecret}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// A number counts as it was written, and its age as the source says.
func TestATokenSaysWhatItMust(t *testing.T) {
	t.Parallel()
	auth := config.Auth{
		Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: config.Signature{Header: config.Names{"Authorization"}},
		Claims: map[string]string{"account": "{header.Account}"}, Timestamp: &config.Timestamp{Claim: "iat"},
	}
	for _, tt := range []struct {
		name   string
		claims jwt.MapClaims
		want   error
	}{
		{"a number of more digits than a float has", jwt.MapClaims{"account": json.Number("9007199254740993"), "iat": noon.Unix()}, nil},
		{"the same as a text", jwt.MapClaims{"account": "9007199254740993", "iat": noon.Unix()}, nil},
		{"the number beside it", jwt.MapClaims{"account": json.Number("9007199254740992"), "iat": noon.Unix()}, webhook.ErrSignature},
		{"no number", jwt.MapClaims{"iat": noon.Unix()}, webhook.ErrSignature},
		{"one that was made too long ago", jwt.MapClaims{"account": "9007199254740993", "iat": noon.Add(-6 * time.Minute).Unix()}, webhook.ErrStale},
		{"one that does not say when it was made", jwt.MapClaims{"account": "9007199254740993"}, webhook.ErrMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, tt.claims).SignedString([]byte(jwtSecret))
			if err != nil {
				t.Fatal(err)
			}
			r := webhook.Request{Header: header("Authorization", text, "Account", "9007199254740993")}
			if err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{jwtSecret}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
