package sqs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Where a task is in its life, as ListMessageMoveTasks says it.
const (
	taskRunning    = "RUNNING"
	taskCompleted  = "COMPLETED"
	taskCancelling = "CANCELLING"
	taskCancelled  = "CANCELLED"
	taskFailed     = "FAILED"
)

const (
	maxMoveRate = 500 // messages a second
	moveBatch   = 20  // messages of one transaction, where no rate is asked for
	maxTasks    = 10  // kept of one queue
)

// A moveTask redrives the dead letters of a queue. The store counts what was moved
// in the transaction that moves it, and a task that was running when the process
// ended goes on when the next one starts.
type moveTask struct {
	ID      string `json:"id"`
	Source  string `json:"source"`         // ARN
	Target  string `json:"target"`         // ARN; empty: each to the queue that it came from
	Rate    int    `json:"rate,omitempty"` // messages a second; 0: as fast as it goes
	Status  string `json:"status"`
	Moved   int    `json:"moved"`
	ToMove  int    `json:"toMove"`
	Started int64  `json:"started"` // unix milliseconds
	Reason  string `json:"reason,omitempty"`
}

// tasks is every task, oldest first.
type tasks struct {
	mu  sync.Mutex
	all []*moveTask
}

func (t *tasks) snapshot(source string) []moveTask {
	t.mu.Lock()
	defer t.mu.Unlock()
	var some []moveTask
	for _, task := range t.all {
		if task.Source == source {
			some = append(some, *task)
		}
	}
	slices.Reverse(some) // newest first
	return some
}

func (s *Server) startMessageMoveTask(_ context.Context, _ call, in *startMoveRequest) (any, error) {
	if in.SourceARN == "" {
		return nil, errMissing("SourceArn")
	}
	q := s.byARN(in.SourceARN)
	if q == nil {
		return nil, errResource("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	if len(s.deadLetterSources(in.SourceARN)) == 0 {
		return nil, errParameter("Source queue must be configured as a Dead Letter Queue.")
	}
	task := &moveTask{ID: newID(), Source: in.SourceARN, Target: in.DestinationARN, Status: taskRunning, Started: s.now().UnixMilli()}
	if in.DestinationARN != "" {
		target := s.byARN(in.DestinationARN)
		switch {
		case target == nil:
			return nil, errResource("The resource that you specified for the DestinationArn parameter doesn't exist.")
		case target == q:
			return nil, errParameter("Source queue arn and destination queue arn must be different.")
		case target.isFIFO() != q.isFIFO():
			return nil, errParameter("The destination queue must be of the same type as the source queue.")
		}
	}
	if n := in.MaxNumberOfMessagesPerSecond; n != nil {
		if *n < 1 || *n > maxMoveRate {
			return nil, errValue(*n, "MaxNumberOfMessagesPerSecond", "Must be between 1 and %d.", maxMoveRate)
		}
		task.Rate = *n
	}
	task.ToMove = q.count()
	if err := s.beginTask(task); err != nil {
		return nil, err
	}
	return taskAnswer{taskHandle(task)}, nil
}

func errResource(message string) *Error {
	return clientError("ResourceNotFoundException", "%s", message)
}

func taskHandle(t *moveTask) string {
	j, _ := json.Marshal(map[string]string{"taskId": t.ID, "sourceArn": t.Source}) // two strings
	return base64.StdEncoding.EncodeToString(j)
}

// beginTask stores a task and runs it, unless another moves the same queue's.
func (s *Server) beginTask(task *moveTask) error {
	s.tasks.mu.Lock()
	for _, other := range s.tasks.all {
		if other.Source == task.Source && other.active() {
			s.tasks.mu.Unlock()
			return serviceError("UnsupportedOperation", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		}
	}
	s.tasks.all = append(s.tasks.all, task)
	dropped := s.tasks.trim(task.Source)
	s.tasks.mu.Unlock()
	if err := s.keepTask(*task, dropped); err != nil {
		task.end(s, taskFailed, "the task could not be stored")
		return err
	}
	s.runTask(task)
	return nil
}

func (t *moveTask) active() bool { return t.Status == taskRunning || t.Status == taskCancelling }

// trim forgets the oldest tasks of a queue that AWS would not list either.
func (t *tasks) trim(source string) (dropped []string) {
	n := 0
	for _, task := range slices.Backward(t.all) {
		if task.Source != source {
			continue
		}
		if n++; n > maxTasks {
			dropped = append(dropped, task.ID)
		}
	}
	t.all = slices.DeleteFunc(t.all, func(task *moveTask) bool { return slices.Contains(dropped, task.ID) })
	return dropped
}

func (s *Server) keepTask(task moveTask, dropped []string) error {
	c := &change{size: 512, write: func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketTasks)
		for _, id := range dropped {
			if err := b.Delete([]byte(id)); err != nil {
				return err
			}
		}
		return putJSON(b, []byte(task.ID), task)
	}}
	s.store.submit(c)
	return c.wait()
}

