//go:build unix

package verify_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// Of two processes that found one database with different keys, one is refused,
// and leaves nothing behind that would shut the other out.
func TestFoundingWithOtherKeys(t *testing.T) {
	t.Parallel()
	s, faults := site{Path: filepath.Join(t.TempDir(), "mfa.db")}, &storetest.Faults{}
	late := storetest.Open(t, s.Path, faults, store.Options{})
	first := storetest.Open(t, s.Path, nil, store.Options{})
	var once sync.Once
	faults.Hook(func(op storetest.Op) {
		if op.SQL == "BEGIN IMMEDIATE" {
			once.Do(func() {
				if _, err := s.withKeys(t, first, siteKeys); err != nil {
					t.Error(err)
				}
			})
		}
	})
	if _, err := s.withKeys(t, late, newerKey); !errors.Is(err, verify.ErrInvalid) {
		t.Errorf("the one that came late: %v", err)
	}
	if _, err := s.withKeys(t, first, siteKeys); err != nil {
		t.Errorf("the founder, opening again: %v", err)
	}
}
