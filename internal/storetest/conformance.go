package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed4eca3270/verify/store"
)

// Run puts a store through what every store must do, wherever it keeps its rows.
// open gives a new and empty one each time, and closes it when its test ends.
func Run(t *testing.T, open func(t *testing.T) *store.DB) {
	for name, test := range map[string]func(t *testing.T, db *store.DB){
		"ReadYourWrites":   readYourWrites,
		"AllOrNothing":     allOrNothing,
		"Classes":          errorClasses,
		"Isolation":        isolation,
		"CompareAndSet":    compareAndSet,
		"NoLostIncrements": noLostIncrements,
		"EndedContext":     endedContext,
		"Closed":           closed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

var background = context.Background()

func put(ctx context.Context, q *store.Queries, id int64) error {
	_, err := q.InsertService(ctx, store.InsertServiceParams{ID: id, Settings: "first", CreatedAt: 1})
	return err
}

func get(db *store.DB, id int64) (row store.Service, err error) {
	err = db.Read(background, func(ctx context.Context, q *store.Queries) (err error) {
		row, err = q.GetService(ctx, store.GetServiceParams{ID: id})
		return err
	})
	return row, err
}

// 1. A write sees what it wrote, and everybody does once it has returned.
func readYourWrites(t *testing.T, db *store.DB) {
	err := db.Write(background, func(ctx context.Context, q *store.Queries) error {
		if err := put(ctx, q, 1); err != nil {
			return err
		}
		_, err := q.GetService(ctx, store.GetServiceParams{ID: 1})
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if row, err := get(db, 1); err != nil || row.Settings != "first" {
		t.Errorf("%+v, %v", row, err)
	}
}

// 2. A write that fails or panics leaves nothing, and says what it said.
func allOrNothing(t *testing.T, db *store.DB) {
	own := errors.New("own")
	err := db.Write(background, func(ctx context.Context, q *store.Queries) error {
		return errors.Join(put(ctx, q, 1), own)
	})
	if !errors.Is(err, own) {
		t.Errorf("error came back as %v", err)
	}
	func() {
		defer func() {
			if got := recover(); got != "value" {
				t.Errorf("panic came back as %v", got)
			}
		}()
		db.Write(background, func(ctx context.Context, q *store.Queries) error {
			if err := put(ctx, q, 1); err != nil {
				t.Error(err)
			}
			panic("value")
		})
	}()
	if _, err := get(db, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the row: %v", err)
	}
}

// 3. Errors of the database are told by class.
func errorClasses(t *testing.T, db *store.DB) {
	if _, err := get(db, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no row: %v", err)
	}
	err := db.Write(background, func(ctx context.Context, q *store.Queries) error {
		return q.InsertFactorState(ctx, store.InsertFactorStateParams{FactorID: 1})
	})
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("a row whose owner is missing: %v", err)
	}
}

// 4. Nobody sees a write before it is done. (In memory a read waits its turn.)
func isolation(t *testing.T, db *store.DB) {
	err := db.Write(background, func(ctx context.Context, q *store.Queries) error {
		if err := put(ctx, q, 1); err != nil || db.InMemory() {
			return err
		}
		if _, err := get(db, 1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("seen before its commit: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := get(db, 1); err != nil {
		t.Errorf("after its commit: %v", err)
	}
}

// 5. Of many callers with the same revision, one changes the row.
func compareAndSet(t *testing.T, db *store.DB) {
	if err := db.Write(background, func(ctx context.Context, q *store.Queries) error { return put(ctx, q, 1) }); err != nil {
		t.Fatal(err)
	}
	var wins atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			err := db.Write(background, func(ctx context.Context, q *store.Queries) error {
				rows, err := q.UpdateService(ctx, store.UpdateServiceParams{ID: 1, Settings: "second", Revision: 0})
				wins.Add(rows)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if row, err := get(db, 1); wins.Load() != 1 || err != nil || row.Revision != 1 || row.Settings != "second" {
		t.Errorf("%d winners, %+v, %v", wins.Load(), row, err)
	}
}

// 6. Writes of one row follow one another.
func noLostIncrements(t *testing.T, db *store.DB) {
	if err := db.Write(background, func(ctx context.Context, q *store.Queries) error { return put(ctx, q, 1) }); err != nil {
		t.Fatal(err)
	}
	const callers, writes = 8, 10
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range writes {
				err := db.Write(background, func(ctx context.Context, q *store.Queries) error {
					row, err := q.GetService(ctx, store.GetServiceParams{ID: 1})
					if err != nil {
						return err
					}
					_, err = q.UpdateService(ctx, store.UpdateServiceParams{ID: 1, Settings: row.Settings + "+", Revision: row.Revision})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if row, err := get(db, 1); err != nil || row.Revision != callers*writes || len(row.Settings) != len("first")+callers*writes {
		t.Errorf("%+v, %v, want %d increments", row, err, callers*writes)
	}
}

// 7. Who has given up already changes nothing.
func endedContext(t *testing.T, db *store.DB) {
	ctx, cancel := context.WithCancelCause(background)
	cancel(errors.New("cause"))
	f := func(ctx context.Context, q *store.Queries) error { return put(ctx, q, 1) }
	if err := db.Write(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v", err)
	}
	if err := db.Read(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if _, err := get(db, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the row: %v", err)
	}
}

// 8. A closed store says so, as often as it is asked.
func closed(t *testing.T, db *store.DB) {
	for range 2 {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := get(db, 1); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Read: %v", err)
	}
	if err := db.Write(background, func(context.Context, *store.Queries) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
}
