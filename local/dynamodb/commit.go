package dynamodb

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// A committer is the one writer. It gathers the jobs that wait into one
// transaction, so that the cost of a commit is shared, and runs them in turn
// inside it, so that every condition sees all that was written before:
// writes are serialisable. A caller hears of success only after the commit.
type committer struct {
	db      *bbolt.DB
	jobs    chan *job
	closing chan struct{}
	ended   sync.WaitGroup
}

// A job must do all its checks before it writes: an *apiError from it means
// that it wrote nothing, and the other jobs of the batch go on. Any other error
// fails the whole batch.
type job struct {
	run   func(*writer) error
	alone bool // changes tables, and what the next job must see comes after the commit
	err   error
	done  chan struct{}
}

const (
	maxBatch     = 256
	syncInterval = time.Second
)

var errClosed = errors.New("the tables are closed")

func newCommitter(db *bbolt.DB) *committer {
	c := &committer{db: db, jobs: make(chan *job, maxBatch), closing: make(chan struct{})}
	c.ended.Go(c.loop)
	return c
}

// do runs a job and waits for its commit.
func (c *committer) do(alone bool, run func(*writer) error) error {
	j := &job{run: run, alone: alone, done: make(chan struct{})}
	select {
	case c.jobs <- j:
	case <-c.closing:
		return errClosed
	}
	select {
	case <-j.done:
		return j.err
	case <-c.closing:
		// The loop ends only after what it has taken; either way it says so.
		c.ended.Wait()
		select {
		case <-j.done:
			return j.err
		default:
			return errClosed
		}
	}
}

func (c *committer) close() {
	close(c.closing)
	c.ended.Wait()
}

func (c *committer) loop() {
	tick := time.NewTicker(syncInterval)
	defer tick.Stop()
	dirty := false
	var held *job // taken, but must not run with those before it
	for {
		first := held
		held = nil
		if first == nil {
			select {
			case first = <-c.jobs:
			case <-tick.C:
				if dirty {
					c.ended.Go(func() { _ = c.db.Sync() }) // an error shows up at the next commit
				}
				dirty = false
				continue
			case <-c.closing:
				return
			}
		}
		var batch []*job
		batch, held = c.gather(first)
		c.commit(batch)
		dirty = true
	}
}

// gather takes what waits. A job that wants to be alone ends the batch.
func (c *committer) gather(first *job) (batch []*job, held *job) {
	batch = append(batch, first)
	if !first.alone {
		runtime.Gosched() // those that are about to ask get their turn: fewer, larger commits
	}
	for !first.alone && len(batch) < maxBatch {
		select {
		case next := <-c.jobs:
			if next.alone {
				return batch, next
			}
			batch = append(batch, next)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

func (c *committer) commit(batch []*job) {
	w := &writer{stats: map[string]stats{}}
	err := c.db.Update(func(tx *bbolt.Tx) error {
		w.tx = tx
		for _, j := range batch {
			j.err = j.run(w)
			if isStoreError(j.err) {
				return j.err
			}
		}
		return w.flushStats()
	})
	if err == nil && w.committed != nil {
		w.committed()
	}
	for _, j := range batch {
		if err != nil {
			j.err = err
		}
		close(j.done)
	}
}

// isStoreError reports an error that is not an answer to the client.
func isStoreError(err error) bool {
	var answer *apiError
	return err != nil && !errors.As(err, &answer)
}

// A writer is the transaction of a batch.
type writer struct {
	tx        *bbolt.Tx
	stats     map[string]stats // of the tables that the batch changed
	committed func()           // what to do once it holds; only a job alone sets it
}

func (w *writer) addStats(t *table, items, bytes int) {
	s, found := w.stats[t.meta.ID]
	if !found {
		s = readStats(w.tx, t.meta.ID)
	}
	s.items += int64(items)
	s.bytes += int64(bytes)
	w.stats[t.meta.ID] = s
}

func (w *writer) flushStats() error {
	b := w.tx.Bucket(statsBucket)
	for id, s := range w.stats {
		if err := b.Put([]byte(id), s.encode()); err != nil {
			return err
		}
	}
	return nil
}
