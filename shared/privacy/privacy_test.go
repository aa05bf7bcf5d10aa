package privacy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// known gives every reference the same value.
type known string

func (k known) All(_ context.Context, refs []string) ([]string, error) {
	if k == "" {
		return nil, errors.New("the store does not answer")
	}
	values := make([]string, len(refs))
	for i := range refs {
		values[i] = string(k)
	}
	return values, nil
}

// zeros are nonces that a test can expect.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// kms has the master key that wraps the nth data key as "wrapped n".
type kms struct{ made int }

func (k *kms) JSON(_ context.Context, service, target, _ string, in []byte, out any) error {
	answer := out.(*struct{ Plaintext, CiphertextBlob []byte })
	var asked struct {
		KeyID          string `json:"KeyId"`
		CiphertextBlob []byte
	}
	if err := json.Unmarshal(in, &asked); err != nil || service != "kms" {
		return errors.New("asked for something else")
	}
	switch n, wrapped := strings.CutPrefix(string(asked.CiphertextBlob), "wrapped "); {
	case target == "TrentService.GenerateDataKey" && asked.KeyID == "alias/pushpull":
		k.made++
		answer.Plaintext, answer.CiphertextBlob = bytes.Repeat([]byte{'0' + byte(k.made)}, 32), fmt.Appendf(nil, "wrapped %d", k.made)
		return nil
	case target == "TrentService.Decrypt" && wrapped:
		answer.Plaintext = bytes.Repeat([]byte(n), 32)
		return nil
	}
	return errors.New("no such key")
}

func newTestEnv(o Options) *Env {
	if o.Secrets == nil {
		o.Secrets = known("key")
	}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Unix(1e9, 0) }
	}
	o.Rand = zeros{}
	return NewEnv(o)
}

