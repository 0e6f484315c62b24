package enginetest

import (
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func clockTests() []test {
	return []test{
		{"goes back: spent stays spent", clockSpent},
		{"goes back: windows do not refill", clockWindows},
		{"goes back: enrolling goes on", clockFactors},
		{"goes back: challenges of tomorrow are not honoured", clockTomorrow},
		{"goes ten years ahead and back: UnlockFactor recovers", clockAhead},
		{"extremes", clockExtremes},
		{"the jumps have teeth", clockTeeth},
		{"in another zone", clockZone},
	}
}

// jumps are where a clock may go wrong to. The last one is the epoch.
func jumps(from time.Time) map[string]time.Time {
	return map[string]time.Time{
		"a second back": from.Add(-time.Second), "an hour back": from.Add(-time.Hour), "a day back": from.AddDate(0, 0, -1),
		"the epoch": time.Unix(0, 0), "before the epoch": time.Unix(-86_400, 0),
		"a day ahead": from.AddDate(0, 0, 1), "ten years ahead": from.AddDate(10, 0, 0),
	}
}

// DUR-7, DUR-8.
func clockSpent(t *testing.T, open Opener) {
	for _, d := range Doors() {
		s := NewScene(t, open(t, Unlimited))
		a := s.Verified(verify.TOTPParams{})
		for name, to := range jumps(s.Clock.Now()) {
			a.Wait(10)
			before, code := s.Clock.Now(), a.Shown()
			if !d.Decide(a, code) {
				t.Fatalf("%s: the code is refused", d.Name)
			}
			s.Clock.Set(to)
			if d.Decide(a, code) {
				t.Errorf("%s, %s: the code is accepted again", d.Name, name)
			}
			for steps := -1; steps <= 1 && to.Before(before.Add(-time.Minute)); steps++ {
				if d.Decide(a, a.At(steps)) {
					t.Errorf("%s, %s: a step below the spent one is accepted", d.Name, name)
				}
			}
			s.Clock.Set(before)
			if d.Decide(a, code) {
				t.Errorf("%s, %s and back: the code is accepted again", d.Name, name)
			}
			a.Wait(1)
			if !d.Decide(a, a.Shown()) {
				t.Errorf("%s, %s and back: the next code is refused", d.Name, name)
			}
		}
	}
}

func clockWindows(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.ChallengesPerDay = -1 }))
	a := s.Verified(verify.TOTPParams{})
	start := s.Clock.Now()
	if made, _ := a.fill(t, 1000); made != 50 {
		t.Fatalf("%d made in the hour, want 50", made)
	}
	for name, to := range jumps(start) {
		if to.After(start) {
			continue // then time has passed, for all that the engine can know
		}
		s.Clock.Set(to)
		if made, after := a.fill(t, 1); made != 0 || after != start.Add(time.Hour).Sub(to) {
			t.Errorf("%s: %d challenges, retry after %v", name, made, after)
		}
	}
	s.Clock.Set(start.Add(time.Hour))
	if made, _ := a.fill(t, 1000); made != 50 {
		t.Errorf("%d made in the next hour, want 50", made)
	}
}

// The window of an entity's factors can be reopened by no call, so one that was
// opened far in the future must not last until then.
func clockFactors(t *testing.T, open Opener) {
	for name, back := range map[string]time.Duration{
		"not at all": 0, "a second": time.Second, "an hour": time.Hour, "a day": 24 * time.Hour, "a week": 7 * 24 * time.Hour, "ten years": 87_600 * time.Hour,
	} {
		s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorsPerDay = 2 }))
		enrol := func() error {
			return failure(s.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}}))
		}
		s.Enrol(verify.TOTPParams{})
		s.Enrol(verify.TOTPParams{})
		s.Clock.Advance(2 * time.Hour)
		s.Clock.Advance(-back)
		after := Refused(t, enrol(), verify.ErrRateLimited, verify.CodeFactorsCreatedToday).RetryAfter
		if want := 22*time.Hour + back; back <= time.Hour && after != want {
			t.Errorf("%s back: retry after %v, want %v", name, after, want)
		}
		if after <= 0 || after > 24*time.Hour {
			t.Errorf("%s back: retry after %v", name, after)
		}
		s.Clock.Advance(after - time.Microsecond)
		Refused(t, enrol(), verify.ErrRateLimited, verify.CodeFactorsCreatedToday)
		s.Clock.Advance(24 * time.Hour)
		if err := enrol(); err != nil {
			t.Errorf("%s back: a day after the refusal was over: %v", name, err)
		}
	}
}

// The expiry of a challenge says nothing when the clock has gone back past its
// creation. A minute is let pass: processes that share a file disagree a little.
func clockTomorrow(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited))
	a := s.Verified(verify.TOTPParams{})
	for _, c := range []struct {
		back time.Duration
		open bool
	}{{time.Second, true}, {time.Minute, true}, {time.Minute + time.Microsecond, false}, {time.Hour, false}, {24 * time.Hour, false}} {
		s.Clock.Advance(48 * time.Hour)
		made := Must(s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, ExpirationDate: s.Clock.Now().Add(time.Hour)}))(t)
		s.Clock.Advance(-c.back)
		want := verify.Expired
		if c.open {
			want = verify.Pending
		}
		if got := s.readChallenge(made.SID).Status; got != want {
			t.Errorf("%v back: the challenge is %s, want %s", c.back, got, want)
		}
		for _, status := range []verify.Status{verify.Pending, verify.Expired} {
			listed := false
			for got := range s.Challenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{Status: status}) {
				listed = listed || got.SID == made.SID
			}
			if listed != (status == want) {
				t.Errorf("%v back: listed as %s: %t", c.back, status, listed)
			}
		}
		metadata := verify.ChallengeResponse{Metadata: map[string]string{"a": "b"}}
		_, metaErr := s.RespondChallenge(t.Context(), s.Service, s.Identity, made.SID, metadata)
		got, err := a.Respond(made.SID, a.Shown())
		if c.open {
			if metaErr != nil || err != nil || got.Status != verify.Approved {
				t.Errorf("%v back: %v, %s (%v)", c.back, metaErr, got.Status, err)
			}
			continue
		}
		Refused(t, metaErr, verify.ErrForbidden, verify.CodeChallengeExpired)
		Refused(t, err, verify.ErrForbidden, verify.CodeChallengeExpired)
		s.Clock.Advance(c.back) // the clock is right again, and so is the challenge
		if got, err := a.Respond(made.SID, a.Shown()); err != nil || got.Status != verify.Approved {
			t.Errorf("%v back and forth: %s (%v)", c.back, got.Status, err)
		}
	}
}

