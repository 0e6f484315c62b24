package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// A writer lets callers share commits. Whoever finds no leader leads: it takes
// all calls that wait, runs each in a savepoint of one transaction, commits, and
// only then tells them. There is no goroutine and no timer: a caller alone pays
// for its own commit, and many callers pay for one together.
//
// A call that fails or panics is rolled back to its savepoint and harms no
// other. A caller whose context ends while its call waits takes it back; once
// the call has been taken the caller waits for the commit, so that what it is
// told is what happened.
type writer struct {
	transaction

	mu      sync.Mutex
	queue   []*call
	leading bool
	closed  bool // nothing more is taken in
	ended   bool // and everything is closed
	endErr  error
	batches uint64    // how many batches have been run
	turn    sync.Cond // signalled after every batch
}

// A call is one caller's function and what became of it.
type call struct {
	ctx      context.Context
	f        Func
	err      error
	panicked any

	wake  chan struct{} // one signal: done, or lead
	state callState     // guarded by writer.mu
	leads bool          // guarded by writer.mu
}

type callState int

const (
	waiting callState = iota
	taken             // it runs, or has run
	left              // its caller has gone: it must not run
)

// do runs f in a transaction and returns when it is on disk.
func (w *writer) do(ctx context.Context, f Func) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{ctx: context.WithoutCancel(ctx), f: f, wake: make(chan struct{}, 1)}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.queue = append(w.queue, c)
	lead := !w.leading
	w.leading = true
	w.mu.Unlock()

	if !lead {
		select {
		case <-c.wake:
		case <-ctx.Done():
			if w.takeBack(c) {
				return ctx.Err()
			}
			<-c.wake
		}
		w.mu.Lock()
		lead = c.leads
		w.mu.Unlock()
	}
	if lead {
		w.lead(c)
	}
	if c.panicked != nil {
		panic(c.panicked)
	}
	return classify(c.err)
}

// takeBack removes a call that nobody has taken yet. If its caller had been
// asked to lead, the next one is.
func (w *writer) takeBack(c *call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.state == taken {
		return false
	}
	c.state = left
	if c.leads {
		w.passOn()
	}
	return true
}

// lead runs one batch, the caller's own call in it, and passes the lead on, so
// that no caller works for others longer than its own call takes.
func (w *writer) lead(own *call) {
	// The batch is taken once the transaction has begun: while another process
	// holds the lock, callers can still leave, and more can join.
	began := w.begin()
	batch := w.take()
	done := false
	defer func() {
		if !done { // a panic of the driver: nobody may wait for ever
			failAll(batch, errors.New("store: writing was cut short"))
		}
		w.finish(batch, own)
	}()
	w.run(batch, began)
	done = true
}

// take empties the queue.
func (w *writer) take() (batch []*call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.queue {
		if c.state == waiting {
			c.state = taken
			batch = append(batch, c)
		}
	}
	w.queue = nil
	return batch
}

// finish wakes a batch and passes the lead on.
func (w *writer) finish(batch []*call, own *call) {
	for _, c := range batch {
		if c != own {
			c.wake <- struct{}{}
		}
	}
	if len(batch) > 1 {
		// Those just woken may be back with their next call in a moment; it
		// belongs into the next batch, not behind it. Measured 1.3 times the
		// throughput at 8 callers, and nothing lost at one.
		runtime.Gosched()
		runtime.Gosched()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches++
	w.passOn()
}

// passOn makes the first caller that still waits the leader. w.mu is held.
func (w *writer) passOn() {
	w.turn.Broadcast()
	for i, next := range w.queue {
		if next.state == waiting {
			w.queue = w.queue[i:]
			next.leads = true
			next.wake <- struct{}{}
			return
		}
	}
	w.queue, w.leading = nil, false
}

// run carries a batch through the transaction that has begun, unless beginning
// failed. Every call of it ends with its own error, or with that of the
// transaction if that is what failed.
func (w *writer) run(batch []*call, began error) {
	err := began
	for _, c := range batch {
		if err != nil {
			break
		}
		err = w.runOne(c)
	}
	if err == nil {
		err = w.commit()
	}
	if err == nil {
		return
	}
	w.rollback()
	failAll(batch, err)
}

// failAll tells a batch that its transaction failed. Whatever a call had found,
// right or wrong, it found in a transaction that never was, so it is told that
// and nothing else. If it was COMMIT that failed the outcome may be unknown;
// nobody is told of a success that may not be.
func failAll(batch []*call, err error) {
	if err = classify(err); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for _, c := range batch {
		c.err = fmt.Errorf("shared commit: %w", err)
	}
}

// runOne runs one call in a savepoint. It returns an error only if the
// transaction itself is lost: on some errors (a full disk, a failed read or
// write) SQLite rolls all of it back by itself, and then the savepoint is gone.
func (w *writer) runOne(c *call) error {
	if err := w.savepoint(); err != nil {
		return err
	}
	protect(c, w.queries)
	if c.err != nil || c.panicked != nil {
		if err := w.rollbackTo(); err != nil {
			if isDatabase(c.err) { // most likely why the transaction is lost
				return fmt.Errorf("%w, and then: %w", c.err, err)
			}
			return err // a refusal concerns its own caller: others get to see this one
		}
	}
	return w.release()
}

// protect turns a panic of the function into a value, for the function runs on
// another caller's goroutine; do raises it again on the right one.
func protect(c *call, q *Queries) {
	defer func() { c.panicked = recover() }()
	c.err = c.f(c.ctx, q)
}

// pauseBatches is how many batches of others go between two steps of a sweep.
const pauseBatches = 4

// breathe waits until nobody writes or a few batches of others have gone by. A
// long piece of work calls it between its steps, and so takes a share of the
// writer that shrinks as others need it, without a timer.
func (w *writer) breathe(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.turn.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for until := w.batches + pauseBatches; w.leading && w.batches < until && ctx.Err() == nil; {
		w.turn.Wait()
	}
	return ctx.Err()
}

func (w *writer) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// close lets what is queued finish, refuses what comes later, and then runs end
// once. Callers that come meanwhile wait for it and get its error.
func (w *writer) close(end func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		for !w.ended {
			w.turn.Wait()
		}
		return w.endErr
	}
	w.closed = true
	for w.leading {
		w.turn.Wait()
	}
	w.mu.Unlock()
	err := end()
	w.mu.Lock()
	w.ended, w.endErr = true, err
	w.turn.Broadcast()
	return err
}
