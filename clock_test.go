package verify_test

import (
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// TestClockWrongAfterRestart (DUR-7, DUR-8): a program that starts with a wrong
// clock knows nothing but what is in the file.
func TestClockWrongAfterRestart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		to   func(time.Time) time.Time
	}{
		{"a second back", func(now time.Time) time.Time { return now.Add(-time.Second) }},
		{"an hour back", func(now time.Time) time.Time { return now.Add(-time.Hour) }},
		{"a day back", func(now time.Time) time.Time { return now.AddDate(0, 0, -1) }},
		{"the epoch", func(time.Time) time.Time { return time.Unix(0, 0) }},
		{"ten years ahead", func(now time.Time) time.Time { return now.AddDate(10, 0, 0) }},
		{"the year 9999", func(time.Time) time.Time { return time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMFAFile(t)
			limits := func(cfg *verify.Config) { cfg.Limits.FactorFailures = 20 }
			e := m.open(limits)
			a := enginetest.NewScene(t, e).Verified(verify.TOTPParams{})
			locked := enginetest.NewScene(t, e).Verified(verify.TOTPParams{})
			for range 20 {
				enginetest.Doors()[0].Decide(locked, locked.Wrong())
			}
			used, code := m.clock.Now(), a.Shown()
			if !enginetest.Doors()[0].Decide(a, code) {
				t.Fatal("the code is refused")
			}
			m.close(e)

			m.clock.Set(c.to(used))
			e = m.open(limits)
			a, locked = a.On(e), locked.On(e)
			for _, d := range enginetest.Doors() {
				if d.Decide(a, code) {
					t.Errorf("%s: the spent code is accepted under the wrong clock", d.Name)
				}
			}
			wantLocked(t, locked)
			enginetest.Must(e.Sweep(t.Context()))(t)
			m.close(e)

			m.clock.Set(used)
			e = m.open(limits)
			a, locked = a.On(e), locked.On(e)
			for _, d := range enginetest.Doors() {
				if d.Decide(a, code) {
					t.Errorf("%s: the spent code is accepted when the clock is right again", d.Name)
				}
			}
			a.Wait(1)
			if !enginetest.Doors()[0].Decide(a, a.Shown()) {
				t.Error("the next code is refused when the clock is right again")
			}
			wantLocked(t, locked)
		})
	}
}

// Each engine reads its own clock. One that runs a little behind honours the
// other's challenges; one that runs a day behind does not.
func TestClocksOfTwoEngines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		behind time.Duration
		ok     bool
	}{{30 * time.Second, true}, {time.Minute, true}, {2 * time.Minute, false}, {24 * time.Hour, false}} {
		m := newMFAFile(t)
		s := enginetest.NewScene(t, m.open())
		a := s.Verified(verify.TOTPParams{Skew: new(2)})
		slow := a.On(m.open(func(cfg *verify.Config) {
			cfg.Clock = func() time.Time { return m.clock.Now().Add(-c.behind) }
		}))
		challenge := a.Challenge()
		got, err := slow.Respond(challenge.SID, a.Shown())
		if c.ok && (err != nil || got.Status != verify.Approved) {
			t.Errorf("%v behind: %s, %v", c.behind, got.Status, err)
		}
		if !c.ok {
			enginetest.Refused(t, err, verify.ErrForbidden, verify.CodeChallengeExpired)
		}
	}
}

// A clock of nanoseconds is stored in microseconds, and nothing is a different
// time for it when it is read again.
func TestClockPrecision(t *testing.T) {
	t.Parallel()
	e := verifytest.NewEngine(t)
	for _, at := range []time.Time{
		time.Date(2026, 1, 1, 0, 0, 0, 999_999_999, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2026, 7, 1, 0, 0, 0, 1, time.FixedZone("UTC+14", 14*3600)), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		e.Clock.Set(at)
		made := enginetest.Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"}))(t)
		if want := at.UTC().Truncate(time.Microsecond); !made.DateCreated.Equal(want) || made.DateCreated.Location() != time.UTC {
			t.Errorf("%v: created %v, want %v", at, made.DateCreated, want)
		}
		if got := enginetest.Must(e.GetService(t.Context(), made.SID))(t); got.DateCreated != made.DateCreated {
			t.Errorf("%v: made %v, read %v", at, made.DateCreated, got.DateCreated)
		}
	}
}
