package webhook

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
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

// How keys are fetched and kept.
const (
	keyPatience  = 3 * time.Second  // for one fetch, while a provider waits
	keyLeast     = 5 * time.Minute  // a document is kept, whatever its server says
	keyMost      = 24 * time.Hour   // at most
	keyDefault   = time.Hour        // where its server says nothing
	keyPause     = 30 * time.Second // before an unknown key id, or a failure, leads to another fetch
	maxDocument  = 256 << 10
	maxDocuments = 64 // kept; addresses come from requests
)

// Keys fetches documents of public keys over https, from public addresses alone,
// without following redirects, and keeps them. It is safe for concurrent use.
type Keys struct {
	client *http.Client
	folder string
	now    func() time.Time

	mu        sync.Mutex
	documents map[string]*document
}

type document struct {
	keys    map[string]crypto.PublicKey // by id; those without one under their number
	err     error                       // of the last fetch
	fetched time.Time                   // the last good fetch
	tried   time.Time
	until   time.Time
}

// NewKeys returns an empty store that fetches with the client; NewClient makes
// one. A folder is for one machine: what a file in it says, named by KeyFile,
// stands before what its address would answer.
func NewKeys(client *http.Client, folder string, now func() time.Time) *Keys {
	return &Keys{client: client, folder: folder, now: now, documents: map[string]*document{}}
}

// NewClient returns a client for addresses that came with a request.
func NewClient() *http.Client { return guard.NewClient(keyPatience, false) }

// KeyFile is the name of the file that stands for an address.
func KeyFile(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:16])
}

// find are the keys of a document: the one with the id, or all of them.
func (k *Keys) find(ctx context.Context, address, kind, id string) ([]crypto.PublicKey, error) {
	d, err := k.document(ctx, address, kind, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if id != "" {
		if key, ok := d[id]; ok {
			return []crypto.PublicKey{key}, nil
		}
		if _, anonymous := d["0"]; !anonymous {
			return nil, fmt.Errorf("%w: signed with a key that its provider does not list", ErrSignature)
		}
	}
	keys := make([]crypto.PublicKey, 0, len(d))
	for _, key := range d {
		keys = append(keys, key)
	}
	return keys, nil
}

// document is the keys of an address: those at hand while they are fresh and
// have the id, else fetched anew, with a pause between fetches so that a made-up
// id is no call for each request.
func (k *Keys) document(ctx context.Context, address, kind, id string) (map[string]crypto.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock() // others wait: they want the same document, or an environment has one request at a time
	now := k.now()
	d := k.documents[address]
	if d == nil {
		if len(k.documents) >= maxDocuments {
			clear(k.documents)
		}
		d = &document{}
		k.documents[address] = d
	}
	if !d.fresh(now, id) && now.Sub(d.tried) >= keyPause {
		d.tried = now
		keys, keep, err := k.fetch(ctx, address, kind)
		d.err = err
		switch {
		case err == nil:
			d.keys, d.fetched, d.until = keys, now, now.Add(keep)
		case now.Sub(d.fetched) >= keyMost:
			d.keys = nil
		}
	}
	// The provider's server is away for a while: what was good is good, but what
	// is not in it may be new.
	if d.err != nil && !d.has(id) {
		return nil, d.err
	}
	return d.keys, nil
}

// has reports whether the document answers for a key id; "" is any.
func (d *document) has(id string) bool {
	_, named := d.keys[id]
	_, anonymous := d.keys["0"]
	return named || anonymous || id == "" && len(d.keys) > 0
}

func (d *document) fresh(now time.Time, id string) bool { return now.Before(d.until) && d.has(id) }

func (k *Keys) fetch(ctx context.Context, address, kind string) (keys map[string]crypto.PublicKey, keep time.Duration, err error) {
	if k.folder != "" {
		if text, err := os.ReadFile(filepath.Join(k.folder, KeyFile(address))); err == nil {
			keys, err := parseDocument(text, kind, k.now(), false)
			return keys, keyLeast, err
		}
	}
	text, header, err := Get(ctx, k.client, address, maxDocument)
	if err != nil {
		return nil, 0, err
	}
	keys, err = parseDocument(text, kind, k.now(), true)
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

// parseDocument reads the keys of a document. The chain of a certificate is
// checked where it came from an address, not from a file of this machine.
func parseDocument(text []byte, kind string, now time.Time, chain bool) (map[string]crypto.PublicKey, error) {
	switch kind {
	case "pem":
		key, err := parsePublic(string(text))
		return map[string]crypto.PublicKey{"0": key}, err
	case "certificate":
		key, err := parseCertificate(text, now, chain)
		return map[string]crypto.PublicKey{"0": key}, err
	case "github":
		return parseGitHub(text)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) == 0 {
		return nil, errors.New("the document is no JSON Web Key Set")
	}
	keys := map[string]crypto.PublicKey{}
	for i, one := range set.Keys {
		key, kid, err := parseJWK(one)
		if err != nil {
			continue // of a kind that this scheme does not use
		}
		if kid == "" {
			kid = strconv.Itoa(i)
		}
		keys[kid] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("the document has no key of a kind that is known")
	}
	return keys, nil
}

// parseGitHub reads {"public_keys":[{"key_identifier":…,"key":PEM}]}.
func parseGitHub(text []byte) (map[string]crypto.PublicKey, error) {
	var list struct {
		Keys []struct {
			ID  string `json:"key_identifier"`
			Key string `json:"key"`
		} `json:"public_keys"`
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Keys) == 0 {
		return nil, errors.New("the document is no list of public keys")
	}
	keys := map[string]crypto.PublicKey{}
	for _, one := range list.Keys {
		key, err := parsePublic(one.Key)
		if err != nil {
			return nil, err
		}
		keys[one.ID] = key
	}
	return keys, nil
}

// parseCertificate takes a certificate that is valid now. Where its issuers came
// with it, they must lead to a root that the system trusts; one that came alone
// is trusted for the address that it came from, whose own was checked.
func parseCertificate(text []byte, now time.Time, chain bool) (crypto.PublicKey, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN CERTIFICATE-----")) {
		// Any answer of the host may have a certificate somewhere in it, as somebody wrote it there.
		return nil, errors.New("the document is no certificate")
	}
	var leaf *x509.Certificate
	issuers := x509.NewCertPool()
	alone := true
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the certificate cannot be read: %w", err)
		}
		if leaf == nil {
			leaf = c
			continue
		}
		issuers.AddCert(c)
		alone = false
	}
	switch {
	case leaf == nil:
		return nil, errors.New("the document is no certificate")
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		return nil, errors.New("the certificate is not valid now")
	}
	if chain && !alone {
		_, err := leaf.Verify(x509.VerifyOptions{Intermediates: issuers, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err != nil {
			return nil, fmt.Errorf("the certificate's chain: %w", err)
		}
	}
	return usableKey(leaf.PublicKey)
}
