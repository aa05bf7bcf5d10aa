package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what Open may be told; the zero value is good.
type Options struct {
	Now       func() time.Time // time.Now if nil
	Region    string           // us-east-1 if empty
	AccountID string           // 000000000000 if empty
	Logger    *slog.Logger     // discards if nil
	Rand      func() float64   // in [0, 1), for faults at a rate; random if nil
}

// A Server holds the queues of one file, and answers for them over HTTP
// (ServeHTTP) and in Go. It is safe for concurrent use.
type Server struct {
	now     func() time.Time
	region  string
	account string
	log     *slog.Logger
	store   *store
	faults  faults

	mu      sync.RWMutex
	baseURL string
	queues  map[string]*queue
	last    uint64 // the number of the youngest queue
	closed  chan struct{}
	tasks   tasks

	background sync.WaitGroup
}

// Open opens or creates the durable store at path. Only one process can have it open.
func Open(path string, opts Options) (*Server, error) {
	st, err := openStore(path)
	if err != nil {
		return nil, err
	}
	s := &Server{
		now: opts.Now, region: opts.Region, account: opts.AccountID, log: opts.Logger,
		store: st, queues: map[string]*queue{}, closed: make(chan struct{}),
	}
	s.fill(opts)
	if err := s.rebuild(); err != nil {
		_ = st.db.Close() // nothing was written
		return nil, fmt.Errorf("read the queues of %s: %w", path, err)
	}
	st.broken = s.recover
	st.start()
	s.background.Go(s.sweepAll)
	s.resumeTasks()
	return s, nil
}

func (s *Server) fill(opts Options) {
	if s.now == nil {
		s.now = time.Now
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.account == "" {
		s.account = "000000000000"
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.faults.rand = opts.Rand
	if s.faults.rand == nil {
		s.faults.rand = rand.Float64
	}
}

// Close writes what was accepted and lets the file go. Calls that wait for messages
// return without any; later calls fail.
func (s *Server) Close() error {
	s.mu.Lock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	s.mu.Unlock()
	s.background.Wait()
	return s.store.close()
}

// SetBaseURL says where the endpoint listens (http://127.0.0.1:4566), which is what
// queue URLs begin with. Until then they begin with the host of the request.
func (s *Server) SetBaseURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.baseURL = strings.TrimSuffix(url, "/")
}

// QueueURL is the URL of a queue, whether or not it is there.
func (s *Server) QueueURL(name string) string { return s.url("", name) }

// QueueARN is the ARN of a queue, whether or not it is there.
func (s *Server) QueueARN(name string) string { return s.arn(name) }

func (s *Server) url(host, name string) string {
	s.mu.RLock()
	base := s.baseURL
	s.mu.RUnlock()
	if base == "" && host != "" {
		base = "http://" + host
	}
	return base + "/" + s.account + "/" + name
}

func (s *Server) arn(name string) string {
	return "arn:aws:sqs:" + s.region + ":" + s.account + ":" + name
}

// queue finds a queue by name, or is nil.
func (s *Server) queue(name string) *queue {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.queues[name]
}

func (s *Server) byARN(arn string) *queue {
	name, ok := strings.CutPrefix(arn, s.arn(""))
	if !ok {
		return nil
	}
	return s.queue(name)
}

// byURL finds a queue by its URL. Only the path counts: the port may have changed
// since the URL was given out.
func (s *Server) byURL(url string) (*queue, error) {
	if url == "" {
		return nil, errMissing("QueueUrl")
	}
	path := url
	if _, rest, ok := strings.Cut(url, "://"); ok {
		_, path, _ = strings.Cut(rest, "/")
	}
	account, name, ok := strings.Cut(strings.Trim(path, "/"), "/")
	if ok && account == s.account {
		if q := s.queue(name); q != nil {
			return q, nil
		}
	}
	return nil, errNoQueue()
}

// Queues is the names of all queues, in order.
func (s *Server) Queues() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.queues))
}

func (s *Server) all() []*queue {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.queues))
}

func (s *Server) sweepAll() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.closed:
			return
		case <-tick.C:
		}
		for _, q := range s.all() {
			q.sweep(s.now())
		}
	}
}

