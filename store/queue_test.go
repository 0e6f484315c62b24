package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// held runs f while a call holds the writer, so that whoever comes has to queue.
func held(db *store.DB, f func()) {
	in, gate := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		db.Write(context.Background(), func(context.Context, *store.Queries) error {
			close(in)
			<-gate
			return nil
		})
	})
	<-in
	f()
	close(gate)
	wg.Wait()
}

// Who gives up while it queues is let go at once, and what it wanted never
// happens.
func TestCancelledWhileQueued(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, _ *storetest.Faults, _ string, db *store.DB) {
		var others sync.WaitGroup
		got := make([]outcome, 6)
		held(db, func() {
			for i := range got {
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				wg.Go(func() { got[i] = try(ctx, db, put(int64(i+1))) })
				synctest.Wait()
				if i%2 == 0 {
					cancel()
					wg.Wait() // while the writer is held: it does not wait for its turn
					continue
				}
				others.Go(func() { wg.Wait(); cancel() })
			}
		})
		others.Wait()
		for i, o := range got {
			gaveUp := i%2 == 0
			if errors.Is(o.err, context.Canceled) != gaveUp || !gaveUp && o.err != nil {
				t.Errorf("caller %d met %v, gave up: %t", i, o, gaveUp)
			}
			if has(t, db, int64(i+1)) == gaveUp {
				t.Errorf("caller %d gave up: %t, its row is there: %t", i, gaveUp, !gaveUp)
			}
		}
	})
}

// A context that has ended never gets as far as the queue.
func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	_, db := newFile(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Write(ctx, put(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v", err)
	}
	if err := db.Read(ctx, get(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if has(t, db, 1) {
		t.Error("the row is there")
	}
}

// Once a call has been taken, its caller hears what happened, whatever becomes of
// its context; and the function sees the context's values, not its end.
func TestCancelledWhileRunning(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, _ *storetest.Faults, _ string, db *store.DB) {
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		running, gate := make(chan struct{}), make(chan struct{})
		var leader, follower outcome
		var wg sync.WaitGroup
		held(db, func() {
			wg.Go(func() {
				leader = try(ctx, db, func(c context.Context, q *store.Queries) error {
					close(running)
					<-gate
					if c.Err() != nil || c.Value(key{}) != "value" {
						t.Errorf("the function's context: %v, value %v", c.Err(), c.Value(key{}))
					}
					return put(1)(c, q)
				})
			})
			synctest.Wait()
			wg.Go(func() { follower = try(ctx, db, put(2)) })
			synctest.Wait()
			go func() {
				<-running
				cancel()
				synctest.Wait()
				close(gate)
			}()
		})
		wg.Wait()
		if leader != (outcome{}) || follower != (outcome{}) || !has(t, db, 1) || !has(t, db, 2) {
			t.Errorf("leader %v, follower %v, rows %t %t", leader, follower, has(t, db, 1), has(t, db, 2))
		}
	})
}

// The lead is offered to the first in the queue, who may be giving up at that
// moment. Whoever is behind must not wait for ever: synctest would call that a
// deadlock.
func TestLeadershipPassesOn(t *testing.T) {
	t.Parallel()
	random, rounds := storetest.Random(t), storetest.Scale(t, 300)
	bubble(t, func(t *testing.T, faults *storetest.Faults, _ string, db *store.DB) {
		for round := range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			// The end comes while the batch before commits: whether the lead or the
			// cancellation is seen first is up to the scheduler.
			faults.Hook(func(op storetest.Op) {
				if is("COMMIT")(op) {
					cancel()
				}
			})
			row := func(caller int) int64 { return int64(round*100 + caller + 1) }
			got, mayGiveUp := make([]outcome, 6), make([]bool, 6)
			var wg sync.WaitGroup
			held(db, func() {
				for i := range got {
					own := t.Context()
					if mayGiveUp[i] = i == 0 || random.IntN(2) == 0; mayGiveUp[i] {
						own = ctx
					}
					wg.Go(func() { got[i] = try(own, db, put(row(i))) })
					synctest.Wait()
				}
			})
			wg.Wait()
			for i, o := range got {
				gaveUp := errors.Is(o.err, context.Canceled)
				if o.err != nil && !gaveUp || gaveUp && !mayGiveUp[i] {
					t.Errorf("round %d: caller %d met %v", round, i, o)
				}
				if has(t, db, row(i)) == gaveUp {
					t.Errorf("round %d: caller %d was told %v, its row is there: %t", round, i, o.err, gaveUp)
				}
			}
		}
	})
}
