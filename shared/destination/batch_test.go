package destination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// slate is a Batcher that notes its calls.
type slate struct {
	limits  BatchLimits
	deliver func([]event.Event) []Outcome

	mu    sync.Mutex
	calls [][]string
}

func (s *slate) Batch() BatchLimits { return s.limits }

func (s *slate) Deliver(ctx context.Context, e event.Event) (Result, error) {
	return alone(ctx, s, e)
}

func (s *slate) DeliverBatch(_ context.Context, events []event.Event) []Outcome {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	s.mu.Lock()
	s.calls = append(s.calls, ids)
	s.mu.Unlock()
	if s.deliver != nil {
		return s.deliver(events)
	}
	return make([]Outcome, len(events))
}

// deliverAtOnce delivers n events at once, and returns what became of each.
func deliverAtOnce(ctx context.Context, d Destination, n int) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = d.Deliver(ctx, sample(fmt.Sprint(i))) })
	}
	wg.Wait()
	return errs
}

func TestWhatIsDeliveredAtOnceGoesInOneCall(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		batch  *config.Batch
		events int
		want   []int // sizes of the calls
		took   time.Duration
	}{
		{"a full call goes at once", nil, 4, []int{4}, 0},
		{"what is left over waits for company, in vain", nil, 6, []int{2, 4}, defaultGather},
		{"an event alone waits a little", nil, 1, []int{1}, defaultGather},
		{"the configured size counts", &config.Batch{Size: 2}, 4, []int{2, 2}, 0},
		{"no size is over the service's", &config.Batch{Size: 500}, 8, []int{4, 4}, 0},
		{"the configured wait counts", &config.Batch{Wait: config.Duration(time.Second)}, 1, []int{1}, time.Second},
		{"a size of one gathers nothing", &config.Batch{Size: 1}, 3, []int{1, 1, 1}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &slate{limits: BatchLimits{Count: 4}}
				began := time.Now()
				for i, err := range deliverAtOnce(t.Context(), gather(s, test.batch), test.events) {
					if err != nil {
						t.Errorf("event %d: %v", i, err)
					}
				}
				var sizes []int
				for _, ids := range s.calls {
					sizes = append(sizes, len(ids))
				}
				slices.Sort(sizes)
				if diff := cmp.Diff(test.want, sizes); diff != "" {
					t.Error(diff)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
			})
		})
	}
}

func TestEachEventOfABatchHasItsOwnOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slate{limits: BatchLimits{Count: 3}, deliver: func(events []event.Event) []Outcome {
			all := make([]Outcome, len(events))
			for i, e := range events {
				if all[i].Status = 200; e.ID == "1" {
					all[i] = Outcome{Err: &Permanent{Err: errors.New("not this one")}}
				}
			}
			return all
		}}
		for i, err := range deliverAtOnce(t.Context(), gather(s, nil), 3) {
			if got, want := verdictOf(err), map[bool]string{true: "give"}[i == 1]; got != want {
				t.Errorf("event %d: %v", i, err)
			}
		}
	})
}

func TestABatchThatCameToNoEndMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slate{limits: BatchLimits{Count: 3}, deliver: func([]event.Event) []Outcome { panic("a mistake") }}
		d := gather(s, nil)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				defer func() { _ = recover() }() // as the caller of Deliver does
				if _, err := d.Deliver(t.Context(), sample("1")); verdictOf(err) != "retry" {
					t.Errorf("the error is %v", err)
				}
			})
		}
		wg.Wait()
	})
}

func TestAnEventWaitsForItsBatchNoLongerThanItHasTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		s := &slate{limits: BatchLimits{Count: 2}, deliver: func(events []event.Event) []Outcome {
			<-answer
			return make([]Outcome, len(events))
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d := gather(s, nil)
		go func() { _, _ = d.Deliver(t.Context(), sample("0")) }()
		synctest.Wait()
		_, err := d.Deliver(ctx, sample("1"))
		if verdictOf(err) != "retry" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		close(answer)
	})
}

func TestCallsKeepTheLimits(t *testing.T) {
	t.Parallel()
	limits := BatchLimits{Count: 3, Bytes: 10, Each: 6}
	for _, test := range []struct {
		name  string
		sizes []int
		want  []string // the calls, their entries' places
		alone []int    // places of those that cannot be sent
	}{
		{"no event is no call", nil, nil, nil},
		{"a call has no more entries than it may", []int{1, 1, 1, 1}, []string{"[0 1 2]", "[3]"}, nil},
		{"a call has no more bytes than it may", []int{6, 4, 1}, []string{"[0 1]", "[2]"}, nil},
		{"an entry that is too large takes none with it", []int{1, 7, 1}, []string{"[0 2]"}, []int{1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			events := make([]event.Event, len(test.sizes))
			for i, n := range test.sizes {
				events[i] = event.Event{ID: fmt.Sprint(i), Data: make([]byte, n)}
			}
			var calls []string
			all := inCalls(events, limits, func(e event.Event) (string, int, error) { return e.ID, len(e.Data), nil },
				func(ids []string) ([]Outcome, error) {
					calls = append(calls, fmt.Sprint(ids))
					return make([]Outcome, len(ids)), nil
				})
			if diff := cmp.Diff(test.want, calls); diff != "" {
				t.Error(diff)
			}
			for i, o := range all {
				refused := slices.Contains(test.alone, i)
				if refused != (o.Err != nil) || refused && !strings.Contains(o.Err.Error(), "7 bytes") {
					t.Errorf("entry %d: %v", i, o.Err)
				}
			}
		})
	}
}

func TestAnAnswerOfAnotherLengthIsNoSuccess(t *testing.T) {
	t.Parallel()
	all := inCalls([]event.Event{sample("1"), sample("2")}, BatchLimits{Count: 2, Bytes: 10, Each: 10},
		func(event.Event) (int, int, error) { return 0, 1, nil },
		func([]int) ([]Outcome, error) { return make([]Outcome, 1), nil })
	for _, o := range all {
		if verdictOf(o.Err) != "retry" {
			t.Errorf("the error is %v", o.Err)
		}
	}
}
