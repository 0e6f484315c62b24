package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// An outcome is what one caller of Write met.
type outcome struct {
	err      error
	panicked any
}

func try(ctx context.Context, w writer, f store.Func) (o outcome) {
	defer func() { o.panicked = recover() }()
	o.err = w.Write(ctx, f)
	return o
}

// together has all functions run in one transaction, in this order: they queue
// behind a call that holds the writer until everybody is there. It works within
// a synctest bubble only, where "everybody waits" can be known.
func together(w writer, fs ...store.Func) []outcome {
	in, gate := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		w.Write(context.Background(), func(context.Context, *store.Queries) error {
			close(in)
			<-gate
			return nil
		})
	})
	<-in
	out := make([]outcome, len(fs))
	for i, f := range fs {
		wg.Go(func() { out[i] = try(context.Background(), w, f) })
		synctest.Wait()
	}
	close(gate)
	wg.Wait()
	return out
}

// bubble runs f with a store on a file within a synctest bubble, at whose end no
// goroutine may be left: every one of these tests is a test for leaks as well.
func bubble(t *testing.T, f func(t *testing.T, faults *storetest.Faults, path string, db *store.DB)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		faults := &storetest.Faults{}
		path := dir + "/a.db"
		f(t, faults, path, storetest.Open(t, path, faults, store.Options{}))
	})
}

func TestCallersShareACommit(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, faults *storetest.Faults, _ string, db *store.DB) {
		commits := 0
		faults.Hook(func(op storetest.Op) {
			if is("COMMIT")(op) {
				commits++
			}
		})
		const callers = 50
		var fs []store.Func
		for i := range callers {
			fs = append(fs, put(int64(i+1)))
		}
		for i, o := range together(db, fs...) {
			if o.err != nil || !has(t, db, int64(i+1)) {
				t.Errorf("caller %d: %v", i, o.err)
			}
		}
		// One for the call that held the others up, one for all of them.
		if commits != 2 {
			t.Errorf("%d commits for %d callers, want 2", commits, callers)
		}
		// The counter sees what is not shared.
		commits = 0
		for i := range 5 {
			if err := db.Write(t.Context(), put(int64(1000+i))); err != nil {
				t.Fatal(err)
			}
		}
		if commits != 5 {
			t.Errorf("%d commits for 5 callers in turn, want 5", commits)
		}
	})
}

var errOwn = errors.New("a caller's own error")

// mixed are callers of every kind in random order, and what each must meet.
func mixed(t *testing.T, panics bool) (fs []store.Func, want []outcome) {
	random := storetest.Random(t)
	for i := range 40 {
		id := int64(i + 1)
		f, o := put(id), outcome{}
		switch random.IntN(5) {
		case 0: // fails after it has written
			f, o.err = then(put(id), errOwn), errOwn
		case 1: // breaks a constraint: the entity's service does not exist
			f, o.err = orphan(id), store.ErrConflict
		case 2:
			f, o.err = then(put(id), sql.ErrNoRows), store.ErrNotFound
		case 3:
			if panics {
				o.panicked = fmt.Sprint("panic ", i)
				f = panicking(id, o.panicked)
			}
		}
		fs, want = append(fs, f), append(want, o)
	}
	return fs, want
}

func panicking(id int64, value any) store.Func {
	return func(ctx context.Context, q *store.Queries) error {
		if err := put(id)(ctx, q); err != nil {
			return err
		}
		panic(value)
	}
}

func then(f store.Func, end error) store.Func {
	return func(ctx context.Context, q *store.Queries) error {
		if err := f(ctx, q); err != nil {
			return err
		}
		return end
	}
}

// orphan writes a row that is fine and one that is not.
func orphan(id int64) store.Func {
	return func(ctx context.Context, q *store.Queries) error {
		if err := put(id)(ctx, q); err != nil {
			return err
		}
		_, err := q.InsertFactor(ctx, store.InsertFactorParams{ID: id, FactorType: "totp", Seed: []byte{1}, SeedMAC: []byte{1}})
		return err
	}
}

// harm tells what is wrong after mixed callers shared a commit: with the rows they
// left, and with what they were told.
func harm(t *testing.T, path string, got, want []outcome) (rows, answers []string) {
	raw := storetest.Raw(t, path)
	for i := range want {
		if !errors.Is(got[i].err, want[i].err) || got[i].panicked != want[i].panicked {
			answers = append(answers, fmt.Sprintf("caller %d met %v, want %v", i, got[i], want[i]))
		}
		done := want[i].err == nil && want[i].panicked == nil
		if holds(t, raw, int64(i+1)) != done {
			rows = append(rows, fmt.Sprintf("caller %d: row there %t, want %t", i, !done, done))
		}
	}
	return rows, answers
}

func TestFailingCallersHarmNoOther(t *testing.T) {
	t.Parallel()
	t.Run("store", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, _ *storetest.Faults, path string, db *store.DB) {
			fs, want := mixed(t, true)
			rows, answers := harm(t, path, together(db, fs...), want)
			refusesNone(t, append(rows, answers...))
		})
	})
	t.Run("naive twin without savepoints", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, _ *storetest.Faults, path string, _ *store.DB) {
			fs, want := mixed(t, false)
			twin := newTwin(t, noSavepoints, twinPool(t, path, nil))
			wrongs, _ := harm(t, path, together(twin, fs...), want)
			refusesTwin(t, wrongs)
		})
	})
}

// A caller that leads runs the calls of others, and its own may fail as well.
func TestLeaderThatFails(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]store.Func{"error": then(put(1), errOwn), "panic": panicking(1, "a value")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, _ *storetest.Faults, _ string, db *store.DB) {
				got := together(db, f, put(2), put(3)) // the first in the queue leads
				if has(t, db, 1) || got[0] == (outcome{}) {
					t.Errorf("the leader's own call: %v", got[0])
				}
				for i := range 2 {
					if got[i+1] != (outcome{}) || !has(t, db, int64(i+2)) {
						t.Errorf("caller %d met %v", i+1, got[i+1])
					}
				}
			})
		})
	}
}

// A panic says where it came from to its own caller only, with its own value.
func TestPanicKeepsItsValue(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, _ *storetest.Faults, _ string, db *store.DB) {
		value := &struct{ n int }{7}
		got := together(db, put(1), panicking(3, value), put(2))
		if got[1].panicked != value {
			t.Errorf("panicked with %v, want the very value", got[1].panicked)
		}
		if got[0] != (outcome{}) || got[2] != (outcome{}) {
			t.Errorf("others met %v and %v", got[0], got[2])
		}
	})
}