func clockAhead(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	now := s.Clock.Now()
	s.Clock.Set(now.AddDate(10, 0, 0))
	if !Doors()[0].Decide(a, a.Shown()) {
		t.Fatal("ten years ahead the code is refused")
	}
	if made, _ := a.fill(t, 1000); made != 49 {
		t.Fatalf("%d more in the hour, want 49", made)
	}
	s.Clock.Set(now)
	_, err := s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID})
	Refused(t, err, verify.ErrRateLimited, verify.CodeChallengesCreated)

	Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
	// The codes of the moment may have been seen by whoever moved the clock.
	for steps := -1; steps <= 1; steps++ {
		if Doors()[0].Decide(a, a.At(steps)) {
			t.Errorf("%d steps from UnlockFactor: accepted", steps)
		}
	}
	a.Wait(1)
	if Doors()[0].Decide(a, a.Shown()) {
		t.Error("the newest code acceptable at UnlockFactor is accepted")
	}
	a.Wait(1) // what the widest skew would have accepted is spent, too
	if !Doors()[0].Decide(a, a.At(1)) {
		t.Error("the first later code is refused")
	}
	// A last step that is not ahead stays where it is.
	a.Wait(5)
	Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
	if !Doors()[0].Decide(a, a.At(-1)) {
		t.Error("UnlockFactor of a sound factor spent its codes")
	}
}

// Every operation at the ends of time: nothing panics, and what is decided is
// right.
func clockExtremes(t *testing.T, open Opener) {
	for _, at := range []time.Time{
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(2248, 10, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC), // past what nanoseconds in an int64 hold
		time.Date(2106, 2, 7, 6, 28, 16, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
		time.Date(2016, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Unix(0, 0), time.Unix(1, 0), time.Unix(3600, 0),
	} {
		s := NewScene(t, open(t, func(c *verify.Config) { c.Retention.UnverifiedFactors = time.Minute }))
		s.Clock.Set(at)
		a := s.Enrol(verify.TOTPParams{})
		if got := Must(a.verify(a.Shown()))(t); got.Status != verify.Verified {
			t.Errorf("%v: the enrolment is %s", at, got.Status)
		}
		a.Wait(1)
		for _, d := range Doors() {
			if !d.Decide(a, a.Shown()) || d.Decide(a, a.Shown()) {
				t.Errorf("%v, %s: want the code accepted once", at, d.Name)
			}
			a.Wait(1)
		}
		pending := a.Challenge()
		if pending.Status != verify.Pending || !pending.ExpirationDate.Equal(s.Clock.Now().Truncate(time.Microsecond).Add(5*time.Minute)) {
			t.Errorf("%v: %+v", at, pending)
		}
		s.Clock.Advance(5 * time.Minute)
		if got := s.readChallenge(pending.SID).Status; got != verify.Expired {
			t.Errorf("%v: five minutes later the challenge is %s", at, got)
		}
		n := 0
		for range s.Challenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{}) {
			n++
		}
		if n != 6 { // two by each of two doors, one by CheckCode, and the pending one
			t.Errorf("%v: %d challenges, want 6", at, n)
		}
		Must(s.Sweep(t.Context()))(t)
		Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
		if got := a.Get(); got.Status != verify.Verified {
			t.Errorf("%v: after a sweep the factor is %s", at, got.Status)
		}
		if err := s.DeleteService(t.Context(), s.Service); err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
}

// The naive twins fall to the same jumps.
func clockTeeth(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Enrol(verify.TOTPParams{})
	now := s.Clock.Now()
	replayed, refilled := 0, 0
	for _, to := range jumps(now) {
		used := forgetful{app: a, until: make(map[string]time.Time)}
		counter := calendar{}
		for range 60 {
			counter.admit(now)
		}
		if !used.try(a.Shown()) || used.try(a.Shown()) || counter.admit(now) {
			t.Fatal("without a jump the twins must hold")
		}
		s.Clock.Set(to)
		used.try("wrong")
		if counter.admit(to) {
			refilled++
		}
		s.Clock.Set(now)
		if used.try(a.Shown()) {
			replayed++
		}
	}
	if replayed == 0 || refilled == 0 {
		t.Errorf("%d jumps bring a code back, %d refill a window", replayed, refilled)
	}
}

func clockZone(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	s.Clock.Set(s.Clock.Now().In(time.FixedZone("UTC-11", -11*3600)).Add(123456789))
	a := s.Enrol(verify.TOTPParams{})
	want := s.Clock.Now().UTC().Truncate(time.Microsecond)
	if got := a.Get().DateCreated; got != want {
		t.Errorf("created %v, want %v", got, want)
	}
	if got := Must(a.verify(a.Shown()))(t); got.Status != verify.Verified || got.DateUpdated != want {
		t.Errorf("%s at %v, want %v", got.Status, got.DateUpdated, want)
	}
}
