package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// keep is how many events are kept and listed; of older ones only the counts are.
const keep = 5000

// A store is the shop on disk. Each write is durable when it returns.
type store struct{ db *bolt.DB }

var (
	events = []byte("events") // number, 8 bytes big endian → entry
	meta   = []byte("meta")   // shop → identity; past → Stats
)

// identity is what a shop keeps from its first day.
type identity struct {
	Prefix string `json:"prefix"`
	Seed   uint64 `json:"seed"`
}

func openStore(file string, seed uint64) (*store, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return nil, err
	}
	db, err := bolt.Open(file, 0o600, &bolt.Options{Timeout: 2 * time.Second})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, errors.New("another process has it open: stop that one, or use another --data")
	}
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(events); err != nil {
			return err
		}
		b, err := tx.CreateBucketIfNotExists(meta)
		if err != nil || b.Get([]byte("shop")) != nil {
			return err
		}
		return put(b, "shop", identity{Prefix: strings.ToLower(rand.Text()[:6]), Seed: seedOr(seed)})
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db}, nil
}

// seedOr draws a seed where none is given.
func seedOr(seed uint64) uint64 {
	if seed != 0 {
		return seed
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])
}

func (s *store) close() error { return s.db.Close() }

// load reads everything.
func (s *store) load() (shop, error) {
	sh := shop{byID: map[string]*entry{}}
	err := s.db.View(func(tx *bolt.Tx) error {
		var id identity
		if err := get(tx.Bucket(meta), "shop", &id); err != nil {
			return err
		}
		sh.prefix, sh.seed = id.Prefix, id.Seed
		if err := get(tx.Bucket(meta), "past", &sh.past); err != nil {
			return err
		}
		return tx.Bucket(events).ForEach(func(k, v []byte) error {
			var e entry
			if err := json.Unmarshal(v, &e); err != nil {
				return fmt.Errorf("event %x: %w", k, err)
			}
			sh.add(&e)
			return nil
		})
	})
	return sh, err
}

func (s *store) put(e entry) error {
	return s.db.Update(func(tx *bolt.Tx) error { return put(tx.Bucket(events), number(e), e) })
}

// forget deletes an entry and keeps the counts with it in them.
func (s *store) forget(e entry, past Stats) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if err := tx.Bucket(events).Delete([]byte(number(e))); err != nil {
			return err
		}
		return put(tx.Bucket(meta), "past", past)
	})
}

func number(e entry) string { return string(binary.BigEndian.AppendUint64(nil, e.Number)) }

func put(b *bolt.Bucket, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), text)
}

func get(b *bolt.Bucket, key string, v any) error {
	if text := b.Get([]byte(key)); text != nil {
		return json.Unmarshal(text, v)
	}
	return nil
}
