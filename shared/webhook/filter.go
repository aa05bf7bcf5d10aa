package webhook

import (
	"crypto/md5"  //nolint:gosec // some providers have nothing else
	"crypto/sha1" //nolint:gosec // some providers have nothing else
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"net/url"
	"strconv"
	"strings"
)

// A filter changes the value of a placeholder: {body|sha256|hex}.
type filter func([]byte) []byte

// filters are all there are, by name. To add one: its line here, and in docs/webhooks.md.
var filters = map[string]filter{
	"sha1":   func(b []byte) []byte { sum := sha1.Sum(b); return sum[:] }, //nolint:gosec // see above
	"sha256": func(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] },
	"sha512": func(b []byte) []byte { sum := sha512.Sum512(b); return sum[:] },
	"md5":    func(b []byte) []byte { sum := md5.Sum(b); return sum[:] }, //nolint:gosec // see above
	"crc32": func(b []byte) []byte {
		return strconv.AppendUint(nil, uint64(crc32.ChecksumIEEE(b)), 10)
	},
	"hex":    func(b []byte) []byte { return hex.AppendEncode(nil, b) },
	"base64": func(b []byte) []byte { return base64.StdEncoding.AppendEncode(nil, b) },
	"lower":  func(b []byte) []byte { return []byte(strings.ToLower(string(b))) },
	"upper":  func(b []byte) []byte { return []byte(strings.ToUpper(string(b))) },
	"unescape": func(b []byte) []byte {
		if plain, err := url.PathUnescape(string(b)); err == nil {
			return []byte(plain)
		}
		return b
	},
	// unescape_url undoes what HubSpot lists: the characters that need no escape
	// in a path or a query, and no others.
	"unescape_url": func(b []byte) []byte { return []byte(readable.Replace(string(b))) },
}

var readable = strings.NewReplacer("%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/", "%3F", "?", "%3f", "?", "%40", "@",
	"%21", "!", "%24", "$", "%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2a", "*", "%2C", ",", "%2c", ",", "%3B", ";", "%3b", ";")
