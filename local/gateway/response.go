package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
)

// A response is what a function answers in format version 2.0.
type response struct {
	StatusCode      int            `json:"statusCode"`
	Headers         map[string]any `json:"headers"` // text, number or bool
	Cookies         []string       `json:"cookies"`
	Body            string         `json:"body"`
	IsBase64Encoded bool           `json:"isBase64Encoded"`
}

// respond writes the answer of a function. JSON without a statusCode is the
// body itself, with 200. On error nothing is written.
func respond(w http.ResponseWriter, answer []byte) error {
	if !json.Valid(answer) {
		return badAnswer("%d bytes that are not JSON", len(answer))
	}
	var a response
	isObject := bytes.HasPrefix(bytes.TrimSpace(answer), []byte("{"))
	if isObject {
		if err := json.Unmarshal(answer, &a); err != nil {
			return badAnswer("%v", err)
		}
	}
	if a.StatusCode == 0 {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(plain(answer))
		return nil
	}
	if a.StatusCode < 200 || a.StatusCode > 599 {
		return badAnswer("its statusCode is %d", a.StatusCode)
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(a.Body)
		if err != nil {
			return badAnswer("its body is not base64, as it says")
		}
		body = decoded
	}
	for name, value := range a.Headers {
		w.Header().Set(name, headerText(value))
	}
	for _, c := range a.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	if w.Header().Get("Content-Type") == "" && len(body) > 0 {
		w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
	}
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(body)
	return nil
}

// plain takes a JSON text out of its quotes, as the gateway does.
func plain(answer []byte) []byte {
	var s string
	if json.Unmarshal(answer, &s) == nil {
		return []byte(s)
	}
	return answer
}

func headerText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var out bytes.Buffer
	_ = json.NewEncoder(&out).Encode(v) // numbers and booleans, which always encode
	text, _ := io.ReadAll(&out)
	return string(bytes.TrimSpace(text))
}

var _ http.Handler = (*Gateway)(nil)