func TestApply(t *testing.T) {
	t.Parallel()
	type paths = config.Paths
	key := config.Secrets{"env:KEY"}
	for _, test := range []struct {
		name       string
		rules      config.Privacy
		data, want string
	}{
		{"what no path leads to stays byte for byte", config.Privacy{Mask: paths{".b"}}, `{ "a" : 1.50 }`, `{ "a" : 1.50 }`},
		{"a mask hides texts, numbers and all there is below", config.Privacy{Mask: paths{".a", ".b", ".c"}}, `{"a":"x","b":17,"c":{"d":[1]},"e":1.50}`, `{"a":"***","b":"***","c":"***","e":1.50}`},
		{"null says nothing and stays", config.Privacy{Mask: paths{".a"}}, `{"a":null}`, `{"a":null}`},
		{"a drop takes out the member, wherever it stands", config.Privacy{Drop: paths{".a", ".b[].c"}}, `{"a":1,"b":[{"c":1},{"c":2,"d":3}],"e":4}`, `{"b":[{},{"d":3}],"e":4}`},
		{"every item of a list", config.Privacy{Mask: paths{".a[]"}}, `{"a":["x",{"y":1},null]}`, `{"a":["***","***",null]}`},
		{"a list of lists", config.Privacy{Drop: paths{"[][].x"}}, `[[{"x":1}],[{"x":2,"y":3}]]`, `[[{}],[{"y":3}]]`},
		{"the whole of the data", config.Privacy{Mask: paths{"[]"}}, `["a","b"]`, `["***","***"]`},
		{"a member that is there twice is hidden twice", config.Privacy{Mask: paths{".a"}}, `{"a":"x","a":"y"}`, `{"a":"***","a":"***"}`},
		{"a name that is written with escapes is the same name", config.Privacy{Mask: paths{".email"}}, `{"\u0065mail":"x"}`, `{"\u0065mail":"***"}`},
		{"a name of any kind", config.Privacy{Mask: paths{`.a["b.c"].d`}}, `{"a":{"b.c":{"d":1}}}`, `{"a":{"b.c":{"d":"***"}}}`},
		{"a path that leads through what is no object leads nowhere", config.Privacy{Mask: paths{".a.b"}}, `{"a":"b"}`, `{"a":"b"}`},
		{
			"a hash is the HMAC-SHA-256 with the key, of a number as of its text",
			config.Privacy{Hash: paths{".a", ".b"}, Key: key},
			`{"a":"17","b":17}`,
			`{"a":"a12ae0285140d1a5ed824fe71d28ad45e436ace9bbeb95f95d4fe145a0d1f3d1","b":"a12ae0285140d1a5ed824fe71d28ad45e436ace9bbeb95f95d4fe145a0d1f3d1"}`,
		},
		{"white space around the data is not theirs", config.Privacy{Mask: paths{".a"}}, " {\"a\":1}\n", `{"a":"***"}`},
		{
			"of a list or an object each value is hashed",
			config.Privacy{Hash: paths{".a"}, Key: key},
			`{"a":[17,{"b":"17"},null]}`,
			`{"a":["a12ae0285140d1a5ed824fe71d28ad45e436ace9bbeb95f95d4fe145a0d1f3d1",{"b":"a12ae0285140d1a5ed824fe71d28ad45e436ace9bbeb95f95d4fe145a0d1f3d1"},null]}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := apply(t, test.rules, test.data); got != test.want {
				t.Error(cmp.Diff(test.want, got))
			}
		})
	}
}

func apply(t *testing.T, p config.Privacy, data string) string {
	t.Helper()
	rules, err := newTestEnv(Options{}).Open(&p)
	if err != nil {
		t.Fatal(err)
	}
	e, whole, err := rules.Apply(t.Context(), event.Event{Data: []byte(data), ContentType: "application/json"})
	if err != nil || whole {
		t.Fatal(err, whole)
	}
	if !event.ValidJSON(e.Data) {
		t.Errorf("%s is not JSON", e.Data)
	}
	return string(e.Data)
}

func TestATokenHasTheFormOfWhatItStandsFor(t *testing.T) {
	t.Parallel()
	rules := config.Privacy{Tokenise: config.Paths{".v"}, Key: config.Secrets{"env:KEY"}}
	for _, test := range []struct{ name, value, form string }{
		{"an e-mail address is one, of a domain that nobody has", `"ann@example.com"`, `^"tok_[0-9a-f]{24}@masked\.invalid"$`},
		{"a phone number keeps its groups", `"+49 (30) 1234-567"`, `^"\+\d\d \(\d\d\) \d{4}-\d{3}"$`},
		{"a card has as many digits", `"4242424242424242"`, `^"\d{16}"$`},
		{"a number has as many digits", `1234567890`, `^[1-9]\d{9}$`},
		{"a short number gets more, or there would be too few", `17`, `^[1-9]\d{14}$`},
		{"a number that is none of counting, too", `-1.5e3`, `^[1-9]\d{14}$`},
		{"a short text of digits has no form worth keeping", `"1234"`, `^"tok_[0-9a-f]{32}"$`},
		{"anything else is tok_ and a hash", `"Ann"`, `^"tok_[0-9a-f]{32}"$`},
		{"and so is a truth", `true`, `^"tok_[0-9a-f]{32}"$`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			first := apply(t, rules, `{"v":`+test.value+`}`)
			token := strings.TrimSuffix(strings.TrimPrefix(first, `{"v":`), "}")
			if !regexp.MustCompile(test.form).MatchString(token) || token == test.value {
				t.Errorf("the token of %s is %s", test.value, token)
			}
			if again := apply(t, rules, `{"v":`+test.value+`}`); again != first {
				t.Errorf("and then it is %s", again)
			}
		})
	}
}

func TestAnotherKeyGivesAnotherToken(t *testing.T) {
	t.Parallel()
	p := &config.Privacy{Tokenise: config.Paths{".v"}, Hash: config.Paths{".w"}, Key: config.Secrets{"env:KEY"}}
	seen := map[string]bool{}
	for _, key := range []known{"one", "two"} {
		rules, err := newTestEnv(Options{Secrets: key}).Open(p)
		if err != nil {
			t.Fatal(err)
		}
		e, _, err := rules.Apply(t.Context(), event.Event{Data: []byte(`{"v":"ann@example.com","w":"x"}`)})
		if err != nil || seen[string(e.Data)] {
			t.Error(string(e.Data), err)
		}
		seen[string(e.Data)] = true
	}
}

func TestWhatIsEncryptedComesBackWithItsDataKey(t *testing.T) {
	t.Parallel()
	asked := &kms{}
	now := time.Unix(1e9, 0)
	env := newTestEnv(Options{KMS: asked, Now: func() time.Time { return now }})
	rules, err := env.Open(&config.Privacy{Encrypt: config.Paths{".card", ".items[]"}, KMS: "alias/pushpull"})
	if err != nil {
		t.Fatal(err)
	}
	const data = `{"card":{"number":"4242","cvc":1.50},"a":1,"items":["x",null,[17]]}`
	for _, want := range []int{1, 1, 2} { // the data key is used for an hour
		e, _, err := rules.Apply(t.Context(), event.Event{Data: []byte(data)})
		if err != nil || asked.made != want {
			t.Fatalf("%v, asked for %d data keys", err, asked.made)
		}
		if text := gjson.GetBytes(e.Data, "card").Str; !strings.HasPrefix(text, Prefix) || strings.Contains(string(e.Data), "4242") {
			t.Errorf("%s", e.Data)
		}
		back, err := env.Reveal(t.Context(), e.Data, nil)
		if err != nil || string(back) != data {
			t.Errorf("%s %v", back, err)
		}
		now = now.Add(31 * time.Minute)
	}
}

func TestWhatWasChangedIsNotRevealed(t *testing.T) {
	t.Parallel()
	env := newTestEnv(Options{KMS: &kms{}})
	key := config.Secrets{"env:KEY"}
	good := apply(t, config.Privacy{Encrypt: config.Paths{".a"}, KMS: Local, Key: key}, `{"a":1}`)
	for _, test := range []struct {
		name, data, want string
		env              *Env
	}{
		{"no JSON", "x", "no JSON", env},
		{"a value that was changed", strings.Replace(good, `"}`, `A"}`, 1), "of another key", env},
		{"a value of another key", good, "of another key", newTestEnv(Options{Secrets: known("other")})},
		{"a value that is cut short", `{"a":"enc:1:local:AAAA"}`, "cut short", env},
		{"a value without a data key", `{"a":"enc:1:!:AAAA"}`, "no data key", env},
		{"a data key that KMS does not know", `{"a":"enc:1:b3RoZXI:AAAA"}`, "have KMS unwrap", env},
		{"a data key of KMS without KMS", `{"a":"enc:1:b3RoZXI:AAAA"}`, "not there", newTestEnv(Options{})},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := test.env.Reveal(t.Context(), []byte(test.data), key); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
	if back, err := env.Reveal(t.Context(), []byte(good), key); err != nil || string(back) != `{"a":1}` {
		t.Errorf("%s %v", back, err)
	}
}

func TestOnOneMachineTheDataKeyIsMadeOfTheKey(t *testing.T) {
	t.Parallel()
	got := apply(t, config.Privacy{Encrypt: config.Paths{".a"}, KMS: Local, Key: config.Secrets{"env:KEY"}}, `{"a":1}`)
	if !strings.HasPrefix(got, `{"a":"enc:1:local:`) {
		t.Error(got)
	}
}

func TestFormsAreHiddenByFieldAndOtherDataAltogether(t *testing.T) {
	t.Parallel()
	p := config.Privacy{Mask: config.Paths{".email", ".payload.user.name"}, Drop: config.Paths{".token"}, Hash: config.Paths{".id"}, Key: config.Secrets{"env:KEY"}}
	rules, err := newTestEnv(Options{}).Open(&p)
	if err != nil {
		t.Fatal(err)
	}
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	for _, test := range []struct {
		name, contentType, data, want string
		whole                         bool
	}{
		{"a field of a form", form, "a=1&email=ann%40example.com&token=x", "a=1&email=%2A%2A%2A", false},
		{"JSON in a field", form, `payload={"user":{"name":"Ann","id":1}}`, "payload=%7B%22user%22%3A%7B%22name%22%3A%22%2A%2A%2A%22%2C%22id%22%3A1%7D%7D", false},
		{"a hash of a field is that of the text", form, "id=17", "id=a12ae0285140d1a5ed824fe71d28ad45e436ace9bbeb95f95d4fe145a0d1f3d1", false},
		{"a form without them stays byte for byte", form, "b=2&a=1", "b=2&a=1", false},
		{"XML has no paths", "application/xml", "<email>ann@example.com</email>", "null", true},
		{"nor has broken JSON", "application/json", `{"email":"ann@example.com"`, "null", true},
		{"nor a broken form", form, "email=%zz", "null", true},
		{"nothing is nothing", "", "", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, whole, err := rules.Apply(t.Context(), event.Event{Data: []byte(test.data), ContentType: test.contentType})
			if err != nil || whole != test.whole || string(e.Data) != test.want {
				t.Errorf("%s, %v, %v; want %s", e.Data, whole, err, test.want)
			}
		})
	}
}

func TestWithoutItsKeyNothingGetsOut(t *testing.T) {
	t.Parallel()
	data := event.Event{Data: []byte(`{"a":"ann@example.com"}`)}
	for _, test := range []struct {
		name  string
		rules config.Privacy
		o     Options
		e     event.Event
	}{
		{"a store that does not answer", config.Privacy{Hash: config.Paths{".a"}, Key: config.Secrets{"env:KEY"}}, Options{Secrets: known("")}, data},
		{"a key that is not named", config.Privacy{Hash: config.Paths{".a"}}, Options{}, data},
		{"a KMS that does not know the key", config.Privacy{Encrypt: config.Paths{".a"}, KMS: "alias/other"}, Options{KMS: &kms{}}, data},
		{"data that are in the claim check", config.Privacy{Mask: config.Paths{".a"}}, Options{}, event.Event{DataRef: "s3://bodies/1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rules, err := newTestEnv(test.o).Open(&test.rules)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := rules.Apply(t.Context(), test.e); err == nil || strings.Contains(err.Error(), "ann@") {
				t.Error(err)
			}
		})
	}
}

func TestPathsThatAreWrongAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, want string
		rules      config.Privacy
	}{
		{"without a dot", "begins with no dot", config.Privacy{Mask: config.Paths{"a"}}},
		{"with an empty name", "an empty name", config.Privacy{Mask: config.Paths{".a..b"}}},
		{"with an index", "begins with no dot", config.Privacy{Mask: config.Paths{".a[0]"}}},
		{"with an open bracket", `["a name"]`, config.Privacy{Mask: config.Paths{`.["a`}}},
		{"empty", "an empty path", config.Privacy{Mask: config.Paths{""}}},
		{"twice", "hidden already", config.Privacy{Mask: config.Paths{".a"}, Drop: config.Paths{".a"}}},
		{"below another", "hidden already", config.Privacy{Mask: config.Paths{".a"}, Drop: config.Paths{".a.b"}}},
		{"above another", "hidden already", config.Privacy{Mask: config.Paths{".a.b"}, Drop: config.Paths{".a"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := newTestEnv(Options{}).Open(&test.rules); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func FuzzApply(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":[{"c":"secret"}]}}`, `[{"a":1}]`, `{"a":"x","a":{"b":["y"]}}`, `"a"`, `{"a":{"b":[[],{"c":null}]}} `} {
		f.Add([]byte(seed))
	}
	p := config.Privacy{Mask: config.Paths{".a.b[].c"}, Drop: config.Paths{".d"}, Tokenise: config.Paths{".e"}, Hash: config.Paths{"[].f"}, Key: config.Secrets{"env:KEY"}}
	rules, err := newTestEnv(Options{}).Open(&p)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, whole, err := rules.Apply(t.Context(), event.Event{Data: data, ContentType: "application/json"})
		if err != nil || len(data) > 0 && !event.ValidJSON(e.Data) {
			t.Fatalf("%q is made of %q: %v", e.Data, data, err)
		}
		if again, _, _ := rules.Apply(t.Context(), event.Event{Data: data, ContentType: "application/json"}); !bytes.Equal(again.Data, e.Data) || whole == event.ValidJSON(data) && len(data) > 0 {
			t.Fatalf("%q is made of %q, and then %q", e.Data, data, again.Data)
		}
		for _, item := range gjson.GetBytes(e.Data, "a.b.#.c").Array() {
			if item.Raw != masked && item.Type != gjson.Null {
				t.Fatalf("%s is left of %q", item.Raw, data)
			}
		}
	})
}
