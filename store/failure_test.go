package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// armed sets the fault from within the first call of a batch, so that it meets
// the batch and not the call that held it up.
func armed(faults *storetest.Faults, fault storetest.Fault, f store.Func) store.Func {
	return func(ctx context.Context, q *store.Queries) error {
		faults.Arm(fault)
		return f(ctx, q)
	}
}

const members = 5

// batchUnder runs put(1) to put(5) in one transaction under a fault.
func batchUnder(w writer, faults *storetest.Faults, fault storetest.Fault) []outcome {
	fs := []store.Func{armed(faults, fault, put(1))}
	for i := 1; i < members; i++ {
		fs = append(fs, put(int64(i+1)))
	}
	return together(w, fs...)
}

// If the transaction is lost everybody hears of it, also those whose own work
// went well: nobody is told of a success that may not be.
func TestLostTransactionTellsEverybody(t *testing.T) {
	t.Parallel()
	insert := func(op storetest.Op) bool { return op.Kind == storetest.Exec && len(op.Args) == 4 } // InsertService
	cases := map[string]struct {
		fault storetest.Fault
		stays bool // although nobody was told so
		locks bool // until the next call, for it could not even be rolled back
	}{
		"COMMIT refused":              {fault: storetest.Fault{Match: is("COMMIT")}},
		"COMMIT rolled back":          {fault: storetest.Fault{Match: is("COMMIT"), Mode: storetest.RollBack}},
		"COMMIT with unknown result":  {fault: storetest.Fault{Match: is("COMMIT"), Mode: storetest.Unknown}, stays: true},
		"COMMIT and ROLLBACK refused": {fault: storetest.Fault{Match: func(op storetest.Op) bool { return is("COMMIT")(op) || is("ROLLBACK")(op) }, Sticky: true}, locks: true},
		"third SAVEPOINT":             {fault: storetest.Fault{Match: is("SAVEPOINT call"), Nth: 2}},
		"third RELEASE":               {fault: storetest.Fault{Match: is("RELEASE call"), Nth: 3}},
		"third call, rolled back":     {fault: storetest.Fault{Match: insert, Nth: 3, Mode: storetest.RollBack}},
		"last call, rolled back":      {fault: storetest.Fault{Match: insert, Nth: 5, Mode: storetest.RollBack}},
	}
	codes := storetest.Few(t, storetest.Codes(), "ioerr", "corrupt")
	for name, test := range cases {
		for codeName, code := range codes {
			t.Run(name+", "+codeName, func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T, faults *storetest.Faults, path string, db *store.DB) {
					test.fault.Code = code
					got := batchUnder(db, faults, test.fault)
					if faults.Clear() == 0 {
						t.Fatal("the fault did not strike")
					}
					want := store.ErrUnavailable
					if code == storetest.Corrupt {
						want = store.ErrCorrupt
					}
					raw := storetest.Raw(t, path)
					for i, o := range got {
						if !errors.Is(o.err, want) || o.panicked != nil {
							t.Errorf("caller %d met %v, want %v", i, o, want)
						}
						if holds(t, raw, int64(i+1)) != test.stays {
							t.Errorf("row of caller %d there: %t", i, !test.stays)
						}
					}
					// Other processes need not wait for our next call.
					if _, err := raw.Exec("BEGIN IMMEDIATE; ROLLBACK"); (err != nil) != test.locks {
						t.Errorf("another connection wants to write: %v", err)
					}
					// The fault is over, and so is its effect.
					if err := db.Write(t.Context(), put(100)); err != nil || !holds(t, raw, 100) {
						t.Errorf("after the fault: %v", err)
					}
				})
			})
		}
	}
}

// When BEGIN fails no function runs at all.
func TestBeginThatFails(t *testing.T) {
	t.Parallel()
	path, faults := t.TempDir()+"/a.db", &storetest.Faults{}
	db := storetest.Open(t, path, faults, store.Options{})
	faults.Arm(storetest.Fault{Match: is("BEGIN IMMEDIATE"), Sticky: true, Code: storetest.IOErr})
	ran := false
	err := db.Write(t.Context(), func(context.Context, *store.Queries) error {
		ran = true
		return nil
	})
	if !errors.Is(err, store.ErrUnavailable) || ran {
		t.Errorf("%v, function ran: %t", err, ran)
	}
	faults.Clear()
	if err := db.Write(t.Context(), put(1)); err != nil {
		t.Errorf("after the fault: %v", err)
	}
}

// A call that SQLite stops without losing the transaction is that caller's
// alone.
func TestStatementThatFails(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, faults *storetest.Faults, _ string, db *store.DB) {
		insert := func(op storetest.Op) bool { return op.Kind == storetest.Exec && len(op.Args) == 4 }
		got := batchUnder(db, faults, storetest.Fault{Match: insert, Nth: 3, Code: storetest.NoMem})
		for i, o := range got {
			if hit := i == 2; errors.Is(o.err, store.ErrUnavailable) != hit || has(t, db, int64(i+1)) == hit {
				t.Errorf("caller %d met %v", i, o)
			}
		}
	})
}

// lost tells who was told of a success that is not there after SQLite has rolled
// back the whole transaction in the middle of a batch.
func lost(t *testing.T, path string, w writer, faults *storetest.Faults) (wrongs []string) {
	insert := func(op storetest.Op) bool { return op.Kind == storetest.Exec && len(op.Args) == 4 }
	got := batchUnder(w, faults, storetest.Fault{Match: insert, Nth: 3, Code: storetest.Full, Mode: storetest.RollBack})
	if faults.Clear() == 0 {
		t.Fatal("the fault did not strike")
	}
	raw := storetest.Raw(t, path)
	for i, o := range got {
		if o.err == nil && !holds(t, raw, int64(i+1)) {
			wrongs = append(wrongs, fmt.Sprintf("caller %d was told that its row is there", i))
		}
	}
	return wrongs
}

func TestRollbackBySQLite(t *testing.T) {
	t.Parallel()
	t.Run("store", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, faults *storetest.Faults, path string, db *store.DB) {
			refusesNone(t, lost(t, path, db, faults))
		})
	})
	t.Run("naive twin that trusts its savepoints", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, _ *storetest.Faults, path string, _ *store.DB) {
			faults := &storetest.Faults{}
			refusesTwin(t, lost(t, path, newTwin(t, trustsSavepoints, twinPool(t, path, faults)), faults))
		})
	})
}

// What one caller was refused, and the way it was refused, is nobody else's: if
// the transaction is lost while its call is undone, others hear of the loss only.
func TestLostTransactionKeepsSecrets(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]error{"own error": errOwn, "no row": store.ErrNotFound} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, faults *storetest.Faults, _ string, db *store.DB) {
				fault := storetest.Fault{Match: is("ROLLBACK TO call"), Code: storetest.IOErr, Mode: storetest.RollBack}
				refused := then(put(2), errOwn)
				if errors.Is(own, store.ErrNotFound) {
					refused = get(404)
				}
				got := together(db, armed(faults, fault, put(1)), refused, put(3))
				for i, o := range got {
					if !errors.Is(o.err, store.ErrUnavailable) {
						t.Errorf("caller %d met %v, want ErrUnavailable", i, o)
					}
					if i != 1 && errors.Is(o.err, own) {
						t.Errorf("caller %d was told what another was refused: %v", i, o.err)
					}
				}
			})
		})
	}
}
