package enginetest

import (
	"reflect"
	"testing"

	"github.com/seed4eca3270/verify"
)

func budgetTests() []test {
	return []test{
		{"counts over all challenges and doors", budgetDoors},
		{"the attack has teeth", budgetTeeth},
		{"locked answers do not tell right from wrong", budgetOracle},
		{"is restored by the factor's own success alone", budgetReset},
		{"is restored by UnlockFactor", budgetUnlock},
		{"replays count", budgetReplays},
	}
}

// guesses makes wrong guesses, each through the next door and into a challenge of
// its own, until the factor is locked or max are made.
func guesses(t *testing.T, a *App, max int) (made int) {
	t.Helper()
	doors := Doors()
	for made = range max {
		approved, err := doors[made%len(doors)].Try(a, a.Wrong())
		if approved {
			t.Fatal("a wrong code is accepted")
		}
		if err != nil {
			Refused(t, err, verify.ErrLocked, verify.CodeChallengeAttempts)
			return made
		}
		a.Wait(7)
	}
	return max
}

// TOTP-8: neither a new challenge nor another door nor the next day brings new
// guesses.
func budgetDoors(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) {
		Unlimited(c)
		c.Limits.FactorFailures, c.Limits.ChallengeAttempts = 0, 0 // 100 and 5
	}))
	a := s.Verified(verify.TOTPParams{})
	if got := guesses(t, a, 1000); got != 100 {
		t.Errorf("%d guesses, want 100", got)
	}
	for range 3 {
		a.Wait(100_000)
		if got := guesses(t, a, 1); got != 0 {
			t.Error("time brought a new guess")
		}
	}
}

func budgetTeeth(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	twin := perChallenge{app: s.Enrol(verify.TOTPParams{})}
	for range 40 {
		twin.open()
		for range 6 {
			twin.try("wrong")
		}
	}
	if twin.looked <= 100 {
		t.Errorf("a count by challenge stopped the attack after %d guesses", twin.looked)
	}
}

// RATE-9. Whole errors are compared, and what is stored before and after.
func budgetOracle(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 3 }))
	a := s.Verified(verify.TOTPParams{})
	pending := a.Challenge()
	if got := guesses(t, a, 10); got != 3 {
		t.Fatalf("%d guesses, want 3", got)
	}
	s.Clock.Set(pending.DateCreated.Add(a.Period()))
	doors := append(Doors(), Door{"an older challenge", func(a *App, code string) (bool, error) {
		c, err := a.Respond(pending.SID, code)
		return c.Status == verify.Approved, err
	}})
	before := a.everything(t)
	for _, d := range doors {
		_, wrong := d.Try(a, a.Wrong())
		Refused(t, wrong, verify.ErrLocked, verify.CodeChallengeAttempts)
		for steps := -1; steps <= 1; steps++ {
			if _, right := d.Try(a, a.At(steps)); !reflect.DeepEqual(right, wrong) {
				t.Errorf("%s: right code: %#v, wrong code: %#v", d.Name, right, wrong)
			}
		}
	}
	if after := a.everything(t); !reflect.DeepEqual(after, before) {
		t.Errorf("was\n%+v\nis\n%+v", before, after)
	}
	// What the locked factor was shown is not spent either.
	Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
	if !Doors()[0].Decide(a, a.At(-1)) {
		t.Error("a locked factor spends codes")
	}
}

// everything is what the API shows of a factor and its challenges.
func (a *App) everything(t *testing.T) []any {
	t.Helper()
	s := a.scene
	all := []any{a.Get()}
	for c, err := range s.Challenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{}) {
		all = append(all, Must(c, err)(t))
	}
	return all
}

// RATE-7.
func budgetReset(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 3 }))
	a, b := s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})
	neighbour := s.As("user-0002").Verified(verify.TOTPParams{})
	miss := func(n int) {
		for range n {
			if Doors()[1].Decide(a, a.Wrong()) {
				t.Fatal("a wrong code is accepted")
			}
		}
	}
	miss(2)
	if !Doors()[0].Decide(a, a.Shown()) {
		t.Fatal("the right code is refused within the budget")
	}
	miss(2) // a full budget again, less two
	for _, other := range []*App{b, neighbour} {
		if !Doors()[0].Decide(other, other.Shown()) {
			t.Fatal("another factor's code is refused")
		}
	}
	Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, b.Factor.SID))(t)
	Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, verify.FactorUpdate{FriendlyName: new("x"), CodeLength: new(6)}))(t)
	Must(a.verify(a.Shown()))(t)
	s.Enrol(verify.TOTPParams{})
	a.Wait(1)
	miss(1)
	if !a.Get().Locked || b.Get().Locked || neighbour.Get().Locked {
		t.Errorf("locked: %t, %t, %t, want only the first", a.Get().Locked, b.Get().Locked, neighbour.Get().Locked)
	}
}

func budgetUnlock(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 3 }))
	a := s.Verified(verify.TOTPParams{})
	for range 3 {
		if got := guesses(t, a, 10); got != 3 {
			t.Errorf("%d guesses, want 3", got)
		}
		got := Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
		want := a.Get()
		if got.Locked || !reflect.DeepEqual(got, want) {
			t.Errorf("answered\n%+v\nread\n%+v", got, want)
		}
	}
	code := a.Shown()
	if !Doors()[0].Decide(a, code) {
		t.Error("an unlocked factor refuses its code")
	}
	Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
	if Doors()[0].Decide(a, code) {
		t.Error("UnlockFactor brought a spent code back")
	}
}

// A code that was used is as wrong as any: showing it again is a guess.
func budgetReplays(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 3 }))
	a := s.Verified(verify.TOTPParams{})
	code := a.Shown()
	for i, d := range append(Doors(), Doors()[0]) {
		if got := d.Decide(a, code); got != (i == 0) {
			t.Errorf("%s: use %d: approved: %t", d.Name, i+1, got)
		}
	}
	if !a.Get().Locked {
		t.Error("three replays do not lock a factor with a budget of three")
	}
}
