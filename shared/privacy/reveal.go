package privacy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// Reveal puts back, wherever they are in data, the values that were encrypted.
// The key is that of rules whose kms is Local; others need KMS, and the right to
// decrypt with its key.
func (env *Env) Reveal(ctx context.Context, data []byte, key config.Secrets) ([]byte, error) {
	if !event.ValidJSON(data) {
		return nil, errors.New("the data are no JSON")
	}
	r := revealer{ctx: ctx, env: env, key: key, keys: map[string]*dataKey{}}
	out := r.value(nil, gjson.ParseBytes(data))
	return out, r.err
}

type revealer struct {
	ctx  context.Context
	env  *Env
	key  config.Secrets
	keys map[string]*dataKey // by their wrapped form
	err  error               // the first
}

func (r *revealer) value(dst []byte, v gjson.Result) []byte {
	switch {
	case v.IsObject():
		dst = append(dst, '{')
		first := true
		v.ForEach(func(name, member gjson.Result) bool {
			dst = append(append(comma(dst, &first), name.Raw...), ':')
			dst = r.value(dst, member)
			return true
		})
		return append(dst, '}')
	case v.IsArray():
		dst = append(dst, '[')
		first := true
		v.ForEach(func(_, item gjson.Result) bool {
			dst = r.value(comma(dst, &first), item)
			return true
		})
		return append(dst, ']')
	case v.Type == gjson.String && strings.HasPrefix(v.Str, Prefix):
		plain, err := r.open(v.Str)
		if err != nil {
			if r.err == nil {
				r.err = err
			}
			return append(dst, v.Raw...)
		}
		return append(dst, plain...)
	}
	return append(dst, v.Raw...)
}

// open decrypts one value.
func (r *revealer) open(text string) ([]byte, error) {
	wrapped, sealed, _ := strings.Cut(strings.TrimPrefix(text, Prefix), ":")
	k := r.keys[wrapped]
	if k == nil {
		var err error
		if k, err = r.unwrap(wrapped); err != nil {
			return nil, err
		}
		r.keys[wrapped] = k
	}
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) < k.aead.NonceSize() {
		return nil, errors.New("an encrypted value is cut short")
	}
	plain, err := k.aead.Open(nil, b[:k.aead.NonceSize()], b[k.aead.NonceSize():], nil)
	if err != nil {
		return nil, errors.New("an encrypted value is of another key, or was changed")
	}
	return plain, nil
}

func (r *revealer) unwrap(wrapped string) (*dataKey, error) {
	if wrapped == localKey {
		return r.env.local(r.ctx, r.key)
	}
	blob, err := base64.RawURLEncoding.DecodeString(wrapped)
	if err != nil {
		return nil, errors.New("an encrypted value has no data key")
	}
	if r.env.o.KMS == nil {
		return nil, errors.New("the data key is of KMS, which is not there")
	}
	in, err := json.Marshal(map[string][]byte{"CiphertextBlob": blob})
	if err != nil {
		return nil, err
	}
	var out struct{ Plaintext, CiphertextBlob []byte }
	if err := r.env.o.KMS.JSON(r.ctx, "kms", "TrentService.Decrypt", "1.1", in, &out); err != nil {
		return nil, fmt.Errorf("have KMS unwrap a data key: %w", err)
	}
	return newDataKey(out.Plaintext, wrapped, r.env.o.Now())
}