// resumeTasks reads the tasks of the store and goes on with those that were running.
func (s *Server) resumeTasks() {
	err := s.store.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketTasks).ForEach(func(_, raw []byte) error {
			task := new(moveTask)
			if err := json.Unmarshal(raw, task); err != nil {
				return err
			}
			s.tasks.all = append(s.tasks.all, task)
			return nil
		})
	})
	if err != nil {
		s.log.Error("the move tasks could not be read", "error", err)
	}
	slices.SortFunc(s.tasks.all, func(a, b *moveTask) int { return int(a.Started - b.Started) })
	for _, task := range s.tasks.all {
		if task.active() {
			s.runTask(task)
		}
	}
}

// runTask moves batch after batch in the background, until nothing is visible, the
// task is cancelled, or the process ends.
func (s *Server) runTask(task *moveTask) {
	s.background.Go(func() {
		size, pause := moveBatch, time.Duration(0)
		if task.Rate > 0 {
			size = max(1, task.Rate/10)
			pause = time.Duration(size) * time.Second / time.Duration(task.Rate)
		}
		timer := time.NewTimer(0)
		defer timer.Stop()
		for s.moveSome(task, size) {
			timer.Reset(pause)
			select {
			case <-s.closed:
				return
			case <-timer.C:
			}
		}
	})
}

// moveSome moves one batch, and says whether there may be more.
func (s *Server) moveSome(task *moveTask, size int) bool {
	s.tasks.mu.Lock()
	cancelled := task.Status == taskCancelling
	s.tasks.mu.Unlock()
	q := s.byARN(task.Source)
	switch {
	case cancelled:
		return task.end(s, taskCancelled, "")
	case q == nil:
		return task.end(s, taskFailed, "AWS.SimpleQueueService.NonExistentQueue")
	}
	entries := q.takeReady(size)
	if len(entries) == 0 {
		return task.end(s, taskCompleted, "")
	}
	homeless := 0
	for target, some := range s.homes(q, task.Target, entries) {
		if target == nil {
			q.restore(some)
			homeless += len(some)
			continue
		}
		c := move{from: q, to: target, entries: some, fresh: true, ended: task.count(s)}.change(s)
		s.store.submit(c)
		if err := c.wait(); err != nil {
			return task.end(s, taskFailed, "the store did not take it")
		}
	}
	if homeless > 0 {
		return task.end(s, taskFailed, "CouldNotDetermineMessageSource")
	}
	return true
}

// count adds to what the task has moved, in the transaction that moves it.
func (t *moveTask) count(s *Server) func(*bolt.Tx, int) error {
	return func(tx *bolt.Tx, moved int) error {
		s.tasks.mu.Lock()
		defer s.tasks.mu.Unlock()
		t.Moved += moved
		return putJSON(tx.Bucket(bucketTasks), []byte(t.ID), t)
	}
}

