package records

import "io"

// A window lets so many bytes through until it is opened anew, so that nothing
// that is held at once can be larger.
type window struct {
	in   io.Reader
	left int
	over bool
}

// open lets through what one thing of most bytes needs, and the byte after it.
func (w *window) open(most int) { w.left = most + 1 }

func (w *window) Read(p []byte) (int, error) {
	if w.left <= 0 {
		w.over = true
		return 0, errLarge
	}
	n, err := w.in.Read(p[:min(len(p), w.left)])
	w.left -= n
	return n, err
}

// readAll is all of in, if it is no larger than most.
func readAll(in io.Reader, most int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err == nil && len(b) > most {
		return nil, errLarge
	}
	return b, err
}
