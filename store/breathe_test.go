package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// With nobody else about, a long piece of work goes straight on.
func TestBreatheAlone(t *testing.T) {
	t.Parallel()
	_, db := newFile(t, nil)
	for range 3 {
		if err := db.Breathe(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// It steps back while others write, but not for ever: a few of their batches
// later it goes on although the queue never ends.
func TestBreatheLetsOthersFirst(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, faults *storetest.Faults, _ string, db *store.DB) {
		// Two callers take turns so that there is always one in the queue: each
		// commit waits until the next call is there.
		var commits atomic.Int64
		faults.Hook(func(op storetest.Op) {
			if is("COMMIT")(op) {
				commits.Add(1)
			}
		})
		ctx, stop := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() {
				for ctx.Err() == nil {
					db.Write(context.Background(), func(context.Context, *store.Queries) error {
						synctest.Wait() // the other one queues by now
						return nil
					})
				}
			})
		}
		var before int64
		in := make(chan struct{})
		go db.Write(context.Background(), func(context.Context, *store.Queries) error {
			before = commits.Load()
			close(in)
			return nil
		})
		<-in
		if err := db.Breathe(t.Context()); err != nil {
			t.Error(err)
		}
		after := commits.Load()
		stop()
		callers.Wait()
		if n := after - before; n < 1 || n > 8 {
			t.Errorf("%d commits of others went by, want a few", n)
		}
	})
}

// The end of its context ends the wait.
func TestBreatheCancelled(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, _ *storetest.Faults, _ string, db *store.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var err error
		held(db, func() {
			wg.Go(func() { err = db.Breathe(ctx) })
			synctest.Wait()
			cancel()
			wg.Wait() // while the writer is held
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Breathe: %v", err)
		}
	})
}
