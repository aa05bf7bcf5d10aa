package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

var (
	github = config.Auth{Scheme: "hmac", Signature: config.Signature{Header: config.Names{"X-Hub-Signature-256"}, Prefix: config.Names{"sha256="}}}
	stripe = config.Auth{
		Scheme: "hmac", Signature: config.Signature{Header: config.Names{"Stripe-Signature"}, Separator: ",", Name: "v1"},
		Timestamp: &config.Timestamp{Name: "t"}, Signed: config.Names{"{timestamp}.{body}"},
	}
	standard = config.Auth{
		Scheme: "hmac", Encoding: "base64", Key: config.Key{Prefix: "whsec_", Encoding: "base64"},
		Signature: config.Signature{Header: config.Names{"webhook-signature"}, Separator: " ", Equals: ",", Name: "v1"},
		Timestamp: &config.Timestamp{Header: "webhook-timestamp"}, Signed: config.Names{"{header.webhook-id}.{timestamp}.{body}"},
	}
)

// names is nothing for an empty text.
func names(text string) config.Names {
	if text == "" {
		return nil
	}
	return config.Names{text}
}

const secret = "It's a Secret to Everybody"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sign is HMAC-SHA256 in hex, made without the package under test.
func sign(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

func header(pairs ...string) webhook.Header {
	var h webhook.Header
	for i := 0; i < len(pairs); i += 2 {
		h = append(h, webhook.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return h
}

func TestVerify(t *testing.T) {
	t.Parallel()
	good := sign(secret, "{}")
	at := func(d time.Duration) string { return fmt.Sprint(noon.Add(d).Unix()) }
	stamped := func(stamp string) string { return sign(secret, stamp+".{}") }
	for _, tt := range []struct {
		name    string
		auth    config.Auth
		secrets []string
		header  webhook.Header
		want    error
	}{
		{"a signature", github, nil, header("x-hub-signature-256", "sha256="+good), nil},
		{"a signature in capitals", github, nil, header("X-HUB-SIGNATURE-256", "sha256="+strings.ToUpper(good)), nil},
		{"a signature between spaces", github, nil, header("X-Hub-Signature-256", " sha256="+good+" "), nil},
		{"no header", github, nil, nil, webhook.ErrMissing},
		{"an empty header", github, nil, header("X-Hub-Signature-256", ""), webhook.ErrMissing},
		{"a signature without its prefix", github, nil, header("X-Hub-Signature-256", good), webhook.ErrSignature},
		{"a signature with another prefix", github, nil, header("X-Hub-Signature-256", "sha1="+good), webhook.ErrSignature},
		{"a signature that is not hex", github, nil, header("X-Hub-Signature-256", "sha256=zz"), webhook.ErrSignature},
		{"a signature that is cut off", github, nil, header("X-Hub-Signature-256", "sha256="+good[:32]), webhook.ErrSignature},
		{"nothing behind the prefix", github, nil, header("X-Hub-Signature-256", "sha256="), webhook.ErrSignature},
		{"a signature of another body", github, nil, header("X-Hub-Signature-256", "sha256="+sign(secret, "[]")), webhook.ErrSignature},
		{"a header over 8 KiB", github, nil, header("X-Hub-Signature-256", "sha256="+good+strings.Repeat(" ", 9000)), webhook.ErrSignature},
		{"the header twice, the second one good", github, nil, header("X-Hub-Signature-256", "sha256=00", "X-Hub-Signature-256", "sha256="+good), nil},
		{"a signature made with the previous secret", github, []string{"new", secret}, header("X-Hub-Signature-256", "sha256="+good), nil},
		{"a signature made with the new secret", github, []string{secret, "old"}, header("X-Hub-Signature-256", "sha256="+good), nil},
		{"no secret", github, []string{}, header("X-Hub-Signature-256", "sha256="+good), webhook.ErrSecret},
		{"an empty secret, and a signature made with it", github, []string{""}, header("X-Hub-Signature-256", "sha256="+sign("", "{}")), webhook.ErrSecret},
		{"an empty secret beside a good one", github, []string{"", secret}, header("X-Hub-Signature-256", "sha256="+good), nil},
		{"an empty secret beside one that does not match", github, []string{"", "x"}, header("X-Hub-Signature-256", "sha256="+good), webhook.ErrSecret},
		{"a secret that is not the base64 it should be", standard, []string{"whsec_***"}, header("webhook-id", "m", "webhook-timestamp", at(0), "webhook-signature", "v1,AAAA"), webhook.ErrSecret},
		{"a secret that is a prefix and nothing else", standard, []string{"whsec_"}, header("webhook-id", "m", "webhook-timestamp", at(0), "webhook-signature", "v1,AAAA"), webhook.ErrSecret},
		{"a signed header that is absent", standard, []string{"whsec_AAAA"}, header("webhook-timestamp", at(0), "webhook-signature", "v1,AAAA"), webhook.ErrMissing},
		{"a timestamp header that is absent", standard, []string{"whsec_AAAA"}, header("webhook-id", "m", "webhook-signature", "v1,AAAA"), webhook.ErrMissing},

		{"a signed timestamp", stripe, nil, header("Stripe-Signature", "t="+at(0)+",v1="+stamped(at(0))), nil},
		{"a space behind the comma, the items in another order", stripe, nil, header("Stripe-Signature", "v1="+stamped(at(0))+", t="+at(0)), nil},
		{"several signatures, the last one good", stripe, nil, header("Stripe-Signature", "t="+at(0)+",v1="+good+",v0="+good+",v1="+stamped(at(0))), nil},
		{"a good signature under another name", stripe, nil, header("Stripe-Signature", "t="+at(0)+",v0="+stamped(at(0))), webhook.ErrMissing},
		{"no item with a name", stripe, nil, header("Stripe-Signature", stamped(at(0))), webhook.ErrMissing},
		{"no timestamp", stripe, nil, header("Stripe-Signature", "v1="+stamped(at(0))), webhook.ErrMissing},
		{"a timestamp that was changed", stripe, nil, header("Stripe-Signature", "t="+at(1)+"0,v1="+stamped(at(0))), webhook.ErrSignature},
		{"a timestamp of 64 bytes and more", stripe, nil, header("Stripe-Signature", "t="+strings.Repeat("0", 65)+",v1="+stamped(strings.Repeat("0", 65))), webhook.ErrSignature},
		{"a signed timestamp that is none", stripe, nil, header("Stripe-Signature", "t=soon,v1="+stamped("soon")), webhook.ErrStale},
		{"just within the tolerance", stripe, nil, header("Stripe-Signature", "t="+at(-5*time.Minute)+",v1="+stamped(at(-5*time.Minute))), nil},
		{"a second too old", stripe, nil, header("Stripe-Signature", "t="+at(-301*time.Second)+",v1="+stamped(at(-301*time.Second))), webhook.ErrStale},
		{"as far in the future as the tolerance lets it", stripe, nil, header("Stripe-Signature", "t="+at(5*time.Minute)+",v1="+stamped(at(5*time.Minute))), nil},
		{"a second too far in the future", stripe, nil, header("Stripe-Signature", "t="+at(301*time.Second)+",v1="+stamped(at(301*time.Second))), webhook.ErrStale},
		{"the end of time", stripe, nil, header("Stripe-Signature", "t=9223372036854775807,v1="+stamped("9223372036854775807")), webhook.ErrStale},
		{"the beginning of time", stripe, nil, header("Stripe-Signature", "t=-9223372036854775808,v1="+stamped("-9223372036854775808")), webhook.ErrStale},
		{"an old timestamp that is not even signed is no matter of age", stripe, nil, header("Stripe-Signature", "t=1,v1="+good), webhook.ErrSignature},
		{"sixteen signatures are looked at", stripe, nil, header("Stripe-Signature", "t="+at(0)+strings.Repeat(",v1=00", 15)+",v1="+stamped(at(0))), nil},
		{"the seventeenth is not", stripe, nil, header("Stripe-Signature", "t="+at(0)+strings.Repeat(",v1=00", 16)+",v1="+stamped(at(0))), webhook.ErrSignature},

		{"no scheme, in so many words", config.Auth{Scheme: "none"}, nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.secrets == nil {
				tt.secrets = []string{secret}
			}
			r := webhook.Request{Method: "POST", Header: tt.header, Body: []byte("{}")}
			err := compile(t, tt.auth).Verify(t.Context(), webhook.Credentials{Secrets: tt.secrets}, r, noon)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}

func TestEveryParameterThatCanBeSignedCanBeVerified(t *testing.T) {
	t.Parallel()
	keys := map[string]config.Key{
		"plain text": {}, "dGhlIGtleSBpdHNlbGY": {Encoding: "base64"}, "whsec_-_-_": {Prefix: "whsec_", Encoding: "base64"},
		"whsec_dGhlIGtleQ==": {Prefix: "whsec_", Encoding: "base64"}, "00ffAB": {Encoding: "hex"}, "whsec_whole": {},
	}
	signatures := []config.Signature{
		{Header: config.Names{"S"}},
		{Header: config.Names{"S"}, Prefix: config.Names{"sha="}},
		{Header: config.Names{"S"}, Separator: ","},
		{Header: config.Names{"S"}, Separator: " ", Equals: ",", Name: "v1"},
		{Header: config.Names{"S"}, Separator: ";", Name: "h1", Prefix: config.Names{"p"}},
		{Header: config.Names{"S"}, Name: "only"},
	}
	stamps := []*config.Timestamp{nil, {Header: "T"}, {Header: "T", Unit: "ms"}, {Header: "T", Unit: "rfc3339"}, {Name: "t", Unit: "ms"}}
	for secret, key := range keys {
		for _, algorithm := range []string{"", "sha1", "sha256", "sha384", "sha512"} {
			for _, encoding := range []string{"", "hex", "base64", "base64url"} {
				for _, signature := range signatures {
					for _, stamp := range stamps {
						auth := config.Auth{Scheme: "hmac", Algorithm: names(algorithm), Encoding: encoding, Key: key, Signature: signature, Timestamp: stamp}
						auth.Signed = config.Names{"{method}|{path}|{query}|{url}|{header.I}|{body}"}
						if stamp != nil {
							auth.Signed[0] += "|{timestamp}"
						}
						if stamp != nil && stamp.Name != "" && (signature.Name == "" || signature.Separator == "") {
							continue
						}
						r := webhook.Request{Method: "POST", Path: "/p", RawQuery: "q=1", URL: "https://h/p?q=1", Body: []byte("{}")}
						if err := webhook.Sign(auth, webhook.Credentials{Secrets: []string{secret}}, &r, "id-1", noon); err != nil {
							t.Fatalf("%+v: %v", auth, err)
						}
						v := compile(t, auth)
						if err := v.Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); err != nil {
							t.Fatalf("%+v: %+v: %v", auth, r, err)
						}
						r.RawQuery = "q=2"
						if err := v.Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); !errors.Is(err, webhook.ErrSignature) {
							t.Fatalf("%+v: %+v: %v", auth, r, err)
						}
					}
				}
			}
		}
	}
}

func TestCompileRefusesWhatWouldNotProtect(t *testing.T) {
	t.Parallel()
	with := func(change func(*config.Auth)) config.Auth {
		a := stripe
		a.Signed = slices.Clone(a.Signed)
		stamp := *stripe.Timestamp
		a.Timestamp = &stamp
		change(&a)
		return a
	}
	for _, tt := range []struct {
		name string
		auth config.Auth
		says string
	}{
		{"no scheme at all", config.Auth{}, "there are [all any basic"},
		{"an algorithm we do not have", with(func(a *config.Auth) { a.Algorithm = config.Names{"md4"} }), "algorithm"},
		{"an encoding we do not have", with(func(a *config.Auth) { a.Encoding = "base32" }), "encoding"},
		{"a key encoding we do not have", with(func(a *config.Auth) { a.Key.Encoding = "rot13" }), "key encoding"},
		{"a path of the body with an empty step", with(func(a *config.Auth) { a.Signed = config.Names{"{timestamp}.{body.a..b}"} }), "empty step"},
		{"a path of the signature with an empty step", with(func(a *config.Auth) { a.Signature = config.Signature{Body: "a."} }), "signature.body"},
		{"a path of the items with an empty step", with(func(a *config.Auth) { a.Each = ".a" }), "each: the path"},
		{"no header", with(func(a *config.Auth) { a.Signature.Header = nil }), "nowhere"},
		{"items that cannot be told apart", with(func(a *config.Auth) { a.Signature.Separator = "=" }), "could not be told"},
		{"a timestamp that is not signed", with(func(a *config.Auth) { a.Signed = config.Names{"{body}"} }), "anybody could change it"},
		{"a timestamp that is nowhere", with(func(a *config.Auth) { a.Timestamp.Name = "" }), "nowhere"},
		{"a timestamp in two places", with(func(a *config.Auth) { a.Timestamp.Header = "T" }), "two places"},
		{"a timestamp that is the signature", with(func(a *config.Auth) { a.Timestamp.Name = "v1" }), "both the item"},
		{"a timestamp among items without names", with(func(a *config.Auth) { a.Signature.Name = "" }), "signature.name"},
		{"a unit we do not have", with(func(a *config.Auth) { a.Timestamp.Unit = "d" }), "unit"},
		{"a timestamp that is signed but not there", with(func(a *config.Auth) { a.Timestamp = nil }), "does not say where"},
		{"a field and its elements", with(func(a *config.Auth) { a.Field, a.Each = "payload", "items" }), "keep one"},
		{"a placeholder we do not have", with(func(a *config.Auth) { a.Signed[0] += "{id}" }), "unknown placeholder {id}"},
		{"a template that is broken", with(func(a *config.Auth) { a.Signed[0] += "{" }), "without its }"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := webhook.Compile(tt.auth)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
			if v != nil {
				t.Error("a verifier beside the error")
			}
		})
	}
}

// Whatever the headers hold, nil means that the signature of the body is in them.
func FuzzVerify(f *testing.F) {
	schemes := []config.Auth{github, stripe, standard}
	const key = "dGhlIGtleSBpdHNlbGY"
	for _, v := range vectors(f) {
		f.Add(uint8(0), v.Headers[v.Auth.Signature.Header[0]], "1614265330", "id", []byte(v.Body))
	}
	stamp := fmt.Sprint(noon.Unix())
	f.Add(uint8(0), "sha256="+sign(key, "{}"), "", "", []byte("{}"))
	f.Add(uint8(1), "t="+stamp+",v1="+sign(key, stamp+".{}"), "", "", []byte("{}"))
	f.Add(uint8(2), "v1,AAAA v1a,BBBB v1,=", stamp, "m", []byte("{}"))
	f.Fuzz(func(t *testing.T, scheme uint8, signature, stamp, id string, body []byte) {
		auth := schemes[int(scheme)%len(schemes)]
		v, err := webhook.Compile(auth)
		if err != nil {
			t.Fatal(err)
		}
		r := webhook.Request{Header: header(auth.Signature.Header[0], signature, "webhook-timestamp", stamp, "webhook-id", id), Body: body}
		err = v.Verify(context.Background(), webhook.Credentials{Secrets: []string{key}}, r, noon)
		if err != nil {
			for _, known := range []error{webhook.ErrMissing, webhook.ErrSignature, webhook.ErrStale} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatalf("an error that is none of the verdicts: %v", err)
		}
		again := webhook.Request{Body: body}
		if err := webhook.Sign(auth, webhook.Credentials{Secrets: []string{key}}, &again, id, signedAt(auth, signature, stamp)); err != nil {
			t.Fatal(err)
		}
		_, want, _ := strings.Cut(again.Header.Get(auth.Signature.Header[0]), map[bool]string{true: "v1,", false: "="}[scheme%3 == 2])
		if i := strings.LastIndex(want, "v1="); i >= 0 {
			want = want[i+3:]
		}
		if !strings.Contains(strings.ToLower(signature), strings.ToLower(strings.TrimRight(want, "="))) {
			t.Errorf("accepted %q without %q", signature, want)
		}
	})
}

// signedAt finds the time that a request says it was signed at.
func signedAt(auth config.Auth, signature, stamp string) time.Time {
	if auth.Timestamp != nil && auth.Timestamp.Name != "" {
		for item := range strings.SplitSeq(signature, ",") {
			if value, ok := strings.CutPrefix(strings.TrimSpace(item), "t="); ok {
				stamp = value
				break
			}
		}
	}
	var n int64
	_, _ = fmt.Sscan(stamp, &n)
	return time.Unix(n, 0)
}

func BenchmarkVerify(b *testing.B) {
	for name, auth := range map[string]config.Auth{"github": github, "stripe": stripe, "standard": standard} {
		b.Run(name, func(b *testing.B) {
			const key = "dGhlIGtleSBpdHNlbGY"
			r := webhook.Request{Header: header("a", "1", "b", "2", "content-type", "application/json"), Body: []byte(strings.Repeat("x", 8<<10))}
			if err := webhook.Sign(auth, webhook.Credentials{Secrets: []string{key}}, &r, "msg_1", noon); err != nil {
				b.Fatal(err)
			}
			v := compile(b, auth)
			b.SetBytes(int64(len(r.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := v.Verify(context.Background(), webhook.Credentials{Secrets: []string{key}}, r, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