// recover follows a commit that the store refused, such as on a full disk. What
// the index had already let go or taken is not on disk, so it is read again.
func (s *Server) recover(err error) {
	s.log.Error("the queues could not be written", "error", err)
	if err := s.rebuildIndexes(); err != nil {
		s.log.Error("the queues could not be read", "error", err)
	}
}

// Receive takes up to max messages (1 to 10) of a queue, waiting up to wait for the
// first. They stay invisible for the queue's visibility timeout. It returns none, and
// no error, when the time or ctx ends.
func (s *Server) Receive(ctx context.Context, queueName string, maxMessages int, wait time.Duration) ([]Message, error) {
	q := s.queue(queueName)
	if q == nil {
		return nil, errNoQueue()
	}
	if err := s.faults.check(queueName, "ReceiveMessage"); err != nil {
		return nil, err
	}
	return q.receive(ctx, receiveRequest{
		max: max(1, min(maxMessages, maxEntries)), wait: wait, visibility: q.visibility(),
	})
}

// Delete deletes messages by their receipt handles. All are tried; the error is
// the first handle's that was refused.
func (s *Server) Delete(_ context.Context, queueName string, receiptHandles []string) error {
	q := s.queue(queueName)
	if q == nil {
		return errNoQueue()
	}
	if err := s.faults.check(queueName, "DeleteMessageBatch"); err != nil {
		return err
	}
	return firstRefusal(q.remove(receiptHandles))
}

// ChangeVisibility keeps messages in flight invisible for timeout from now; zero
// gives them back at once. All are tried; the error is the first one's that was refused.
func (s *Server) ChangeVisibility(_ context.Context, queueName string, receiptHandles []string, timeout time.Duration) error {
	q := s.queue(queueName)
	if q == nil {
		return errNoQueue()
	}
	if err := s.faults.check(queueName, "ChangeMessageVisibilityBatch"); err != nil {
		return err
	}
	if timeout < 0 || timeout > maxVisibility*time.Second {
		return errValue(timeout, "VisibilityTimeout", "Must be between 0 and %d seconds.", maxVisibility)
	}
	holds := make([]hold, len(receiptHandles))
	for i, h := range receiptHandles {
		holds[i] = hold{h, timeout}
	}
	return firstRefusal(q.extend(holds))
}

// GiveBack makes every message in flight visible at once. It is for the start of
// a stack whose consumers died with it: AWS, whose queues outlive their
// consumers' machines, would let each message wait for its visibility timeout.
func (s *Server) GiveBack(queueName string) error {
	q := s.queue(queueName)
	if q == nil {
		return errNoQueue()
	}
	q.giveBack()
	return nil
}

func firstRefusal(refused []*Error, err error) error {
	if err != nil {
		return err
	}
	for _, r := range refused {
		if r != nil {
			return r
		}
	}
	return nil
}

// Send puts one message on a queue, with string attributes, and returns its id.
func (s *Server) Send(_ context.Context, queueName, body string, attributes map[string]string) (string, error) {
	q := s.queue(queueName)
	if q == nil {
		return "", errNoQueue()
	}
	if err := s.faults.check(queueName, "SendMessage"); err != nil {
		return "", err
	}
	in := sendEntry{MessageBody: &body}
	for name, value := range attributes {
		if in.MessageAttributes == nil {
			in.MessageAttributes = map[string]wireAttribute{}
		}
		in.MessageAttributes[name] = wireAttribute{DataType: "String", StringValue: &value}
	}
	m, refused := s.outgoing(q, &in)
	if refused != nil {
		return "", refused
	}
	arrived, err := q.send([]outgoing{m})
	if err != nil {
		return "", err
	}
	return arrived[0].record.id, nil
}

// Depth is how many messages a queue holds: visible, in flight and delayed.
func (s *Server) Depth(queueName string) (visible, inFlight, delayed int, err error) {
	q := s.queue(queueName)
	if q == nil {
		return 0, 0, 0, errNoQueue()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(s.now().UnixMilli())
	return len(q.entries) - q.inFlight - q.delayed, q.inFlight, q.delayed, nil
}

func (q *queue) visibility() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.settings.visibility
}
