package privacy

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"pushpull/shared/config"
)

// Local is the kms that needs none: the data key is made of the rules' key.
const Local = "local:"

// Prefix begins an encrypted value: enc:1:<wrapped data key>:<nonce and
// ciphertext>, both in base64url. The wrapped key is that of KMS, or local.
const Prefix = "enc:1:"

const (
	dataKeyLife = time.Hour // then another is asked for
	localKey    = "local"
)

// A dataKey encrypts values with AES-256-GCM.
type dataKey struct {
	aead    cipher.AEAD
	wrapped string
	until   time.Time
}

func newDataKey(plain []byte, wrapped string, until time.Time) (*dataKey, error) {
	block, err := aes.NewCipher(plain)
	if err != nil {
		return nil, fmt.Errorf("the data key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return &dataKey{aead: aead, wrapped: wrapped, until: until}, err
}

// seal encrypts a value as it is written in JSON.
func (k *dataKey) seal(random io.Reader, plain []byte) (string, error) {
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(plain)+k.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", fmt.Errorf("make a nonce: %w", err)
	}
	sealed := k.aead.Seal(nonce, nonce, plain, nil)
	return Prefix + k.wrapped + ":" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// secret is the value of the rules' key.
func (env *Env) secret(ctx context.Context, refs config.Secrets) ([]byte, error) {
	if len(refs) > 1 {
		return nil, errors.New("more than one key")
	}
	values, err := env.o.Secrets.All(ctx, refs)
	if err != nil {
		return nil, err
	}
	if len(values) != 1 || values[0] == "" {
		return nil, errors.New("the key is empty")
	}
	return []byte(values[0]), nil
}

// dataKey is the one in use; it is asked for once an hour. Callers that come
// while it is asked for wait: they have nothing to do without it.
func (env *Env) dataKey(ctx context.Context, kms string, key config.Secrets) (*dataKey, error) {
	name := kms + " " + strings.Join(key, " ")
	env.mu.Lock()
	defer env.mu.Unlock()
	if k := env.keys[name]; k != nil && env.o.Now().Before(k.until) {
		return k, nil
	}
	made := env.generate
	if kms == Local {
		made = func(ctx context.Context, _ string) (*dataKey, error) { return env.local(ctx, key) }
	}
	k, err := made(ctx, kms)
	if err != nil {
		return nil, err
	}
	env.keys[name] = k
	return k, nil
}

func (env *Env) local(ctx context.Context, key config.Secrets) (*dataKey, error) {
	value, err := env.secret(ctx, key)
	if err != nil {
		return nil, err
	}
	plain, err := hkdf.Key(sha256.New, value, nil, "pushpull encrypt", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the data key: %w", err)
	}
	return newDataKey(plain, localKey, env.o.Now().Add(dataKeyLife))
}

// generate asks KMS for a data key.
func (env *Env) generate(ctx context.Context, kms string) (*dataKey, error) {
	if kms == "" || env.o.KMS == nil {
		return nil, errors.New("no kms: encrypt needs one")
	}
	in, err := json.Marshal(map[string]string{"KeyId": kms, "KeySpec": "AES_256"})
	if err != nil {
		return nil, err
	}
	var out struct{ Plaintext, CiphertextBlob []byte }
	if err := env.o.KMS.JSON(ctx, "kms", "TrentService.GenerateDataKey", "1.1", in, &out); err != nil {
		return nil, fmt.Errorf("ask for a data key of %s: %w", kms, err)
	}
	return newDataKey(out.Plaintext, base64.RawURLEncoding.EncodeToString(out.CiphertextBlob), env.o.Now().Add(dataKeyLife))
}
