package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"pushpull/shared/guard"
)

const (
	keyPatience = 3 * time.Second // for one fetch, while a provider waits
	maxDocument = 256 << 10       // bytes
)

// NewClient returns a client for addresses that came with a request.
func NewClient() *http.Client { return guard.NewClient(keyPatience, false) }

func (k *Keys) fetch(ctx context.Context, id documentID) (keys keySet, keep time.Duration, err error) {
	if k.folder != "" {
		if text, err := os.ReadFile(filepath.Join(k.folder, KeyFile(id.address))); err == nil {
			keys, err := parseDocument(text, id.kind, k.now(), false)
			return keys, keyLeast, err
		}
	}
	text, header, err := Get(ctx, k.client, id.address, maxDocument)
	if err != nil {
		return keySet{}, 0, err
	}
	keys, err = parseDocument(text, id.kind, k.now(), true)
	return keys, lifetime(header), err
}

// Get fetches a small document, and returns it with its header. Anything but 200
// is an error.
func Get(ctx context.Context, client *http.Client, address string, most int64) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, keyPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, errors.New("the address is none")
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch from %s: %w", request.URL.Host, errors.Unwrap(err))
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if answer.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answered %d", request.URL.Host, answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("read from %s: %w", request.URL.Host, err)
	case int64(len(text)) > most:
		return nil, nil, fmt.Errorf("%s answered more than %d bytes", request.URL.Host, most)
	}
	return text, answer.Header, nil
}

// maxAge is compiled when the first key is fetched, and not whenever a function starts.
var maxAge = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`max-age=([0-9]{1,9})`) })

// lifetime is how long a document may be kept, as its server says, within bounds.
func lifetime(header http.Header) time.Duration {
	found := maxAge().FindStringSubmatch(header.Get("Cache-Control"))
	if found == nil {
		return keyDefault
	}
	seconds, _ := strconv.Atoi(found[1])
	return min(max(time.Duration(seconds)*time.Second, keyLeast), keyMost)
}
