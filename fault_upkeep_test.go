//go:build unix

package verify_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// everyOperation is for calls that are too long to be tried with every fault. It
// makes a trial and repeats it with a fault at its first operation,
// its second, until none strikes any more. The trial tells whether it did.
func everyOperation(t *testing.T, prepare func(t *testing.T) (trial func(storetest.Fault) (struck bool))) {
	all := faultVariants(t)
	for _, name := range []string{"busy", "ioerr for good", "full with rollback", "unknown result"} {
		fault := all[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial, stride := prepare(t), storetest.Stride(t)
			for fault.Nth = 1; trial(fault); fault.Nth += stride {
			}
			t.Logf("%d operations", fault.Nth-1)
			if fault.Nth < 4 {
				t.Error("hardly an operation was seen: the test tests nothing")
			}
		})
	}
}

// checkFaultError is for a call that failed under a fault.
func checkFaultError(t *testing.T, err error, fault storetest.Fault) {
	t.Helper()
	class := verify.ErrUnavailable
	if fault.Code == storetest.Corrupt {
		class = verify.ErrCorrupt
	}
	if text := misclassed(err, class); text != "" {
		t.Errorf("at operation %d: %s", fault.Nth, text)
	}
}

// A database is founded once, whole or not at all.
func TestFaultWhileFounding(t *testing.T) {
	t.Parallel()
	everyOperation(t, func(t *testing.T) func(storetest.Fault) bool {
		return func(fault storetest.Fault) bool { return foundAnew(t, fault) }
	})
}

func foundAnew(t *testing.T, fault storetest.Fault) (struck bool) {
	faults := &storetest.Faults{}
	db := storetest.Open(t, filepath.Join(t.TempDir(), "mfa.db"), faults, store.Options{})
	defer db.Close()
	keys, err := verify.ParseKeys(siteKeys)
	if err != nil {
		t.Fatal(err)
	}
	cfg := verify.Config{Keys: keys, Clock: func() time.Time { return siteTime }}
	faults.Arm(fault)
	first, err := verify.New(t.Context(), db, cfg)
	if struck = faults.Clear() > 0; err != nil {
		checkFaultError(t, err, fault)
	}
	again, secondErr := verify.New(t.Context(), db, cfg)
	if secondErr != nil {
		t.Fatalf("at operation %d: after the fault: %v", fault.Nth, secondErr)
	}
	if err == nil && first.AccountSID() != again.AccountSID() {
		t.Errorf("at operation %d: two accounts", fault.Nth)
	}
	if _, err := again.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"}); err != nil {
		t.Errorf("at operation %d: %v", fault.Nth, err)
	}
	return struck
}

const newerKey = "verify-key-1 2 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n"

// withKeys opens an engine on a store that is open already.
func (s site) withKeys(t *testing.T, db *store.DB, text string) (*siteEngine, error) {
	t.Helper()
	keys, err := verify.ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := verify.New(context.Background(), db, verify.Config{Keys: keys, Clock: func() time.Time { return siteTime }, Limits: s.Limits})
	return &siteEngine{Engine: e, site: s, db: db}, err
}

// STOR-4: wherever moving to a new key is interrupted, every secret can be read,
// and in the end without the old key.
func TestFaultWhileRekeying(t *testing.T) {
	t.Parallel()
	everyOperation(t, func(t *testing.T) func(storetest.Fault) bool {
		return func(fault storetest.Fault) bool { return rekeyAnew(t, fault) }
	})
}

func rekeyAnew(t *testing.T, fault storetest.Fault) (struck bool) {
	faults := &storetest.Faults{}
	old := newFaulty(t, unlimited(), faults)
	defer old.stop()
	s := old.site
	const users = 2
	for n := range users {
		if _, err := old.verified(t.Context(), identityOf(n)); err != nil {
			t.Fatal(err)
		}
	}
	faults.Arm(fault)
	e, err := s.withKeys(t, old.db, siteKeys+newerKey)
	if err == nil {
		_, err = e.Rekey(t.Context())
	}
	if struck = faults.Clear() > 0; err != nil {
		checkFaultError(t, err, fault)
	}
	if e, err = s.withKeys(t, old.db, siteKeys+newerKey); err != nil {
		t.Fatalf("at operation %d: opening after the fault: %v", fault.Nth, err)
	}
	approve := func(e *siteEngine, at time.Time) {
		t.Helper()
		for n := range users {
			if c, err := e.CheckCode(t.Context(), s.Service, identityOf(n), codeAt(at)); err != nil || !c.Approved {
				t.Errorf("at operation %d: user %d: %+v, %v", fault.Nth, n, c, err)
			}
		}
	}
	approve(e, siteTime)
	if _, err := e.Rekey(t.Context()); err != nil {
		t.Errorf("at operation %d: after the fault: %v", fault.Nth, err)
	}
	alone, err := s.withKeys(t, old.db, newerKey)
	if err != nil {
		t.Errorf("at operation %d: without the old key: %v", fault.Nth, err)
		return struck
	}
	approve(alone, siteTime.Add(period))
	return struck
}
