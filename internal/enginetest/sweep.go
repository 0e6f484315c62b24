package enginetest

import (
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func sweepTests() []test {
	return []test{
		{"challenges at their age", sweepChallenges},
		{"unverified factors at their age", sweepFactors},
		{"everything may be kept", sweepNever},
		{"frees no window", sweepWindows},
		{"frees no spent step", sweepSteps},
		{"more than one step's worth", sweepMany},
	}
}

func (s *Scene) sweep(want verify.Swept) {
	s.TB.Helper()
	if got := Must(s.Sweep(s.ctx()))(s.TB); got != want {
		s.TB.Errorf("swept %+v, want %+v", got, want)
	}
}

// Retention is counted in milliseconds from the creation, and never below the
// longest life of a challenge.
func sweepChallenges(t *testing.T, open Opener) {
	for _, c := range []struct{ set, kept time.Duration }{
		{0, 30 * 24 * time.Hour}, {24 * time.Hour, 24 * time.Hour}, {time.Hour, time.Hour}, {time.Minute, time.Hour}, {1, time.Hour},
	} {
		s := NewScene(t, open(t, func(cfg *verify.Config) { cfg.Retention.Challenges = c.set }))
		a := s.Verified(verify.TOTPParams{})
		pending, approved := a.Challenge(), a.Challenge()
		Must(a.Respond(approved.SID, a.Shown()))(t)
		s.sweep(verify.Swept{})
		s.Clock.Advance(c.kept)
		late := a.Challenge()
		s.sweep(verify.Swept{})
		s.Clock.Advance(time.Millisecond)
		s.sweep(verify.Swept{Challenges: 2})
		s.sweep(verify.Swept{})
		for _, gone := range []verify.Challenge{pending, approved} {
			_, err := s.GetChallenge(t.Context(), s.Service, s.Identity, gone.SID)
			Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
		}
		if got := s.readChallenge(late.SID); got.Status != verify.Pending {
			t.Errorf("kept %v: a fresh challenge is %s", c.set, got.Status)
		}
		if got := a.Get(); got.Status != verify.Verified {
			t.Errorf("kept %v: the factor is %s", c.set, got.Status)
		}
	}
}

func sweepFactors(t *testing.T, open Opener) {
	for _, c := range []struct{ set, kept time.Duration }{{0, 24 * time.Hour}, {time.Second, time.Second}} {
		s := NewScene(t, open(t, func(cfg *verify.Config) { cfg.Retention.UnverifiedFactors = c.set }))
		verified := s.Verified(verify.TOTPParams{})
		abandoned, locked := s.Enrol(verify.TOTPParams{}), s.Enrol(verify.TOTPParams{})
		for range 5 {
			Must(locked.verify(locked.Wrong()))(t)
		}
		s.Clock.Advance(c.kept)
		s.sweep(verify.Swept{})
		late := s.Enrol(verify.TOTPParams{})
		s.Clock.Advance(time.Millisecond)
		s.sweep(verify.Swept{Factors: 2})
		for _, gone := range []*App{abandoned, locked} {
			_, err := gone.verify(gone.Shown())
			Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
		}
		if got := Must(late.verify(late.Shown()))(t); got.Status != verify.Verified {
			t.Errorf("a fresh enrolment is %s", got.Status)
		}
		s.Clock.Advance(1000 * 24 * time.Hour)
		s.sweep(verify.Swept{})
		if got := verified.Get(); got.Status != verify.Verified {
			t.Errorf("an old factor is %s", got.Status)
		}
	}
}

func sweepNever(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Retention = verify.Retention{Challenges: -1, UnverifiedFactors: -1} }))
	challenge := s.Verified(verify.TOTPParams{}).Challenge()
	factor := s.Enrol(verify.TOTPParams{})
	s.Clock.Advance(100 * 365 * 24 * time.Hour)
	s.sweep(verify.Swept{})
	s.readChallenge(challenge.SID)
	factor.Get()
}

// OTP-11: what is swept was counted all the same.
func sweepWindows(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) {
		c.Retention = verify.Retention{Challenges: time.Hour, UnverifiedFactors: time.Second}
		c.Limits.FactorsPerDay = 3
	}))
	a := s.Verified(verify.TOTPParams{})
	s.Enrol(verify.TOTPParams{})
	s.Enrol(verify.TOTPParams{})
	for range 2 {
		if made, _ := a.fill(t, 50); made != 50 {
			t.Fatalf("%d made in an hour, want 50", made)
		}
		s.Clock.Advance(time.Hour + time.Millisecond)
	}
	s.sweep(verify.Swept{Challenges: 100, Factors: 2})
	if made, _ := a.fill(t, 1); made != 0 {
		t.Error("a sweep refilled the day")
	}
	_, err := s.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}})
	Refused(t, err, verify.ErrRateLimited, verify.CodeFactorsCreatedToday)
}

func sweepSteps(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Retention.Challenges = time.Hour; c.Limits.FactorFailures = 5 }))
	a := s.Verified(verify.TOTPParams{})
	for range 4 {
		Doors()[0].Decide(a, a.Wrong())
	}
	s.Clock.Advance(2 * time.Hour)
	s.sweep(verify.Swept{Challenges: 4})
	Doors()[0].Decide(a, a.Wrong())
	if !a.Get().Locked {
		t.Error("a sweep forgave wrong codes")
	}
	Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
	code := a.Shown()
	if !Doors()[0].Decide(a, code) {
		t.Fatal("the code is refused")
	}
	used := s.Clock.Now()
	s.Clock.Advance(2 * time.Hour)
	s.sweep(verify.Swept{Challenges: 2})
	s.Clock.Set(used)
	for _, d := range Doors() {
		if d.Decide(a, code) {
			t.Errorf("%s: after a sweep the code is accepted again", d.Name)
		}
	}
}

func sweepMany(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited))
	a := s.Verified(verify.TOTPParams{})
	if made, _ := a.fill(t, 250); made != 250 {
		t.Fatalf("%d made", made)
	}
	for range 120 {
		s.Enrol(verify.TOTPParams{})
	}
	s.Clock.Advance(31 * 24 * time.Hour)
	s.sweep(verify.Swept{Challenges: 250, Factors: 120})
}
