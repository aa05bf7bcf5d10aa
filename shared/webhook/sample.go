package webhook

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"pushpull/shared/config"
)

// NewSecret makes a secret that the scheme can use, for one machine and for
// tests: text, or a public key with the private one in PEM beside it.
func NewSecret(auth config.Auth) (secret, private string, err error) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	switch auth.Scheme {
	case "all", "any":
		for _, one := range auth.Of {
			if UsesSecret(one) || one.Key.URL != "" {
				return NewSecret(one)
			}
		}
	case "basic":
		return "pushpull:" + hex.EncodeToString(b), "", nil
	case "ed25519", "ecdsa", "rsa", "rsa-pss":
		return newKeyPair(auth.Scheme)
	case "jwt":
		if len(auth.Algorithm) > 0 && !strings.HasPrefix(auth.Algorithm[0], "HS") {
			return newKeyPair(map[string]string{"RS": "rsa", "PS": "rsa", "ES": "ecdsa", "Ed": "ed25519"}[auth.Algorithm[0][:2]])
		}
	}
	switch auth.Key.Encoding {
	case "hex":
		return auth.Key.Prefix + hex.EncodeToString(b), "", nil
	case "base64":
		return auth.Key.Prefix + base64.StdEncoding.EncodeToString(b), "", nil
	}
	return auth.Key.Prefix + hex.EncodeToString(b), "", nil
}

func newKeyPair(kind string) (public, private string, err error) {
	var key crypto.Signer
	switch kind {
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return "", "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if der, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return "", "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), private, nil
}

// FetchesKey reports whether a scheme within fetches its key.
func FetchesKey(auth config.Auth) bool {
	fetches := auth.Key.URL != ""
	for _, one := range auth.Of {
		fetches = fetches || FetchesKey(one)
	}
	return fetches
}

// KeyAddress is where a request says that the public key of its signature is.
func KeyAddress(auth config.Auth, r Request) (string, error) {
	_, address, err := keyOfRequest(auth, r)
	return address, err
}

func keyOfRequest(auth config.Auth, r Request) (source keySource, address string, err error) {
	for _, one := range auth.Of {
		if FetchesKey(one) {
			return keyOfRequest(one, r)
		}
	}
	if source, err = newKeySource(auth); err != nil {
		return source, "", err
	}
	if address, err = source.url.text(&view{r: &r}); err != nil {
		return source, "", fmt.Errorf("the address of the key: %w", err)
	}
	return source, address, nil
}

// KeyDocument is what that address would have to answer for a request that the
// private key signs.
func KeyDocument(auth config.Auth, r Request, private string, at time.Time) (address string, document []byte, err error) {
	source, address, err := keyOfRequest(auth, r)
	if err != nil {
		return "", nil, err
	}
	kid := SampleKeyID
	if source.id != nil {
		if kid, err = source.id.text(&view{r: &r}); err != nil {
			return "", nil, fmt.Errorf("the id of the key: %w", err)
		}
	}
	key, err := parsePrivate(private)
	if err != nil {
		return "", nil, err
	}
	document, err = writeDocument(source.document, kid, key, at)
	return address, document, err
}

func writeDocument(kind, kid string, key crypto.Signer, at time.Time) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	switch kind {
	case "pem":
		return public, nil
	case "github":
		return json.Marshal(map[string]any{"public_keys": []map[string]string{{"key_identifier": kid, "key": string(public)}}})
	case "certificate":
		of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sample"}, NotBefore: at.Add(-time.Hour), NotAfter: at.AddDate(1, 0, 0)}
		der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
	}
	written := map[string]string{"kid": kid}
	encode := base64.RawURLEncoding.EncodeToString
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		written["kty"], written["n"], written["e"] = "RSA", encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x and y
		if err != nil {
			return nil, err
		}
		written["kty"], written["crv"] = "EC", "P-256"
		written["x"], written["y"] = encode(point[1:33]), encode(point[33:])
	case ed25519.PublicKey:
		written["kty"], written["crv"], written["x"] = "OKP", "Ed25519", encode(public)
	default:
		return nil, errors.New("a key of a kind that no document has")
	}
	return json.Marshal(map[string]any{"keys": []map[string]string{written}})
}
