package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// A database that is not ours, or not yet, is refused before anything in it is
// touched.
func TestUnusableSchemas(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"of another program":        "CREATE TABLE users (id); INSERT INTO users VALUES (7)",
		"marked by another program": "PRAGMA application_id = 1234",
		"marked and filled":         "PRAGMA application_id = 1234; CREATE TABLE users (id)",
		"of a newer version":        "PRAGMA journal_mode = WAL; PRAGMA application_id = 1987208825; PRAGMA user_version = 1000",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir() + "/a.db"
			raw := storetest.Raw(t, path)
			if _, err := raw.Exec(text); err != nil {
				t.Fatal(err)
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			before := content(t, path)
			db, err := store.OpenSQLite(t.Context(), path, store.Options{})
			if err == nil {
				db.Close()
			}
			if !errors.Is(err, store.ErrSchema) {
				t.Errorf("opened with %v", err)
			}
			if after := content(t, path); after != before {
				t.Error("the file was changed")
			}
		})
	}
}

// content reads a file that nobody in this process has open: closing it would
// drop SQLite's locks.
func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A file that somebody made and left empty is as good as none.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/a.db"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, path, nil, store.Options{})
	if err := db.Write(t.Context(), put(1)); err != nil {
		t.Error(err)
	}
}

// What is no database at all is damaged, and stays as it is.
func TestNoDatabase(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/a.db"
	text := make([]byte, 8192)
	copy(text, "This is a letter to my bank.")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenSQLite(t.Context(), path, store.Options{}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("opened with %v", err)
	}
	if content(t, path) != string(text) {
		t.Error("the file was changed")
	}
}

// DUR-9, one moment after the other: whenever another process finishes opening
// the same new file, both have it.
func TestOpenOvertaken(t *testing.T) {
	t.Parallel()
	for nth, more := 1, true; more; nth++ {
		path, faults, seen := t.TempDir()+"/a.db", &storetest.Faults{}, 0
		more = false
		faults.Hook(func(op storetest.Op) {
			if op.Kind == storetest.Prepare {
				return // a hundred of them that touch nothing
			}
			if seen++; seen != nth {
				return
			}
			more = true
			// It may find the file locked, and gives up at once: here nobody goes on
			// meanwhile.
			other, err := store.OpenSQLite(context.Background(), path, store.Options{BusyTimeout: 1})
			if err == nil {
				err = errors.Join(other.Write(context.Background(), put(2)), other.Close())
			}
			if err != nil && !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("overtaking at %v: %v", op, err)
			}
		})
		db, err := store.OpenSQLite(t.Context(), path, store.Options{Connector: faults.Connector})
		if err != nil {
			t.Errorf("overtaken at operation %d: %v", nth, err)
			continue
		}
		faults.Hook(nil)
		if err := db.Write(t.Context(), put(1)); err != nil {
			t.Errorf("overtaken at operation %d: %v", nth, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// An opening that fails leaves nothing half-made and nothing open: the next one
// succeeds. In a bubble, for a busy file is asked again and again for seconds.
func TestOpenThatFails(t *testing.T) {
	t.Parallel()
	for name, code := range storetest.Few(t, storetest.Codes(), "ioerr") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				for nth := 1; openStruck(t, fmt.Sprint(dir, "/", nth), nth, code); nth++ {
					if nth > 20 {
						nth += 20 // nothing but statements being prepared, fifty on either side
					}
				}
			})
		})
	}
}

func openStruck(t *testing.T, path string, nth, code int) (struck bool) {
	faults := &storetest.Faults{}
	faults.Arm(storetest.Fault{Nth: nth, Sticky: true, Code: code})
	db, err := store.OpenSQLite(t.Context(), path, store.Options{Connector: faults.Connector})
	if faults.Clear() == 0 {
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			t.Errorf("at %d: no fault, but %v", nth, err)
		}
		return false
	}
	if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("at %d: %v", nth, err)
	}
	db = storetest.Open(t, path, nil, store.Options{})
	if err := db.Write(t.Context(), put(1)); err != nil {
		t.Errorf("at %d: after the fault: %v", nth, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	return true
}
