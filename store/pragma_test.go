package store_test

import (
	"context"
	"database/sql/driver"
	"runtime"
	"sync"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// settings checks on one connection what the promises of the store rest on.
func settings(t *testing.T, conn driver.Conn, of string) {
	t.Helper()
	for pragma, want := range map[string]driver.Value{
		"synchronous": int64(2), "journal_mode": "wal", "foreign_keys": int64(1), "secure_delete": int64(1), "trusted_schema": int64(0),
	} {
		if got := storetest.Value(t, conn, "PRAGMA "+pragma); got != want {
			t.Errorf("%s: PRAGMA %s is %v, want %v", of, pragma, got, want)
		}
	}
	if got := storetest.Value(t, conn, "PRAGMA busy_timeout"); got.(int64) <= 0 {
		t.Errorf("%s: PRAGMA busy_timeout is %v", of, got)
	}
}

func TestPragmasOnEveryConnection(t *testing.T) {
	t.Parallel()
	path, seen, faults := t.TempDir()+"/a.db", &storetest.Connections{}, &storetest.Faults{}
	db := storetest.Open(t, path, nil, store.Options{Connector: func(c driver.Connector) driver.Connector {
		return seen.Connector(faults.Connector(c))
	}})
	// As many readers as there can be, each held up until all have a connection.
	readers := max(2, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	all.Add(readers)
	faults.Hook(func(op storetest.Op) {
		if op.Kind == storetest.Query {
			all.Done()
			all.Wait()
		}
	})
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			db.Read(context.Background(), get(1))
		})
	}
	wg.Wait()
	faults.Hook(nil)
	writing, reading := 0, 0
	seen.Each(func(c driver.Conn) {
		if storetest.Value(t, c, "PRAGMA query_only") == int64(1) {
			reading++
			settings(t, c, "a reader")
		} else {
			writing++
			settings(t, c, "the writer")
		}
	})
	if writing != 1 || reading != readers {
		t.Errorf("%d writers and %d readers were seen, want 1 and %d", writing, reading, readers)
	}
}

// A pragma put through a pool reaches one of its connections: what the store
// does not do, and what the test above would find.
func TestPragmaThroughAPoolIsNotEnough(t *testing.T) {
	t.Parallel()
	path, _ := newFile(t, nil)
	pool := storetest.Raw(t, path)
	if _, err := pool.Exec("PRAGMA foreign_keys = 1"); err != nil {
		t.Fatal(err)
	}
	off := 0
	for range 2 {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // kept till the end, so that the next one is another
		err = conn.Raw(func(c any) error {
			if storetest.Value(t, c.(driver.Conn), "PRAGMA foreign_keys") == int64(0) {
				off++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if off == 0 {
		t.Error("both connections have it: this test has no teeth")
	}
}

// A reader that writes is refused by SQLite itself.
func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	_, db := newFile(t, nil)
	if err := db.Read(t.Context(), put(1)); err == nil || has(t, db, 1) {
		t.Errorf("Read wrote: %v", err)
	}
}
