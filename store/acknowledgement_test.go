package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// untrue has callers write as fast as they can and asks another connection,
// after every success, whether it was one.
func untrue(t *testing.T, path string, w writer) (wrongs []string) {
	t.Helper()
	const callers = 8
	writes := storetest.Scale(t, 40)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for caller := range callers {
		raw := storetest.Raw(t, path, "busy_timeout(10000)")
		wg.Go(func() {
			for i := range writes {
				id := int64(caller*writes + i + 1)
				if err := w.Write(context.Background(), put(id)); err != nil {
					t.Errorf("caller %d: %v", caller, err)
					return
				}
				if !holds(t, raw, id) {
					mu.Lock()
					wrongs = append(wrongs, fmt.Sprintf("row %d was acknowledged before it was there", id))
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return wrongs
}

func TestNobodyIsToldBeforeCommit(t *testing.T) {
	t.Parallel()
	t.Run("store", func(t *testing.T) {
		t.Parallel()
		path, db := newFile(t, nil)
		refusesNone(t, untrue(t, path, db))
	})
	t.Run("naive twin that tells early", func(t *testing.T) {
		t.Parallel()
		var wrongs []string
		for range 20 { // it tells early by a moment: on a slow machine few look in time
			path, _ := newFile(t, nil)
			if wrongs = untrue(t, path, newTwin(t, tellsEarly, twinPool(t, path, nil))); len(wrongs) > 0 {
				break
			}
		}
		refusesTwin(t, wrongs)
	})
}

// A reader of the store itself sees it, too: the readers hold no old snapshot.
func TestReadersSeeWhatWasWritten(t *testing.T) {
	t.Parallel()
	_, db := newFile(t, nil)
	var wg sync.WaitGroup
	for caller := range 8 {
		wg.Go(func() {
			for i := range storetest.Scale(t, 40) {
				id := int64(caller*1000 + i + 1)
				if err := db.Write(t.Context(), put(id)); err != nil {
					t.Error(err)
				}
				if err := db.Read(t.Context(), get(id)); err != nil {
					t.Errorf("row %d: %v", id, err)
				}
			}
		})
	}
	wg.Wait()
}

var _ writer = (*store.DB)(nil)
