package webhook

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"
	"slices"
	"time"

	"pushpull/shared/config"
)

// A publicKey is a scheme whose signature a public key verifies: ed25519, ecdsa,
// rsa (PKCS #1 v1.5) or rsa-pss.
type publicKey struct {
	name   string
	place  place
	stamp  *stamp
	signed signed
	keys   keySource
	hash   crypto.Hash
	new    func() hash.Hash
	decode func(string) ([]byte, error)
	encode func([]byte) string
}

var cryptoHashes = map[string]crypto.Hash{
	"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
}

func newPublicKey(auth config.Auth) (scheme, error) {
	p := &publicKey{name: auth.Scheme}
	var errs [6]error
	name := "sha256"
	if len(auth.Algorithm) == 1 {
		name = auth.Algorithm[0]
	}
	p.hash = cryptoHashes[name]
	p.new = hashes[name]
	if p.hash == 0 || len(auth.Algorithm) > 1 {
		errs[0] = fmt.Errorf("algorithm %v: there are sha1, sha256, sha384 and sha512", []string(auth.Algorithm))
	}
	p.decode, p.encode, errs[1] = encodingOf(auth.Encoding, "base64")
	p.place, errs[2] = newPlace(auth.Signature)
	p.stamp, errs[3] = newStamp(auth.Timestamp, p.place)
	p.signed, errs[4] = parseSigned(auth.Signed)
	p.keys, errs[5] = newKeySource(auth)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if p.stamp != nil && !p.stamp.signedBy(p.signed) {
		return nil, errors.New("signed: the timestamp is not in it, so anybody could change it; add {timestamp}")
	}
	return p, nil
}

func (p *publicKey) readsBody() bool {
	return p.place.Body != "" || p.place.Form != "" || p.signed.readsBody() || p.keys.readsBody() ||
		p.stamp != nil && (p.stamp.Body != "" || p.stamp.Form != "")
}

func (p *publicKey) covers(field string) bool { return p.signed.covers(field) }

func (p *publicKey) verify(ctx context.Context, c Credentials, v *view, at time.Time) error {
	groups, err := p.place.claims(v, p.decode, p.stamp)
	if err != nil {
		return err
	}
	if p.signed.fieldsOnly() && duplicateKey(v.json()) {
		return fmt.Errorf("%w: the body has a member twice, or is too deep to tell", ErrSignature)
	}
	found, err := p.keys.find(ctx, c, v, "")
	if err != nil {
		return err
	}
	for _, group := range groups {
		v.timestamp = group.timestamp
		text, err := p.signed.text(v)
		if err != nil {
			return err
		}
		message := p.message(text)
		for _, signature := range group.signatures {
			if slices.ContainsFunc(found.keys, func(key crypto.PublicKey) bool { return p.good(key, message, signature) }) {
				found.proved()
				return p.stamp.check(group.timestamp, at)
			}
		}
	}
	return ErrSignature
}

// good reports whether the key verifies the signature; a key of another kind does not.
func (p *publicKey) good(key crypto.PublicKey, message, signature []byte) bool {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return p.name == "ed25519" && ed25519.Verify(key, message, signature)
	case *ecdsa.PublicKey:
		return p.name == "ecdsa" && goodECDSA(key, message, signature)
	case *rsa.PublicKey:
		if p.name == "rsa-pss" {
			return rsa.VerifyPSS(key, p.hash, message, signature, nil) == nil
		}
		return p.name == "rsa" && rsa.VerifyPKCS1v15(key, p.hash, message, signature) == nil
	}
	return false
}

// message is what the key's algorithm takes: the hash of a text, made once for
// however many keys and signatures; of Ed25519 the text itself.
func (p *publicKey) message(text string) []byte {
	if p.name == "ed25519" {
		return []byte(text)
	}
	sum := p.new()
	_, _ = io.WriteString(sum, text) // a hash takes everything
	return sum.Sum(nil)
}

// goodECDSA takes a signature in DER, or as its two numbers of equal length.
func goodECDSA(key *ecdsa.PublicKey, digest, signature []byte) bool {
	if ecdsa.VerifyASN1(key, digest, signature) {
		return true
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(signature) != 2*size {
		return false
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]),
	})
	return err == nil && ecdsa.VerifyASN1(key, digest, der)
}

func (p *publicKey) sign(c Credentials, r *Request, o signing) error {
	key, err := parsePrivate(c.Private)
	if err != nil {
		return err
	}
	o.fill(p.signed, r, p.stamp)
	v := &view{r: r, item: o.item, timestamp: o.stamp(p.stamp, r)}
	text, err := p.signed.text(v)
	if err != nil {
		return err
	}
	options := crypto.SignerOpts(p.hash)
	switch p.name {
	case "ed25519":
		options = crypto.Hash(0)
	case "rsa-pss":
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: p.hash}
	}
	signature, err := key.Sign(rand.Reader, p.message(text), options)
	if err != nil {
		return fmt.Errorf("the private key cannot sign for %s: %w", p.name, err)
	}
	return o.put(p.place, r, p.place.write(p.encode(signature), v.timestamp, p.stamp))
}
