package pull

import (
	"strings"
	"testing"
	"time"
)

func TestNextLink(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		headers    []string
	}{
		{"github's form", "https://a/?page=2", []string{`<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last"`}},
		{"second of two headers", "/2", []string{`</1>; rel="prev"`, `</2>; rel=next`}},
		{"commas and semicolons within the target", "/a,b;c", []string{`</a,b;c>;rel="next"`}},
		{"quoted texts with commas, quotes and brackets", "/n", []string{`</x>; title="a, \"<b>\"; rel=next"; rel=prev, </n>; rel="next"`}},
		{"several relations in one rel", "/n", []string{`</n>; rel="last NEXT"`}},
		{"only the first rel counts", "", []string{`</n>; rel=prev; rel=next`}},
		{"a parameter without a value", "/n", []string{`</n>; crossorigin; rel=next`}},
		{"none", "", []string{`</n>; rel="prev"`, ``, `<unclosed; rel=next`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := nextLink(tt.headers); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzNextLink(f *testing.F) {
	f.Add(`<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last"`)
	f.Add(`<;=,">;rel="\`)
	f.Fuzz(func(t *testing.T, header string) {
		if got := nextLink([]string{header}); !strings.Contains(header, got) {
			t.Errorf("%q is not in the header", got)
		}
	})
}

func TestValues(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, text := range []string{"2026-11-23T10:00:00Z", "2026-11-23T11:00:00+01:00", "2026-11-23T11:00:00+0100", "2026-11-23 10:00:00", "1795428000", "1795428000000", "1795428000.000"} {
		v, err := (scale{zone: time.UTC}).parse(text)
		if err != nil || !v.at.Equal(want) {
			t.Errorf("%s is %v (%v)", text, v.at, err)
		}
	}
	for _, tt := range []struct{ text, format, want string }{
		{"2026-11-23T10:00:00.789Z", "unix", "1795428000"},
		{"2026-11-23T10:00:00.789Z", "unix_ms", "1795428000789"},
		{"2026-11-23T11:00:00.789+01:00", "rfc3339", "2026-11-23T10:00:00.789Z"},
		{"1795428000.789", "unix", "1795428000"},
		{"18446744073709551616", "text", "18446744073709551616"},
	} {
		v, err := (scale{format: tt.format, zone: time.UTC}).parse(tt.text)
		if got := (scale{format: tt.format, zone: time.UTC}).start(v).text; err != nil || got != tt.want {
			t.Errorf("%s is sent as %s (%v), want %s", tt.text, got, err, tt.want)
		}
	}
	if (value{text: "9"}).compare(value{text: "10"}) >= 0 || (value{text: "b"}).compare(value{text: "a10"}) <= 0 {
		t.Error("numbers sort as numbers, texts as texts")
	}
}

func FuzzParseValue(f *testing.F) {
	f.Add("2026-11-23T10:00:00.123Z")
	f.Add("1795428000.5")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := (scale{zone: time.UTC}).parse(text)
		if err != nil || v.at.IsZero() || v.at.Year() > 9999 || v.at.Year() < 1970 {
			return
		}
		back, err := (scale{zone: time.UTC}).parse((scale{zone: time.UTC}).start(v).text)
		if err != nil || back.at.After(v.at) {
			t.Errorf("%q is sent as %q, a higher bound (%v)", text, (scale{zone: time.UTC}).start(v).text, err)
		}
	})
}
