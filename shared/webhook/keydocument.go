package webhook

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// A keySet is the keys of a document.
type keySet struct {
	list    []namedKey
	expires time.Time // zero is never
}

// A namedKey is a key with its id, "" where the document gives it none.
type namedKey struct {
	id  string
	key crypto.PublicKey
}

// of are the keys with an id. One without an id may be any; "" asks for all.
func (p keySet) of(id string) []crypto.PublicKey {
	var same, nameless []crypto.PublicKey
	for _, one := range p.list {
		switch one.id {
		case "":
			nameless = append(nameless, one.key)
		case id:
			same = append(same, one.key)
		default:
			if id == "" {
				same = append(same, one.key)
			}
		}
	}
	if id == "" || len(same) == 0 {
		return append(same, nameless...)
	}
	return same
}

// some is an error where all keys were of a kind that no scheme uses.
func (p keySet) some() (keySet, error) {
	if len(p.list) == 0 {
		return keySet{}, errors.New("the document has no key of a kind that is known")
	}
	return p, nil
}

// parseDocument reads the keys of a document; without an error there is one at
// least. The chain of a certificate is checked where it came from an address, not
// from a file of this machine.
func parseDocument(text []byte, kind string, now time.Time, chain bool) (keySet, error) {
	switch kind {
	case "pem":
		key, err := parsePublic(string(text))
		if err != nil {
			return keySet{}, err
		}
		return keySet{list: []namedKey{{key: key}}}, nil
	case "certificate":
		return parseCertificate(text, now, chain)
	case "github":
		return parseGitHub(text)
	}
	return parseKeySet(text)
}

func parseKeySet(text []byte) (keySet, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) == 0 {
		return keySet{}, errors.New("the document is no JSON Web Key Set")
	}
	var keys keySet
	for _, one := range set.Keys {
		if key, kid, err := parseJWK(one); err == nil {
			keys.list = append(keys.list, namedKey{kid, key})
		}
	}
	return keys.some()
}

// parseGitHub reads {"public_keys":[{"key_identifier":…,"key":PEM}]}.
func parseGitHub(text []byte) (keySet, error) {
	var list struct {
		Keys []struct {
			ID  string `json:"key_identifier"`
			Key string `json:"key"`
		} `json:"public_keys"`
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Keys) == 0 {
		return keySet{}, errors.New("the document is no list of public keys")
	}
	var keys keySet
	for _, one := range list.Keys {
		if key, err := parsePublic(one.Key); err == nil {
			keys.list = append(keys.list, namedKey{one.ID, key})
		}
	}
	return keys.some()
}

// parseCertificate takes a certificate that is valid now. Where its issuers came
// with it, they must lead to a root that the system trusts; one that came alone
// is trusted for the address that it came from, whose own was checked.
func parseCertificate(text []byte, now time.Time, chain bool) (keySet, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN CERTIFICATE-----")) {
		// Any answer of the host may have a certificate somewhere in it, as somebody wrote it there.
		return keySet{}, errors.New("the document is no certificate")
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
			return keySet{}, fmt.Errorf("the certificate cannot be read: %w", err)
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
		return keySet{}, errors.New("the document is no certificate")
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		return keySet{}, errors.New("the certificate is not valid now")
	case leaf.KeyUsage != 0 && leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0:
		return keySet{}, errors.New("the certificate is not for signatures")
	}
	if chain && !alone {
		_, err := leaf.Verify(x509.VerifyOptions{Intermediates: issuers, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err != nil {
			return keySet{}, fmt.Errorf("the certificate's chain: %w", err)
		}
	}
	key, err := usableKey(leaf.PublicKey)
	if err != nil {
		return keySet{}, err
	}
	return keySet{list: []namedKey{{key: key}}, expires: leaf.NotAfter}, nil
}
