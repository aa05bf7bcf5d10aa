package apiauth

import (
	"crypto/md5"  //nolint:gosec // some providers have nothing else
	"crypto/sha1" //nolint:gosec // some providers have nothing else
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// A filter changes the value of a placeholder: {body|sha256|hex}.
type filter func([]byte) []byte

var filters = map[string]filter{
	"sha1":      func(b []byte) []byte { sum := sha1.Sum(b); return sum[:] }, //nolint:gosec // see above
	"sha256":    func(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] },
	"sha512":    func(b []byte) []byte { sum := sha512.Sum512(b); return sum[:] },
	"md5":       func(b []byte) []byte { sum := md5.Sum(b); return sum[:] }, //nolint:gosec // see above
	"hex":       func(b []byte) []byte { return hex.AppendEncode(nil, b) },
	"base64":    func(b []byte) []byte { return base64.StdEncoding.AppendEncode(nil, b) },
	"base64url": func(b []byte) []byte { return base64.RawURLEncoding.AppendEncode(nil, b) },
	"unbase64":  unbase64,
	"unhex":     unhex,
	"lower":     func(b []byte) []byte { return []byte(strings.ToLower(string(b))) },
	"upper":     func(b []byte) []byte { return []byte(strings.ToUpper(string(b))) },
	"escape":    func(b []byte) []byte { return []byte(url.QueryEscape(string(b))) },
}

// unbase64 reads either alphabet, padded or not; what is no such text stays as it is.
func unbase64(b []byte) []byte {
	text := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(string(b)), "=")
	if plain, err := base64.RawStdEncoding.DecodeString(text); err == nil {
		return plain
	}
	return b
}

func unhex(b []byte) []byte {
	if plain, err := hex.DecodeString(string(b)); err == nil {
		return plain
	}
	return b
}

func parseFilters(names string) (list []filter, problem string) {
	if names == "" {
		return nil, ""
	}
	for name := range strings.SplitSeq(names, "|") {
		f, ok := filters[name]
		if !ok {
			return nil, fmt.Sprintf("unknown filter %q: there is %s", name, strings.Join(slices.Sorted(maps.Keys(filters)), ", "))
		}
		list = append(list, f)
	}
	return list, ""
}
