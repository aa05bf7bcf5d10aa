package body

import (
	"bytes"
	"errors"

	"pushpull/shared/event"
)

var errJWT = errors.New("the body is not a compact JSON Web Token with JSON claims")

// readJWT reads the claims of a token that was verified before.
func readJWT(b []byte, contentType string) document {
	token := trim(b)
	_, rest, _ := bytes.Cut(token, []byte{'.'})
	payload, signature, ok := bytes.Cut(rest, []byte{'.'})
	if !ok || bytes.IndexByte(signature, '.') >= 0 {
		return unreadable(b, contentType, errJWT)
	}
	claims, err := decodeBase64(string(payload))
	if err != nil || !event.ValidJSON(claims) {
		return unreadable(b, contentType, errJWT)
	}
	return document{data: claims, contentType: jsonType, view: claims}
}
