package sqs

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// The buckets of the file. Those of messages, states and dedup hold a bucket for
// each queue, named by its number, so that a queue made again under an old name
// has nothing of the old one.
var (
	bucketQueues   = []byte("queues")   // name → queueRecord
	bucketMessages = []byte("messages") // queue number → sequence → record
	bucketStates   = []byte("states")   // queue number → sequence → state
	bucketDedup    = []byte("dedup")    // queue number → deduplication key → sent
	bucketTasks    = []byte("tasks")    // task id → moveTask
)

// A store is the durable half. One goroutine writes: it takes every change that
// waits, makes one transaction of them, and then lets them into the index in the
// same order, so that writers share the price of a commit and nobody can receive
// what is not yet durable.
//
// A commit is written, not synced: the pages are the kernel's, which kill -9 of
// this process cannot take back. A background sync follows each second. What power
// loss or a crash of the kernel can cost is that last second and, as the pages of a
// commit may then reach the disk in any order, in the worst case the file: this is
// for one developer's machine, where a sync of each commit would cost more than it
// saves.
type store struct {
	db     *bolt.DB
	broken func(error) // told of a commit that did not succeed, before its changes are

	mu      sync.Mutex
	arrived *sync.Cond
	waiting []*change
	closed  bool

	writer sync.WaitGroup
	syncer chan struct{}
}

// A change is a part of a transaction. Both functions run in the writer's goroutine.
type change struct {
	size  int                     // bytes it writes, roughly
	write func(tx *bolt.Tx) error // an error fails everyone in the transaction: a refusal is not an error
	apply func(err error)         // after the commit: let it into the index, or forget it

	done chan struct{}
	err  error
}

// Limits of one transaction: bbolt holds what it writes in memory.
const (
	maxChanges     = 512
	maxChangeBytes = 8 << 20
)

const syncEvery = time.Second

func openStore(path string) (st *store, err error) {
	// bbolt panics on some damaged files; whoever starts the stack must learn which file.
	defer func() {
		if r := recover(); r != nil {
			st, err = nil, fmt.Errorf("open %s: the file is damaged (%v): delete it, or start afresh", path, r)
		}
	}()
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:        2 * time.Second,
		NoSync:         true,
		NoFreelistSync: true,
		FreelistType:   bolt.FreelistMapType,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: another process uses it: is pushpull dev running already?", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketQueues, bucketMessages, bucketStates, bucketDedup, bucketTasks} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	st = &store{db: db, broken: func(error) {}, syncer: make(chan struct{})}
	st.arrived = sync.NewCond(&st.mu)
	return st, nil
}

// start begins to write. Nothing may be submitted before.
func (st *store) start() {
	st.writer.Go(st.writeAll)
	st.writer.Go(st.syncAll)
}

// submit hands a change to the writer. It never blocks, so it may be called with
// a queue locked: that is how changes of one message keep their order.
func (st *store) submit(c *change) {
	c.done = make(chan struct{})
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		c.err = os.ErrClosed
		close(c.done)
		return
	}
	st.waiting = append(st.waiting, c)
	st.arrived.Signal()
}

// wait returns when the change is durable and in the index, or failed.
func (c *change) wait() error {
	<-c.done
	return c.err
}

func (st *store) writeAll() {
	for {
		batch, ok := st.next()
		if !ok {
			return
		}
		err := st.commit(batch)
		if err != nil {
			st.broken(err)
		}
		for _, c := range batch {
			if c.apply != nil {
				c.apply(err)
			}
			c.err = err
			close(c.done)
		}
	}
}

func (st *store) commit(batch []*change) error {
	return st.db.Update(func(tx *bolt.Tx) error {
		for _, c := range batch {
			if err := c.write(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// next waits for changes; false means closed, and everything is written.
func (st *store) next() ([]*change, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for len(st.waiting) == 0 {
		if st.closed {
			return nil, false
		}
		st.arrived.Wait()
	}
	n, size := 0, 0
	for n < len(st.waiting) && n < maxChanges && (n == 0 || size+st.waiting[n].size <= maxChangeBytes) {
		size += st.waiting[n].size
		n++
	}
	batch := append([]*change(nil), st.waiting[:n]...)
	clear(st.waiting[:n])
	if st.waiting = st.waiting[n:]; len(st.waiting) == 0 {
		st.waiting = nil
	}
	return batch, true
}

func (st *store) syncAll() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for last := -1; ; {
		select {
		case <-st.syncer:
			return
		case <-tick.C:
		}
		stats := st.db.Stats()
		if n := int(stats.TxStats.GetWrite()); n != last {
			last = n
			_ = st.db.Sync() // as good as lost power: see store
		}
	}
}

// close writes what was submitted, syncs, and lets the file go.
func (st *store) close() error {
	st.mu.Lock()
	if st.closed {
		st.mu.Unlock()
		return nil
	}
	st.closed = true
	st.arrived.Signal()
	st.mu.Unlock()
	close(st.syncer)
	st.writer.Wait()
	return errors.Join(st.db.Sync(), st.db.Close())
}

// A queueRecord is what the store keeps of a queue.
type queueRecord struct {
	Number     uint64            `json:"number"`
	Attributes map[string]string `json:"attributes"` // those that were set
	Tags       map[string]string `json:"tags,omitempty"`
	Created    int64             `json:"created"`  // unix seconds
	Modified   int64             `json:"modified"` // unix seconds
}

func putJSON(b *bolt.Bucket, key []byte, v any) error {
	j, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, j)
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// perQueue are the buckets that hold one for each queue.
var perQueue = [][]byte{bucketMessages, bucketStates, bucketDedup}

func createBuckets(tx *bolt.Tx, queue uint64) error {
	for _, name := range perQueue {
		if _, err := tx.Bucket(name).CreateBucket(number(queue)); err != nil {
			return err
		}
	}
	return nil
}

func deleteBuckets(tx *bolt.Tx, queue uint64) error {
	for _, name := range perQueue {
		if err := tx.Bucket(name).DeleteBucket(number(queue)); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
	}
	return nil
}

// dropMessages deletes messages; one that is not there is no error.
func dropMessages(tx *bolt.Tx, queue uint64, sequences []uint64) error {
	messages := tx.Bucket(bucketMessages).Bucket(number(queue))
	states := tx.Bucket(bucketStates).Bucket(number(queue))
	if messages == nil || states == nil {
		return nil // the queue was deleted meanwhile, and its messages with it
	}
	for _, seq := range sequences {
		key := number(seq)
		if err := messages.Delete(key); err != nil {
			return err
		}
		if err := states.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// A stateChange is the new state of one message.
type stateChange struct {
	sequence uint64
	state    state
}

func putStates(tx *bolt.Tx, queue uint64, changes []stateChange) error {
	states := tx.Bucket(bucketStates).Bucket(number(queue))
	if states == nil {
		return nil // deleted meanwhile
	}
	for _, c := range changes {
		if err := states.Put(number(c.sequence), c.state.encode()); err != nil {
			return err
		}
	}
	return nil
}
