package checkpoint_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/checkpoint"
)

var _ apiauth.Locker = (*checkpoint.Store)(nil)

// onTable runs a test on the local table.
func onTable(t *testing.T, test func(t *testing.T, open func() *checkpoint.Store, now *atomic.Int64)) {
	t.Helper()
	api, table := open(t)
	now := &atomic.Int64{}
	now.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC).UnixNano())
	test(t, func() *checkpoint.Store {
		return checkpoint.New(api, table, func() time.Time { return time.Unix(0, now.Load()) })
	}, now)
}

// soon is a time that is up after a try or two.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestOfManyWhoWaitForALockOneHasIt(t *testing.T) {
	t.Parallel()
	onTable(t, func(t *testing.T, open func() *checkpoint.Store, _ *atomic.Int64) {
		var holders, most, turns atomic.Int32
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				unlock, err := open().Lock(t.Context(), "auth/a", time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n > 1 {
					most.Store(n)
				}
				turns.Add(1)
				holders.Add(-1)
				unlock(t.Context())
			})
		}
		wg.Wait()
		if most.Load() > 0 || turns.Load() != 6 {
			t.Errorf("%d held it at once, %d had their turn", most.Load(), turns.Load())
		}
	})
}

func TestALockOfOneWhoDiedRunsOut(t *testing.T) {
	t.Parallel()
	onTable(t, func(t *testing.T, open func() *checkpoint.Store, now *atomic.Int64) {
		late, err := open().Lock(t.Context(), "auth/a", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open().Lock(soon(t), "auth/a", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
			t.Fatalf("the error is %v", err)
		}
		if unlock, err := open().Lock(soon(t), "auth/b", time.Minute); err != nil {
			t.Errorf("a lock of another name: %v", err)
		} else {
			unlock(t.Context())
		}
		now.Add(int64(61 * time.Second))
		if _, err := open().Lock(t.Context(), "auth/a", time.Minute); err != nil {
			t.Fatal(err)
		}
		late(t.Context()) // must not free what another holds
		if _, err := open().Lock(soon(t), "auth/a", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
			t.Errorf("the error is %v", err)
		}
	})
}