// end is the last word on a task; it returns false for its caller's sake.
func (t *moveTask) end(s *Server, status, reason string) bool {
	s.tasks.mu.Lock()
	t.Status, t.Reason = status, reason
	last := *t
	s.tasks.mu.Unlock()
	if err := s.keepTask(last, nil); err != nil {
		s.log.Error("the end of a move task could not be stored", "error", err)
	}
	return false
}

// takeReady takes up to n visible messages out of the index, to be moved. It takes
// the lock.
func (q *queue) takeReady(n int) []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(q.srv.now().UnixMilli())
	var some []*entry
	for len(some) < n && q.open.Len() > 0 {
		e := q.open.first().ready.first()
		q.drop(e)
		some = append(some, e)
	}
	return some
}

// count is how many messages the queue holds. It takes the lock.
func (q *queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries)
}

// homes sorts messages by the queue that they go to: the one that was named, or
// the one that each is a dead letter of; nil where that is not there.
func (s *Server) homes(q *queue, target string, entries []*entry) map[*queue][]*entry {
	if target != "" {
		return map[*queue][]*entry{s.byARN(target): entries}
	}
	homes := map[*queue][]*entry{}
	err := s.store.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketMessages).Bucket(number(q.number))
		if b == nil {
			return nil
		}
		for _, e := range entries {
			var home *queue
			if r, err := decodeRecord(b.Get(number(e.sequence))); err == nil {
				home = s.byARN(r.source)
			}
			homes[home] = append(homes[home], e)
		}
		return nil
	})
	if err != nil {
		s.log.Error("dead letters could not be read", "error", err)
	}
	return homes
}

func (s *Server) listMessageMoveTasks(_ context.Context, _ call, in *listMovesRequest) (any, error) {
	if in.SourceARN == "" {
		return nil, errMissing("SourceArn")
	}
	if s.byARN(in.SourceARN) == nil {
		return nil, errResource("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	n := 1
	if in.MaxResults != nil {
		n = *in.MaxResults
	}
	if n < 1 || n > maxTasks {
		return nil, errValue(n, "MaxResults", "Must be between 1 and %d.", maxTasks)
	}
	found := s.tasks.snapshot(in.SourceARN)
	var answer listMovesAnswer
	for _, t := range found[:min(n, len(found))] {
		answer.Results = append(answer.Results, t.wire())
	}
	return answer, nil
}

func (t moveTask) wire() wireTask {
	out := wireTask{
		Status: t.Status, SourceARN: t.Source, DestinationARN: t.Target, MaxNumberOfMessagesPerSecond: t.Rate,
		ApproximateNumberOfMessagesMoved: t.Moved, ApproximateNumberOfMessagesToMove: t.ToMove,
		FailureReason: t.Reason, StartedTimestamp: t.Started,
	}
	if t.Status == taskRunning {
		out.TaskHandle = taskHandle(&t)
	}
	return out
}

func (s *Server) cancelMessageMoveTask(_ context.Context, _ call, in *cancelMoveRequest) (any, error) {
	if in.TaskHandle == "" {
		return nil, errMissing("TaskHandle")
	}
	var handle struct {
		ID string `json:"taskId"`
	}
	raw, err := base64.StdEncoding.DecodeString(in.TaskHandle)
	if err != nil || json.Unmarshal(raw, &handle) != nil || handle.ID == "" {
		return nil, errValue(shorten(in.TaskHandle), "TaskHandle", "It is not the handle of a task.")
	}
	s.tasks.mu.Lock()
	defer s.tasks.mu.Unlock()
	for _, t := range s.tasks.all {
		if t.ID == handle.ID {
			if t.Status != taskRunning {
				return nil, serviceError("UnsupportedOperation", "Only active tasks can be cancelled: this one is %s.", t.Status)
			}
			t.Status = taskCancelling
			return cancelMoveAnswer{t.Moved}, nil
		}
	}
	return nil, errResource("Task does not exist.")
}
