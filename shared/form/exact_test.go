package form_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/form"
)

// multipart is one with these headers and values.
func multipart(parts ...string) string {
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		b.WriteString("--x\r\n" + parts[i] + "\r\n\r\n" + parts[i+1] + "\r\n")
	}
	return b.String() + "--x--\r\n"
}

func TestExactFieldsAreThoseThatEveryReaderHas(t *testing.T) {
	t.Parallel()
	const multi, a = "multipart/form-data; boundary=x", `Content-Disposition: form-data; name="a"`
	one := url.Values{"a": {"1"}}
	for _, tt := range []struct {
		name, contentType, body string
		want                    url.Values
	}{
		{"a form", form.URLEncoded, "a=1&b=%2B+&&a=2", url.Values{"a": {"1", "2"}, "b": {"+ "}}},
		{"a form without fields", form.URLEncoded, "", url.Values{}},
		{"the type in any case", "Application/X-WWW-Form-URLEncoded", "a=1", one},
		{"a charset that keeps ASCII", form.URLEncoded + "; charset=iso-8859-1", "a=1", one},
		{"a charset in quotes", form.URLEncoded + `; charset="UTF-8"`, "a=1", one},
		{"a charset in which a name has several spellings", form.URLEncoded + "; charset=iso-2022-jp", "a=1", nil},
		{"a charset that quotes hide from a simple reader", form.URLEncoded + `; charset="utf-16"`, "a=1", nil},
		{"a charset within the quotes of another parameter", form.URLEncoded + `; x="; charset=utf-16"`, "a=1", nil},
		{"a charset that is named twice", form.URLEncoded + "; charset=utf-8; charset=utf-16", "a=1", nil},
		{"another type", "text/plain", "a=1", nil},
		{"no type", "", "a=1", nil},
		{"a type that cannot be read", form.URLEncoded + "; =", "a=1", nil},
		{"percent signs that cannot be decoded", form.URLEncoded, "a=1&b=%zz", nil},
		{"a semicolon, which separates for some", form.URLEncoded, "a=1;b=2", nil},
		{"what could be JSON", form.URLEncoded, `{"a":"&a=1&"}`, nil},
		{"what could be JSON behind a byte order mark", form.URLEncoded, "\xef\xbb\xbf[&a=1&]", nil},
		{"as many fields as may be", form.URLEncoded, strings.Repeat("a=1&", 10_000), url.Values{"a": strings.Split(strings.Repeat("1", 10_000), "")}},
		{"more fields", form.URLEncoded, strings.Repeat("a=1&", 10_001), nil},
		{"a multipart", multi, multipart(a, "1", `Content-Disposition: form-data; name="f"; filename="f"`, "2"), one},
		{"a multipart of which a part is in a wide charset", multi, multipart(a, "1", "Content-Type: text/plain; charset=utf-16\r\n"+a, "2"), nil},
		{"a multipart that is cut off", multi, strings.TrimSuffix(multipart(a, "1"), "--x--\r\n"), nil},
		{"a multipart without its boundary", "multipart/form-data", multipart(a, "1"), nil},
		{"a multipart of more parts than may be", multi, multipart(strings.Split(strings.Repeat(a+"\n1\n", 1_001), "\n")[:2_002]...), nil},
		{"a multipart of as many parts as may be", multi, multipart(strings.Split(strings.Repeat(a+"\n1\n", 1_000), "\n")[:2_000]...), url.Values{"a": strings.Split(strings.Repeat("1", 1_000), "")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, form.Exact(tt.contentType, []byte(tt.body))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
