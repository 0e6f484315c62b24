package enginetest

import (
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func limitTests() []test {
	return []test{
		{"challenges of long codes: 50 an hour, 100 a day", limitLong},
		{"challenges of short codes: 10 a day", limitShort},
		{"the window that ends last counts", limitBoth},
		{"refused challenges do not count", limitRefused},
		{"windows are the factor's own", limitOwn},
		{"UnlockFactor opens new windows", limitUnlock},
		{"factors of an entity", limitFactors},
		{"factors in a day", limitFactorsPerDay},
		{"may be switched off", limitOff},
	}
}

// fill makes challenges until one is refused, and returns how many there were
// and after which time the refusal says to come back.
func (a *App) fill(t *testing.T, max int) (made int, after time.Duration) {
	t.Helper()
	for made = range max {
		_, err := a.scene.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID})
		if err != nil {
			return made, Refused(t, err, verify.ErrRateLimited, verify.CodeChallengesCreated).RetryAfter
		}
	}
	return max, 0
}

// reopens checks that a refusal holds for as long as it said and no longer.
func (a *App) reopens(t *testing.T, after time.Duration) {
	t.Helper()
	clock := a.scene.Clock
	clock.Advance(after - time.Microsecond)
	if made, again := a.fill(t, 1); made != 0 || again != time.Microsecond {
		t.Errorf("a microsecond before: %d made, retry after %v", made, again)
	}
	clock.Advance(time.Microsecond)
}

func limitLong(t *testing.T, open Opener) {
	for _, digits := range []int{5, 6, 8} {
		s := NewScene(t, open(t))
		a := s.Verified(verify.TOTPParams{CodeLength: digits})
		s.Clock.Advance(1234567 * time.Microsecond)
		dayStart := s.Clock.Now()
		a.Challenge() // opens both windows
		s.Clock.Advance(17 * time.Minute)
		if made, after := a.fill(t, 1000); made != 49 || after != 43*time.Minute {
			t.Errorf("%d digits: %d more in the hour, retry after %v; want 49, 43m", digits, made, after)
		}
		a.reopens(t, 43*time.Minute)
		hourStart := s.Clock.Now()
		if made, after := a.fill(t, 50); made != 50 || after != 0 {
			t.Errorf("%d digits: %d in the second hour", digits, made)
		}
		// Now both are full: the day counts, which is longer.
		want := 23 * time.Hour
		if _, after := a.fill(t, 1); after != want {
			t.Errorf("%d digits: after a full day retry after %v, want %v", digits, after, want)
		}
		s.Clock.Set(hourStart.Add(time.Hour))
		if made, after := a.fill(t, 1); made != 0 || after != 22*time.Hour {
			t.Errorf("%d digits: in the third hour %d are made, retry after %v", digits, made, after)
		}
		a.reopens(t, 22*time.Hour)
		if want := dayStart.Add(24 * time.Hour); !s.Clock.Now().Equal(want) {
			t.Errorf("the day ended at %v, want %v", s.Clock.Now(), want)
		}
		if made, _ := a.fill(t, 1000); made != 50 {
			t.Errorf("%d digits: %d on the next day", digits, made)
		}
	}
}

func limitShort(t *testing.T, open Opener) {
	for _, digits := range []int{3, 4} {
		s := NewScene(t, open(t))
		a := s.Verified(verify.TOTPParams{CodeLength: digits})
		a.Challenge()
		s.Clock.Advance(2 * time.Hour)
		if made, after := a.fill(t, 1000); made != 9 || after != 22*time.Hour {
			t.Errorf("%d digits: %d more, retry after %v; want 9, 22h", digits, made, after)
		}
		a.reopens(t, 22*time.Hour)
		if made, _ := a.fill(t, 1000); made != 10 {
			t.Errorf("%d digits: %d on the next day", digits, made)
		}
	}
}

// The day may end before the hour.
func limitBoth(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.ChallengesPerHour, c.Limits.ChallengesPerDay = 2, 3 }))
	a := s.Verified(verify.TOTPParams{})
	a.Challenge()
	s.Clock.Advance(23*time.Hour + 30*time.Minute)
	if made, after := a.fill(t, 100); made != 2 || after != time.Hour {
		t.Errorf("%d more made, retry after %v; want 2, 1h", made, after)
	}
	s.Clock.Advance(30 * time.Minute)
	a.reopens(t, 30*time.Minute)
	if made, _ := a.fill(t, 100); made != 2 {
		t.Errorf("%d made in the next hour, want 2", made)
	}
}

