package webhook

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// How keys are kept.
const (
	keyLeast     = 5 * time.Minute  // a document is kept, whatever its server says
	keyMost      = 24 * time.Hour   // at most, and while its server does not answer
	keyDefault   = time.Hour        // where its server says nothing
	keyPause     = 30 * time.Second // before an unknown key id, or a failure, leads to another fetch
	maxDocuments = 64               // kept of addresses that proved good, and as many of others
)

// Keys fetches documents of public keys over https, from public addresses alone,
// without following redirects, and keeps them. It is safe for concurrent use.
//
// An address that came with a request is a stranger's until one of its keys has
// verified something. Such addresses push out only each other, and what is spent
// on fetching them is bounded, so that made-up ones cost others nothing.
type Keys struct {
	client *http.Client
	folder string
	now    func() time.Time

	mu        sync.Mutex // never held while something is fetched
	documents map[documentID]*document
	strangers budget
}

// A documentID is an address, and what kind of document is read there.
type documentID struct{ address, kind string }

// A document is what an address answered. The lock of its Keys guards it.
type document struct {
	keySet
	named  bool          // the address came with a request, and is in no configuration
	proved bool          // one of its keys verified something
	busy   chan struct{} // closed when the fetch under way has ended; nil without one
	err    error         // of the last fetch
	tried  time.Time     // the last fetch
	until  time.Time     // it is fresh
	last   time.Time     // it is good at all
	used   time.Time
}

// NewKeys returns an empty store that fetches with the client; NewClient makes
// one. A folder is for one machine: what a file in it says, named by KeyFile,
// stands before what its address would answer.
func NewKeys(client *http.Client, folder string, now func() time.Time) *Keys {
	return &Keys{client: client, folder: folder, now: now, documents: map[documentID]*document{}}
}

// KeyFile is the name of the file that stands for an address.
func KeyFile(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:16])
}

// find are the keys of a document: those with the key id, or all of them. What is
// at hand is served at once; one request at a time fetches a document, and who
// wants a key that is not at hand waits for it.
func (k *Keys) find(ctx context.Context, id documentID, named bool, kid string) ([]crypto.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	d := k.documents[id]
	if d == nil {
		d = &document{named: named}
	}
	d.named, d.used = d.named && named, now
	keys := d.good(now, kid)
	if len(keys) > 0 && (now.Before(d.until) || d.busy != nil) {
		return keys, nil
	}
	refused := k.renew(ctx, id, d)
	now = k.now()
	keys = d.good(now, kid)
	switch {
	case len(keys) > 0: // the provider's server may be away for a while: what was good is good
		return keys, nil
	case refused != nil:
		return nil, fmt.Errorf("%w: %w", ErrKey, refused)
	case d.err != nil: // what is not among what was good may be new
		return nil, fmt.Errorf("%w: %w", ErrKey, d.err)
	case !now.Before(d.last):
		return nil, fmt.Errorf("%w: what was fetched is no longer valid", ErrKey)
	}
	return nil, fmt.Errorf("%w: signed with a key that its provider does not list", ErrSignature)
}

// renew fetches a document, or waits for who does. There is a pause between
// fetches, so that a made-up key id is no call for each request. The error says
// that there was no fetch. The lock is let go of meanwhile.
func (k *Keys) renew(ctx context.Context, id documentID, d *document) error {
	now := k.now()
	stranger := d.named && !d.proved
	switch {
	case d.busy != nil:
		return k.wait(ctx, d.busy)
	case now.Sub(d.tried) < keyPause:
		return nil
	case stranger && !k.strangers.reserve(now):
		return errors.New("too many addresses that nothing is known of were fetched lately")
	}
	k.keep(id, d)
	busy := make(chan struct{})
	d.tried, d.busy = now, busy
	k.mu.Unlock()
	keys, keep, err := k.fetch(ctx, id)
	k.mu.Lock()
	d.busy = nil
	close(busy)
	if stranger {
		k.strangers.settle(k.now().Sub(now))
	}
	if d.err = err; err == nil {
		d.keySet, d.until, d.last = keys, now.Add(keep), now.Add(keyMost)
		if !keys.expires.IsZero() {
			d.until, d.last = earlier(d.until, keys.expires), earlier(d.last, keys.expires)
		}
	}
	return nil
}

func (k *Keys) wait(ctx context.Context, busy <-chan struct{}) error {
	k.mu.Unlock()
	defer k.mu.Lock()
	select {
	case <-busy:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// prove notes that a key of the document verified something.
func (k *Keys) prove(id documentID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if d := k.documents[id]; d != nil && !d.proved {
		d.proved = true
		k.makeRoom(true)
	}
}

func (k *Keys) keep(id documentID, d *document) {
	k.documents[id] = d
	k.makeRoom(d.proved)
}

// makeRoom forgets the address that was not asked for longest, among those of
// requests that proved good, or among those that did not. Those of the
// configuration are as many as it has.
func (k *Keys) makeRoom(proved bool) {
	var oldest documentID
	n := 0
	for id, d := range k.documents {
		if !d.named || d.proved != proved {
			continue
		}
		if n++; n == 1 || d.used.Before(k.documents[oldest].used) {
			oldest = id
		}
	}
	if n > maxDocuments {
		delete(k.documents, oldest)
	}
}

// good are the keys that may be used now for a key id; "" is any.
func (d *document) good(now time.Time, kid string) []crypto.PublicKey {
	if !now.Before(d.last) {
		return nil
	}
	return d.of(kid)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
