//go:build unix

package verify_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
)

// A disk that may be full: SQLite gives the database no more pages than it has,
// and says so as it does when there is no room on the disk.
type disk struct {
	faults storetest.Faults
	full   atomic.Bool
}

func newDisk() *disk {
	d := &disk{}
	d.faults.Hook(func(op storetest.Op) {
		if op.Kind != storetest.Exec || op.SQL != "BEGIN IMMEDIATE" {
			return
		}
		pages := "1073741823"
		if d.full.Load() {
			pages = "1" // which means as many as there are
		}
		_ = op.Exec("PRAGMA max_page_count = " + pages) // the calls will tell
	})
	return d
}

// DUR-4: on a full disk calls that need room are refused and leave nothing;
// guesses are refused or recorded; and with room everything works again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	limits := unlimited()
	limits.FactorFailures = 3
	d := newDisk()
	e := newFaulty(t, limits, &d.faults)
	raw := storetest.Raw(t, e.site.Path, "busy_timeout(10000)")
	const filler = "filler-00000001"
	fillerFactor, err := e.verified(t.Context(), filler)
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	user := 0
	for _, call := range faultCalls() {
		user++
		u := newFaultUser(t, e, user, call.needs)
		f := failure{
			begin: func() { d.full.Store(true); fillUp(t, e, filler, fillerFactor) },
			end:   func() bool { d.full.Store(false); return true },
			class: verify.ErrUnavailable,
		}
		was := call.do
		call.do = func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
			answer, err := was(ctx, e, u)
			refused[call.name] = refused[call.name] || err != nil
			return answer, err
		}
		wrongs, _ := strike(t, e, raw, call, u, f)
		for _, wrong := range wrongs {
			t.Errorf("%s: %s", call.name, wrong)
		}
	}
	for _, name := range []string{"CreateChallenge", "CreateChallenge, right", "CreateChallenge, wrong", "CheckCode, right"} {
		if !refused[name] {
			t.Errorf("%s needs room and was not refused: was the disk full?", name)
		}
	}
	for _, wrong := range sound(t, raw) {
		t.Error(wrong)
	}
}

// fillUp takes all the room there is in the pages of the database: with large
// challenges first, then with the smallest that there are.
func fillUp(t *testing.T, e *siteEngine, identity, factor string) {
	t.Helper()
	for _, hidden := range []map[string]string{{"a": strings.Repeat("x", 900)}, nil} {
		for n := 0; ; n++ {
			_, err := e.CreateChallenge(context.Background(), e.site.Service, identity, verify.ChallengeParams{FactorSID: factor, HiddenDetails: hidden})
			if errors.Is(err, verify.ErrUnavailable) {
				break
			}
			if err != nil || n > 1000 {
				t.Fatalf("filling up: %d challenges, %v", n, err)
			}
		}
	}
}
