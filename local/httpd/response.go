package httpd

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A response is held until it is whole.
type response struct {
	header http.Header
	status int
	body   []byte
	head   []byte // kept for the next one
}

func (w *response) reset() {
	const kept = 64 << 10
	if cap(w.body) > kept {
		w.body = nil
	}
	clear(w.header)
	w.status, w.body = 0, w.body[:0]
}

// Header is what the handler sets.
func (w *response) Header() http.Header { return w.header }

// WriteHeader sets the status, once.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

// Write adds to the body.
func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}

// oneLine keeps a value from beginning another header.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// writeTo sends the response in one write.
func (w *response) writeTo(conn net.Conn) error {
	w.WriteHeader(http.StatusOK)
	empty := w.status == http.StatusNoContent || w.status == http.StatusNotModified
	if empty {
		w.body = nil
	}
	b := append(w.head[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(w.status), 10)
	b = append(append(b, ' '), http.StatusText(w.status)...)
	b = append(b, "\r\nDate: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	for name, values := range w.header {
		if name == "Content-Length" || name == "Date" || name == "Transfer-Encoding" || name == "Connection" || !plainName(name) {
			continue
		}
		for _, v := range values {
			b = append(append(append(append(b, "\r\n"...), name...), ": "...), oneLine.Replace(v)...)
		}
	}
	if len(w.body) > 0 && w.header["Content-Type"] == nil {
		b = append(append(b, "\r\nContent-Type: "...), http.DetectContentType(w.body)...)
	}
	if !empty {
		b = strconv.AppendInt(append(b, "\r\nContent-Length: "...), int64(len(w.body)), 10)
	}
	b = append(b, headEnd...)
	w.head = b
	if len(w.body) <= size {
		w.head = append(b, w.body...)
		_, err := conn.Write(w.head)
		return err
	}
	parts := net.Buffers{b, w.body}
	_, err := parts.WriteTo(conn)
	return err
}

var (
	_ http.ResponseWriter = (*response)(nil)
	_ io.Reader           = (*body)(nil)
)