func limitRefused(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.ChallengesPerHour = 2 }))
	a := s.Verified(verify.TOTPParams{})
	for range 20 { // refused for what they ask
		_, err := s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: "x"})
		Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
		_, err = s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, ExpirationDate: s.Clock.Now()})
		Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
	}
	if made, _ := a.fill(t, 100); made != 2 {
		t.Errorf("%d made, want 2", made)
	}
	for range 20 { // refused for the window
		if made, after := a.fill(t, 1); made != 0 || after != time.Hour {
			t.Errorf("%d made, retry after %v", made, after)
		}
		_, err := s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: a.Shown()})
		Refused(t, err, verify.ErrRateLimited, verify.CodeChallengesCreated)
	}
	s.Clock.Advance(time.Hour)
	if made, _ := a.fill(t, 100); made != 2 {
		t.Errorf("%d made in the next hour, want 2", made)
	}
}

func limitOwn(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.ChallengesPerHour = 2 }))
	a, b := s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})
	for _, app := range []*App{a, b, s.As("user-0002").Verified(verify.TOTPParams{})} {
		if made, _ := app.fill(t, 100); made != 2 {
			t.Errorf("%d made, want 2", made)
		}
	}
}

func limitUnlock(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.ChallengesPerDay = 2 }))
	a := s.Verified(verify.TOTPParams{})
	for range 3 {
		if made, _ := a.fill(t, 100); made != 2 {
			t.Errorf("%d made, want 2", made)
		}
		Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
	}
}

func limitFactors(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.TOTPFactors = 2 }))
	enrol := func(s *Scene) error {
		return failure(s.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}}))
	}
	first := s.Enrol(verify.TOTPParams{})
	s.Verified(verify.TOTPParams{})
	for range 3 {
		Refused(t, enrol(s), verify.ErrInvalid, verify.CodeFactorsPerEntity)
		s.Clock.Advance(time.Hour)
	}
	if err := enrol(s.As("user-0002")); err != nil {
		t.Errorf("another user: %v", err)
	}
	if err := s.DeleteFactor(t.Context(), s.Service, s.Identity, first.Factor.SID); err != nil {
		t.Fatal(err)
	}
	if err := enrol(s); err != nil {
		t.Errorf("after one was deleted: %v", err)
	}
}

func limitFactorsPerDay(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	p := verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}}
	create := func() (verify.Factor, error) { return s.CreateFactor(t.Context(), s.Service, s.Identity, p) }
	replace := func(n int) {
		for range n {
			f := Must(create())(t)
			if err := s.DeleteFactor(t.Context(), s.Service, s.Identity, f.SID); err != nil {
				t.Fatal(err)
			}
		}
	}
	replace(1) // opens the window
	s.Clock.Advance(time.Hour)
	replace(99)
	for _, wait := range []time.Duration{0, 23*time.Hour - time.Microsecond} {
		s.Clock.Advance(wait)
		_, err := create()
		if got, want := Refused(t, err, verify.ErrRateLimited, verify.CodeFactorsCreatedToday).RetryAfter, 23*time.Hour-wait; got != want {
			t.Errorf("retry after %v, want %v", got, want)
		}
	}
	// The user that a refusal would have made, and other users, are not concerned.
	s.As("user-0002").Enrol(verify.TOTPParams{})
	s.Clock.Advance(time.Microsecond)
	replace(100)
	_, err := create()
	Refused(t, err, verify.ErrRateLimited, verify.CodeFactorsCreatedToday)
}

func limitOff(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited))
	a := s.Verified(verify.TOTPParams{})
	if made, _ := a.fill(t, 150); made != 150 {
		t.Errorf("%d challenges", made)
	}
	for range 120 {
		s.Enrol(verify.TOTPParams{})
	}
	pending, enrolment := a.Challenge(), s.Enrol(verify.TOTPParams{})
	for range 120 {
		Must(a.Respond(pending.SID, a.Wrong()))(t)
		Must(enrolment.verify(enrolment.Wrong()))(t)
	}
	if got := Must(a.Respond(pending.SID, a.Shown()))(t); got.Status != verify.Approved || got.WrongCodes != 120 {
		t.Errorf("after 120 wrong codes: %+v", got)
	}
}
