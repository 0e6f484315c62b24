package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// classes are all that an error may be. Exactly one fits each.
var classes = []error{store.ErrNotFound, store.ErrConflict, store.ErrUnavailable, store.ErrCorrupt, store.ErrClosed, store.ErrSchema}

func wantClass(t *testing.T, what string, err, want error) {
	t.Helper()
	for _, class := range classes {
		if errors.Is(err, class) != (class == want) {
			t.Errorf("%s: %v; is %q: %t", what, err, class, errors.Is(err, class))
		}
	}
}

// Constraints as SQLite itself reports them.
func TestClassesOfConstraints(t *testing.T) {
	t.Parallel()
	_, db := newFile(t, nil)
	cases := map[string]struct {
		f    store.Func
		want error
	}{
		"no row": {get(404), store.ErrNotFound},
		"foreign key": {func(ctx context.Context, q *store.Queries) error {
			return q.InsertFactorState(ctx, store.InsertFactorStateParams{FactorID: 404})
		}, store.ErrConflict},
		"check": {func(ctx context.Context, q *store.Queries) error {
			_, err := q.InsertChallenge(ctx, store.InsertChallengeParams{ID: 1, Status: "impossible"})
			return err
		}, store.ErrCorrupt},
	}
	for name, test := range cases {
		wantClass(t, name, db.Write(t.Context(), test.f), test.want)
	}
	own := errors.New("a caller's own error")
	if err := db.Write(t.Context(), func(context.Context, *store.Queries) error { return own }); err != own {
		t.Errorf("an error that is not the database's came back as %v", err)
	}
}

// Codes as a driver reports them, extended ones and wrapped ones included.
func TestClassesOfCodes(t *testing.T) {
	t.Parallel()
	faults := &storetest.Faults{}
	_, db := newFile(t, faults)
	const ioErrWrite, busySnapshot, constraintTrigger, corruptIndex, notADB, interrupt = 778, 517, 1811, 779, 26, 9
	for code, want := range map[int]error{
		storetest.Busy: store.ErrUnavailable, busySnapshot: store.ErrUnavailable,
		storetest.IOErr: store.ErrUnavailable, ioErrWrite: store.ErrUnavailable,
		storetest.Full: store.ErrUnavailable, storetest.NoMem: store.ErrUnavailable, storetest.ReadOnly: store.ErrUnavailable,
		interrupt: store.ErrUnavailable, storetest.Corrupt: store.ErrCorrupt, corruptIndex: store.ErrCorrupt, notADB: store.ErrCorrupt,
		constraintTrigger: store.ErrConflict,
	} {
		faults.Arm(storetest.Fault{Code: code, Match: func(op storetest.Op) bool { return op.Kind == storetest.Query }})
		wantClass(t, fmt.Sprint("code ", code), db.Read(t.Context(), get(1)), want)
	}
	faults.Clear()
	for _, err := range []error{driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone} {
		f := func(context.Context, *store.Queries) error { return fmt.Errorf("wrapped: %w", err) }
		wantClass(t, err.Error(), db.Read(t.Context(), f), store.ErrUnavailable)
	}
}

func TestNoRow(t *testing.T) {
	t.Parallel()
	_, db := newFile(t, nil)
	var inner error
	db.Read(t.Context(), func(ctx context.Context, q *store.Queries) error {
		inner = get(404)(ctx, q)
		return nil
	})
	if !store.NoRow(inner) || store.NoRow(errors.New("other")) || store.NoRow(nil) {
		t.Errorf("NoRow of %v is %t", inner, store.NoRow(inner))
	}
}
