package dynamodb

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The buckets of the file. Each table has items/ID, ttl/ID and index/ID/NAME;
// tables holds their definitions, stats their sizes, tokens the answers to
// transactions that may be repeated.
var (
	tablesBucket = []byte("tables")
	statsBucket  = []byte("stats")
	tokensBucket = []byte("tokens")
)

// openFile opens the store.
//
// NoSync leaves writing to the disk to the operating system and to a sync
// about each second. What was written survives the death of the process, by
// kill -9 too: the pages are the system's by then, and bbolt writes the page
// that makes a commit valid after all others. A loss of power or a crash of the
// system may cost the last second or, because the disk may then hold the later
// page but not the earlier ones, the file, which must then be removed to begin
// anew. That is the price of thousands of durable writes each second without
// waiting for the disk, and for developing it is the right one; AWS keeps what
// matters.
func openFile(path string) (*bbolt.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the tables: %w", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      2 * time.Second, // another process that has it
		NoSync:       true,
		NoGrowSync:   true,
		FreelistType: bbolt.FreelistMapType,
		// Each commit would write the whole list of free pages; opening finds them anew.
		NoFreelistSync: true,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open the tables at %s: another process has them open: stop it, or use another data folder", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the tables at %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{tablesBucket, statsBucket, tokensBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("prepare the tables at %s: %w", path, err)
	}
	return db, nil
}

// loadTables reads all definitions.
func loadTables(db *bbolt.DB) (map[string]*table, error) {
	tables := map[string]*table{}
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(tablesBucket).ForEach(func(name, data []byte) error {
			var meta tableMeta
			if err := json.Unmarshal(data, &meta); err != nil {
				return fmt.Errorf("read the definition of table %s: %w", name, err)
			}
			tables[string(name)] = newTable(meta)
			return nil
		})
	})
	return tables, err
}

// stats is the size of a table: exact, where AWS's is hours old.
type stats struct {
	items, bytes int64
}

func readStats(tx *bbolt.Tx, tableID string) stats {
	data := tx.Bucket(statsBucket).Get([]byte(tableID))
	items, n := binary.Varint(data)
	if n <= 0 {
		return stats{}
	}
	bytes, _ := binary.Varint(data[n:])
	return stats{items: items, bytes: bytes}
}

func (s stats) encode() []byte {
	return binary.AppendVarint(binary.AppendVarint(nil, s.items), s.bytes)
}

// readItem finds an item by its encoded key; nil where there is none.
func readItem(tx *bbolt.Tx, t *table, key []byte) (item, error) {
	b := tx.Bucket(t.itemsBucket)
	if b == nil {
		return nil, tableNotFound() // deleted since the table was looked up
	}
	data := b.Get(key)
	if data == nil {
		return nil, nil
	}
	return decodeItem(data)
}
