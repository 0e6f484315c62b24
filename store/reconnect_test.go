package store_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// While the database is away every call says so; when it is back the next call
// works, on a new connection if the old one was beyond help.
func TestDatabaseThatComesBack(t *testing.T) {
	t.Parallel()
	for name, code := range storetest.Few(t, storetest.Codes(), "ioerr", "full") {
		for _, mode := range []storetest.Mode{storetest.Refuse, storetest.RollBack} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				faults := &storetest.Faults{}
				path, db := newFile(t, faults)
				raw := storetest.Raw(t, path)
				want := store.ErrUnavailable
				if code == storetest.Corrupt {
					want = store.ErrCorrupt
				}
				if err := db.Write(t.Context(), put(1)); err != nil {
					t.Fatal(err)
				}
				// Wherever it begins: in BEGIN, in the call, in COMMIT or ROLLBACK.
				for nth := 1; nth <= 7; nth++ {
					id := int64(100 + nth)
					faults.Arm(storetest.Fault{Nth: nth, Sticky: true, Code: code, Mode: mode})
					err := db.Write(t.Context(), put(id))
					if fired := faults.Clear() > 0; fired && !errors.Is(err, want) || !fired && err != nil {
						t.Errorf("%d: %v, fired: %t", nth, err, fired)
					}
					if holds(t, raw, id) != (err == nil) {
						t.Errorf("%d: told %v, row there: %t", nth, err, err != nil)
					}
					faults.Arm(storetest.Fault{Sticky: true, Code: code, Mode: mode})
					for range 3 {
						if err := db.Write(t.Context(), put(id+1000)); !errors.Is(err, want) {
							t.Errorf("%d: Write while it is away: %v", nth, err)
						}
						if err := db.Read(t.Context(), get(1)); !errors.Is(err, want) {
							t.Errorf("%d: Read while it is away: %v", nth, err)
						}
					}
					faults.Clear()
					if err := db.Write(t.Context(), put(id+2000)); err != nil || !has(t, db, id+2000) || has(t, db, id+1000) {
						t.Errorf("%d: back again: %v", nth, err)
					}
				}
			})
		}
	}
}

// breakConnection makes the writer give its connection up with its next call.
func breakConnection(faults *storetest.Faults) {
	faults.Arm(storetest.Fault{Match: is("BEGIN IMMEDIATE"), Sticky: true, Code: storetest.IOErr})
	faults.Hook(func(op storetest.Op) {
		if op.Kind == storetest.Connect {
			faults.Clear()
		}
	})
}

// A connection made after a fault has the settings of the first.
func TestNewConnectionHasTheSettings(t *testing.T) {
	t.Parallel()
	path, faults, seen := t.TempDir()+"/a.db", &storetest.Faults{}, &storetest.Connections{}
	db := storetest.Open(t, path, nil, store.Options{Connector: func(c driver.Connector) driver.Connector {
		return seen.Connector(faults.Connector(c))
	}})
	breakConnection(faults)
	if err := db.Write(t.Context(), put(1)); err != nil {
		t.Fatal(err)
	}
	connections := 0
	var last driver.Conn
	seen.Each(func(c driver.Conn) { connections, last = connections+1, c })
	if connections < 3 { // writer, reader, writer
		t.Fatalf("%d connections, no new one", connections)
	}
	settings(t, last, "the second writer")
}

// A file that has gone, or is another one since, is not replaced by an empty
// database, in which nobody would have a second factor.
func TestFileThatIsGone(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(path string) error{
		"gone":    func(string) error { return nil },
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"foreign": func(path string) error { return os.WriteFile(path, []byte("This is a letter to my bank."), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &storetest.Faults{}
			path, db := newFile(t, faults)
			if err := db.Write(t.Context(), put(1)); err != nil {
				t.Fatal(err)
			}
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(path + suffix); err != nil {
					t.Fatal(err)
				}
			}
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			breakConnection(faults)
			for range 2 {
				err := db.Write(t.Context(), put(2))
				if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrCorrupt) {
					t.Errorf("Write: %v", err)
				}
			}
			if name != "gone" {
				return
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("there is a new file: %v", err)
			}
		})
	}
}

// In memory the connection is the database: it is kept through every fault.
func TestMemoryOutlivesFaults(t *testing.T) {
	t.Parallel()
	faults := &storetest.Faults{}
	db := storetest.Open(t, ":memory:", faults, store.Options{})
	if err := db.Write(t.Context(), put(1)); err != nil {
		t.Fatal(err)
	}
	for nth := 1; nth <= 7; nth++ {
		id := int64(100 + nth)
		faults.Arm(storetest.Fault{Nth: nth, Sticky: true, Code: storetest.IOErr})
		err := db.Write(t.Context(), put(id))
		if fired := faults.Clear() > 0; fired != errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%d: %v, fired: %t", nth, err, fired)
		}
		// What could not be rolled back at once must be gone before anybody reads.
		if has(t, db, id) != (err == nil) {
			t.Errorf("%d: told %v, row there: %t", nth, err, err != nil)
		}
		if err := db.Write(t.Context(), put(id+1000)); err != nil || !has(t, db, 1) || !has(t, db, id+1000) {
			t.Errorf("%d: after the fault: %v", nth, err)
		}
	}
}

// Reads do not go through the writer, and fail on their own.
func TestReadThatFails(t *testing.T) {
	t.Parallel()
	faults := &storetest.Faults{}
	_, db := newFile(t, faults)
	if err := db.Write(t.Context(), put(1)); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []storetest.Kind{storetest.Query, storetest.Next} {
		faults.Arm(storetest.Fault{Code: storetest.IOErr, Match: func(op storetest.Op) bool { return op.Kind == kind }})
		err := db.Read(t.Context(), func(ctx context.Context, q *store.Queries) error {
			_, err := q.ListServices(ctx, store.ListServicesParams{PageSize: 10})
			return err
		})
		if faults.Clear() != 1 || !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", kind, err)
		}
		if !has(t, db, 1) {
			t.Errorf("%s: the row is not seen after the fault", kind)
		}
	}
}
