//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// lockedJob tells whether a writer of another process is kept out of a file.
func lockedJob(p *storetest.Parent, args []string) error {
	raw, err := storetest.OpenRaw(args[0], "busy_timeout(0)")
	if err != nil {
		return err
	}
	defer raw.Close()
	_, err = raw.Exec("BEGIN IMMEDIATE; ROLLBACK")
	var coded interface{ Code() int }
	if err != nil && !(errors.As(err, &coded) && coded.Code()&0xff == storetest.Busy) {
		return err
	}
	return p.Send(err != nil)
}

// dropJob holds a write lock and then looks at the file as any program looks at
// a file, which ends the lock without a word.
func dropJob(p *storetest.Parent, args []string) error {
	raw, err := storetest.OpenRaw(args[0])
	if err != nil {
		return err
	}
	defer raw.Close()
	conn, err := raw.Conn(background)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(background, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, name := range []string{args[0], args[0] + "-shm"} {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		f.Close()
	}
	if err := p.Send("dropped"); err != nil {
		return err
	}
	return p.Receive(new(string)) // the end of the test
}

func locked(t *testing.T, path string) (locked bool) {
	t.Helper()
	child := storetest.Start(t, "locked?", path)
	child.Expect(&locked)
	child.End()
	return locked
}

// CONC-5: nothing that the store does with its files, while this process writes,
// lets another process in.
func TestLocksOutliveTheStoresOwnWork(t *testing.T) {
	t.Parallel()
	path, db := newFile(t, nil)
	if locked(t, path) {
		t.Error("locked while nobody writes: this test has no teeth")
	}
	err := db.Write(t.Context(), func(ctx context.Context, q *store.Queries) error {
		if err := put(1)(ctx, q); err != nil {
			return err
		}
		for i := range 3 {
			if err := os.Chmod(path, 0o644); err != nil { // gives the store something to put right
				return err
			}
			other, err := store.OpenSQLite(ctx, path, store.Options{})
			if err != nil {
				return fmt.Errorf("opening once more: %w", err)
			}
			if err := other.Read(ctx, get(1)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another store sees what is not committed: %v", err)
			}
			if i == 1 && !locked(t, path) {
				t.Error("a second store lets another process in")
			}
			if err := other.Close(); err != nil {
				return err
			}
			if !locked(t, path) {
				t.Error("closing a second store lets another process in")
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLockIsLostByLooking(t *testing.T) {
	t.Parallel()
	path, _ := newFile(t, nil)
	child := storetest.Start(t, "drop", path)
	child.Expect(new(string))
	if locked(t, path) {
		t.Error("the lock is still there: the test above has no teeth")
	}
}
