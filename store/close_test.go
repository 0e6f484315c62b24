package store_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// Close lets everybody finish who came before it, also who only queues, and
// refuses everybody after it.
func TestCloseWaitsForTheQueue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.OpenSQLite(context.Background(), dir+"/a.db", store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var wg, closing sync.WaitGroup
		got := make([]outcome, 10)
		var closed atomic.Bool
		held(db, func() {
			for i := range got {
				wg.Go(func() { got[i] = try(t.Context(), db, put(int64(i+1))) })
			}
			synctest.Wait()
			for range 3 {
				closing.Go(func() {
					if err := db.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
					closed.Store(true)
				})
			}
			synctest.Wait()
			if closed.Load() {
				t.Error("Close did not wait for the call that writes")
			}
			if err := db.Write(t.Context(), put(100)); !errors.Is(err, store.ErrClosed) {
				t.Errorf("Write while Close waits: %v", err)
			}
			if err := db.Read(t.Context(), get(1)); !errors.Is(err, store.ErrClosed) {
				t.Errorf("Read while Close waits: %v", err)
			}
		})
		wg.Wait()
		closing.Wait()
		for i, o := range got {
			if o != (outcome{}) {
				t.Errorf("caller %d, queued before Close, met %v", i, o)
			}
		}
		raw := storetest.Raw(t, dir+"/a.db")
		for i := range got {
			if !holds(t, raw, int64(i+1)) {
				t.Errorf("row %d is not there", i+1)
			}
		}
		if holds(t, raw, 100) {
			t.Error("a row written after Close is there")
		}
	})
}

func TestUseAfterClose(t *testing.T) {
	t.Parallel()
	for _, path := range []string{t.TempDir() + "/a.db", ":memory:"} {
		db, err := store.OpenSQLite(t.Context(), path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := db.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		ran := false
		f := func(context.Context, *store.Queries) error {
			ran = true
			return nil
		}
		if err := db.Write(t.Context(), f); !errors.Is(err, store.ErrClosed) || ran {
			t.Errorf("%s: Write: %v", path, err)
		}
		if err := db.Read(t.Context(), f); !errors.Is(err, store.ErrClosed) || ran {
			t.Errorf("%s: Read: %v", path, err)
		}
	}
}

// The last connection takes the log with it, so that the file alone is the
// database.
func TestCloseLeavesOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := store.OpenSQLite(t.Context(), dir+"/a.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), put(1)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// Whatever Close meets on its way, everybody gets an answer: done and there, or
// closed and not there.
func TestCloseAtAnyMoment(t *testing.T) {
	t.Parallel()
	random := storetest.Random(t)
	for round := range storetest.Scale(t, 30) {
		path := t.TempDir() + "/a.db"
		db, err := store.OpenSQLite(t.Context(), path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		const callers = 8
		done := make([]int, callers) // how many writes of each caller were acknowledged
		var wg sync.WaitGroup
		var total atomic.Int64
		enough, over := int64(random.IntN(200)), make(chan struct{})
		for caller := range callers {
			wg.Go(func() {
				for i := 0; ; i++ {
					id := int64(caller*100000 + i + 1)
					err := db.Write(t.Context(), put(id))
					if total.Add(1) == enough+1 {
						close(over)
					}
					if err == nil {
						done[caller]++
						err = db.Read(t.Context(), get(id))
					}
					if errors.Is(err, store.ErrClosed) {
						return
					}
					if err != nil {
						t.Errorf("round %d, caller %d: %v, want ErrClosed", round, caller, err)
						return
					}
				}
			})
		}
		<-over
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		wg.Wait()
		raw := storetest.Raw(t, path)
		for caller, want := range done {
			var n int
			if err := raw.QueryRow("SELECT COUNT(*) FROM services WHERE id BETWEEN ? AND ?", caller*100000, caller*100000+99999).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n != want {
				t.Errorf("round %d, caller %d: %d rows, %d acknowledged", round, caller, n, want)
			}
		}
	}
}

// A read that Close overtakes is told so, in the words of the store.
func TestReadOvertakenByClose(t *testing.T) {
	t.Parallel()
	for range storetest.Scale(t, 20) {
		db, err := store.OpenSQLite(t.Context(), t.TempDir()+"/a.db", store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reading, closing := make(chan struct{}), make(chan error)
		go func() {
			<-reading
			closing <- db.Close()
		}()
		err = db.Read(t.Context(), func(ctx context.Context, q *store.Queries) error {
			close(reading)
			// Close may wait for this read or not; it has begun at least.
			for !errors.Is(db.Read(ctx, get(1)), store.ErrClosed) {
				runtime.Gosched()
			}
			return get(1)(ctx, q)
		})
		if err := <-closing; err != nil {
			t.Errorf("Close: %v", err)
		}
		if !errors.Is(err, store.ErrClosed) && !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("Read: %v, want ErrClosed or what was there", err)
		}
	}
}
