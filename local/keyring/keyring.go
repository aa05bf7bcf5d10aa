// Package keyring plays the providers' part on one machine: it makes secrets
// that fit each source's scheme, and keeps the private halves of the key pairs,
// so that samples can be signed as the providers would.
package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

// A Ring is the folder of keys below the data folder.
type Ring struct{ folder string }

// New returns the ring of a data folder.
func New(data string) Ring { return Ring{filepath.Join(data, "keys")} }

// Folder is what stands for the addresses of public keys; PUSHPULL_KEYS.
func (r Ring) Folder() string { return r.folder }

// Wanted are the references whose values a stack on this machine makes up, each
// with the scheme that it is for. What a provider hands over in a handshake is
// not among them: the first to come must be able to.
func Wanted(cfg config.Config) map[string]config.Auth {
	wanted := map[string]config.Auth{}
	for _, s := range cfg.Sources {
		if s.Webhook == nil || s.Webhook.Auth == nil {
			continue
		}
		own(*s.Webhook.Auth, wanted)
		for _, ref := range s.Webhook.VerifyToken {
			wanted[ref] = config.Auth{Scheme: "token"}
		}
		if keeps(*s.Webhook) {
			continue
		}
		for _, ref := range s.Webhook.Secret {
			wanted[ref] = *s.Webhook.Auth
		}
	}
	return wanted
}

// Kept are the references that a handshake stores.
func Kept(cfg config.Config) map[string]bool {
	kept := map[string]bool{}
	for _, s := range cfg.Sources {
		if s.Webhook != nil && keeps(*s.Webhook) {
			for _, ref := range s.Webhook.Secret {
				kept[ref] = true
			}
		}
	}
	return kept
}

func keeps(w config.Webhook) bool {
	for _, h := range w.Handshakes {
		if h.Keep != "" {
			return true
		}
	}
	return false
}

func own(a config.Auth, wanted map[string]config.Auth) {
	for _, ref := range a.Secret {
		wanted[ref] = a
	}
	for _, one := range a.Of {
		own(one, wanted)
	}
}

// NewSecret makes the value of a reference, and keeps the private key where it
// is a public one.
func (r Ring) NewSecret(ref string, auth config.Auth) (string, error) {
	secret, private, err := webhook.NewSecret(auth)
	if err != nil {
		return "", err
	}
	if private != "" {
		if err := r.write(privateName(ref), []byte(private)); err != nil {
			return "", err
		}
	}
	if _, field, ok := strings.Cut(ref, "#"); ok {
		return fmt.Sprintf("{%q:%q}", field, secret), nil
	}
	return secret, nil
}

// Private is the private key that a request of the source is signed with, ""
// where its scheme needs none. Where the functions would fetch the public key,
// it is put where they look first.
func (r Ring) Private(w config.Webhook, request webhook.Request, at time.Time) (string, error) {
	if webhook.FetchesKey(*w.Auth) {
		return r.published(*w.Auth, request, at)
	}
	refs := append([]string{}, w.Secret...)
	for _, ref := range append(refs, webhook.References(*w.Auth)...) {
		if text, err := r.read(privateName(ref)); text != "" || err != nil {
			return text, err
		}
	}
	return "", nil
}

// published makes the pair of an address of keys at its first use.
func (r Ring) published(auth config.Auth, request webhook.Request, at time.Time) (private string, err error) {
	address, err := webhook.KeyAddress(auth, request)
	if err != nil {
		return "", err
	}
	if private, err = r.read(privateName(address)); err != nil {
		return "", err
	}
	if private == "" {
		if _, private, err = webhook.NewSecret(auth); err != nil {
			return "", err
		}
		if err := r.write(privateName(address), []byte(private)); err != nil {
			return "", err
		}
	}
	_, document, err := webhook.KeyDocument(auth, request, private, at)
	if err != nil {
		return "", err
	}
	return private, r.write(webhook.KeyFile(address), document)
}

func privateName(of string) string { return filepath.Join("private", webhook.KeyFile(of)+".pem") }

func (r Ring) read(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(r.folder, name)) //nolint:gosec // names are hashes
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read a key of this machine: %w", err)
	}
	return string(text), nil
}

// write does nothing where the text is there already.
func (r Ring) write(name string, text []byte) error {
	path := filepath.Join(r.folder, name)
	if now, err := r.read(name); err == nil && now == string(text) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep a key: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("keep a key: %w", err)
	}
	return nil
}
