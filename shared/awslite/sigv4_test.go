package awslite

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// verifySignature computes the signature of a request anew, from the description
// of Signature Version 4 and not from the code that made it.
func verifySignature(r *http.Request, body []byte, secret, region, service string) error {
	var credential, signedHeaders, signature string
	fields := strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for field := range strings.SplitSeq(fields, ", ") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "Credential":
			credential = value
		case "SignedHeaders":
			signedHeaders = value
		case "Signature":
			signature = value
		}
	}
	names := strings.Split(signedHeaders, ";")
	for _, must := range []string{"host", "x-amz-date"} {
		if !slices.Contains(names, must) {
			return fmt.Errorf("%s is not signed", must)
		}
	}
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") && !slices.Contains(names, lower) {
			return fmt.Errorf("%s is not signed", name)
		}
	}

	var canonical strings.Builder
	fmt.Fprintf(&canonical, "%s\n%s\n%s\n", r.Method, r.URL.EscapedPath(), r.URL.RawQuery)
	for _, name := range names {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		fmt.Fprintf(&canonical, "%s:%s\n", name, value)
	}
	fmt.Fprintf(&canonical, "\n%s\n%s", signedHeaders, sha(body))

	date := r.Header.Get("X-Amz-Date")
	if len(date) < 8 {
		return fmt.Errorf("date %q", date)
	}
	scope := date[:8] + "/" + region + "/" + service + "/aws4_request"
	if !strings.HasSuffix(credential, "/"+scope) {
		return fmt.Errorf("credential %q is not of scope %s", credential, scope)
	}
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	want := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+sha([]byte(canonical.String()))))
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return errors.New("the signature is another one")
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
