package store_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// newFile is a store in a file of its own.
func newFile(t *testing.T, faults *storetest.Faults) (path string, db *store.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "a.db")
	return path, storetest.Open(t, path, faults, store.Options{})
}

// put makes the simplest row there is. The tests of shared commits use services
// as plain facts: they are there or not.
func put(id int64) store.Func {
	return func(ctx context.Context, q *store.Queries) error {
		rows, err := q.InsertService(ctx, store.InsertServiceParams{ID: id, Settings: "{}", CreatedAt: 1})
		if err == nil && rows == 0 {
			err = errors.New("the row exists")
		}
		return err
	}
}

// get fails with ErrNotFound if there is no such row.
func get(id int64) store.Func {
	return func(ctx context.Context, q *store.Queries) error {
		_, err := q.GetService(ctx, store.GetServiceParams{ID: id})
		return err
	}
}

// has tells whether put was done.
func has(t *testing.T, db *store.DB, id int64) bool {
	t.Helper()
	err := db.Read(context.Background(), get(id))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("reading %d: %v", id, err)
	}
	return err == nil
}

// holds tells the same by a connection that knows nothing of the store.
func holds(t *testing.T, raw *sql.DB, id int64) bool {
	t.Helper()
	var n int
	if err := raw.QueryRow("SELECT COUNT(*) FROM services WHERE id = ?", id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// A writer is what shares commits: the store, or a twin that does it wrongly.
type writer interface {
	Write(ctx context.Context, f store.Func) error
}

// refusesTwin runs a check on a twin that is wrong on purpose. A check that finds
// nothing there would find nothing in the store either.
func refusesTwin(t *testing.T, wrongs []string) {
	t.Helper()
	if len(wrongs) == 0 {
		t.Error("the naive twin passes: this test has no teeth")
		return
	}
	t.Logf("naive twin: %d wrongs, the first: %s", len(wrongs), wrongs[0])
}

func refusesNone(t *testing.T, wrongs []string) {
	t.Helper()
	for _, wrong := range wrongs {
		t.Error(wrong)
	}
}

// is matches a statement of the writer by its text.
func is(sql string) func(storetest.Op) bool {
	return func(op storetest.Op) bool { return op.Kind == storetest.Exec && op.SQL == sql }
}
