package webhook

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// parsePublic reads the public key of a secret: a PEM (key or certificate), DER
// or the raw bytes of an Ed25519 key in base64 or hex, or a JSON Web Key.
func parsePublic(text string) (crypto.PublicKey, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, fmt.Errorf("%w: it is empty", ErrSecret)
	case strings.HasPrefix(text, "{"):
		key, _, err := parseJWK([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSecret, err)
		}
		return key, nil
	case strings.HasPrefix(text, "-----BEGIN"):
		// A secret store may have made \n of the line breaks.
		block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
		if block == nil {
			return nil, fmt.Errorf("%w: it is no whole PEM", ErrSecret)
		}
		return parseDER(block.Bytes)
	}
	text = strings.Join(strings.Fields(strings.TrimPrefix(text, "whpk_")), "")
	if raw, err := hex.DecodeString(text); err == nil {
		return parseDER(raw)
	}
	raw, err := decodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no public key: write a PEM, or base64 or hex of its bytes", ErrSecret)
	}
	return parseDER(raw)
}

func parseDER(der []byte) (crypto.PublicKey, error) {
	if len(der) == ed25519.PublicKeySize {
		return usableKey(ed25519.PublicKey(der))
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return usableKey(key)
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return key, nil
	}
	if c, err := x509.ParseCertificate(der); err == nil {
		return usableKey(c.PublicKey)
	}
	return nil, fmt.Errorf("%w: it is no public key", ErrSecret)
}

// usableKey refuses a key that nothing can be verified with, or everything.
func usableKey(key crypto.PublicKey) (crypto.PublicKey, error) {
	switch key := key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return key, nil
	case ed25519.PublicKey:
		checked, err := newEd25519(key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSecret, err)
		}
		return checked, nil
	}
	return nil, fmt.Errorf("%w: it is a public key of a kind that no scheme uses: there are Ed25519, ECDSA and RSA", ErrSecret)
}

// A jwk is a JSON Web Key (RFC 7517). No library: these are the public halves of
// three kinds, and the receiver links only what it needs.
type jwk struct {
	Kid string `json:"kid"`
	Kty string `json:"kty"`
	Use string `json:"use"`
	Crv string `json:"crv"`
	N   string `json:"n"`
	E   string `json:"e"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

func parseJWK(text []byte) (key crypto.PublicKey, kid string, err error) {
	var k jwk
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, "", fmt.Errorf("no JSON Web Key: %w", err)
	}
	number := func(s string) *big.Int {
		b, e := decodeBase64(s)
		if e != nil || len(b) == 0 {
			err = errors.New("a JSON Web Key with a number that is none")
		}
		return new(big.Int).SetBytes(b)
	}
	switch {
	case k.Use != "" && k.Use != "sig":
		return nil, "", fmt.Errorf("a JSON Web Key for the use %q: there is sig", k.Use)
	case k.Kty == "RSA":
		n, e := number(k.N), number(k.E)
		if err == nil && (!e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || n.BitLen() < 1024 || n.BitLen() > 16384) {
			err = errors.New("an RSA key of a size that is not used")
		}
		key = &rsa.PublicKey{N: n, E: int(e.Int64())}
	case k.Kty == "EC":
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Crv]
		if curve == nil {
			return nil, "", fmt.Errorf("a JSON Web Key of the curve %q", k.Crv)
		}
		size := (curve.Params().BitSize + 7) / 8
		x, y := number(k.X), number(k.Y)
		if err != nil || x.BitLen() > 8*size || y.BitLen() > 8*size {
			return nil, "", errors.New("a JSON Web Key with a number that is none")
		}
		point := append([]byte{4}, x.FillBytes(make([]byte, size))...)
		key, err = ecdsa.ParseUncompressedPublicKey(curve, append(point, y.FillBytes(make([]byte, size))...))
	case k.Kty == "OKP" && k.Crv == "Ed25519":
		b, e := decodeBase64(k.X)
		if e != nil || len(b) != ed25519.PublicKeySize {
			return nil, "", errors.New("a JSON Web Key with a number that is none")
		}
		key, err = newEd25519(b)
	default:
		return nil, "", fmt.Errorf("a JSON Web Key of the kind %q", k.Kty)
	}
	if err != nil {
		return nil, "", err
	}
	return key, k.Kid, nil
}

// parsePrivate reads a private key in PEM, to sign samples with.
func parsePrivate(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("there is no private key to sign with")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the private key is no PKCS #8: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key is of a kind that cannot sign")
	}
	return signer, nil
}
