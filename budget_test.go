package verify_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// budgets is how many wrong codes in a row lock a factor, by digits and skew: a
// hundred at most, and so few for short codes that the chance of guessing one of
// the codes that are valid at a time stays at one in a thousand.
var budgets = map[int][3]int{
	3: {1, 1, 1},
	4: {10, 3, 2},
	5: {100, 33, 20},
	6: {100, 100, 100},
	7: {100, 100, 100},
	8: {100, 100, 100},
}

// TestBudgetOutlivesEverything (TOTP-8, OTP-4) guesses through every door in turn,
// into ever new challenges, and closes the engine and opens it again every few
// guesses: the factor locks after exactly its budget.
func TestBudgetOutlivesEverything(t *testing.T) {
	t.Parallel()
	if len(budgets) != 6 {
		t.Fatalf("%d lengths, want 6", len(budgets))
	}
	often := 7 // guesses between two restarts
	if raceEnabled {
		often = 35
	}
	for digits, bySkew := range budgets {
		for skew, budget := range bySkew {
			t.Run(fmt.Sprintf("%d digits, skew %d", digits, skew), func(t *testing.T) {
				t.Parallel()
				m := newMFAFile(t)
				// No limit but the one that follows from the length, up to a hundred.
				open := func() *verifytest.Engine {
					return m.open(enginetest.Unlimited, func(c *verify.Config) { c.Limits.FactorFailures = 0 })
				}
				e := open()
				a := enginetest.NewScene(t, e).Verified(verify.TOTPParams{CodeLength: digits, Skew: &skew})
				doors := enginetest.Doors()
				for guess := range budget {
					if guess%often == 3 || guess == budget-1 {
						m.close(e)
						e = open()
						a = a.On(e)
					}
					if a.Get().Locked {
						t.Fatalf("locked after %d wrong codes, want %d", guess, budget)
					}
					if doors[guess%len(doors)].Decide(a, a.Wrong()) {
						t.Fatal("a wrong code is accepted")
					}
					a.Wait(1)
				}
				for range 2 {
					if !a.Get().Locked {
						t.Fatalf("not locked after %d wrong codes", budget)
					}
					wantLocked(t, a)
					m.close(e)
					e = open()
					a = a.On(e)
				}
			})
		}
	}
}

// wantLocked wants right and wrong codes refused alike at every door.
func wantLocked(t *testing.T, a *enginetest.App) {
	t.Helper()
	for _, d := range enginetest.Doors() {
		_, wrong := d.Try(a, a.Wrong())
		_, right := d.Try(a, a.Shown())
		enginetest.Refused(t, right, verify.ErrLocked, verify.CodeChallengeAttempts)
		if !reflect.DeepEqual(right, wrong) {
			t.Errorf("%s: right code: %#v, wrong code: %#v", d.Name, right, wrong)
		}
	}
}

// inMemory counts wrong codes where a restart forgets them, as Vaultwarden did.
type inMemory struct{ failures int }

func (n *inMemory) guess() (locked bool) {
	n.failures++
	return n.failures > 100
}

// The restarts have teeth: a count in memory never locks under them.
func TestBudgetTwin(t *testing.T) {
	t.Parallel()
	twin := new(inMemory)
	for guess := range 1000 {
		if guess%7 == 3 {
			twin = new(inMemory)
		}
		if twin.guess() {
			t.Fatalf("a count in memory locks at guess %d", guess)
		}
	}
}

// The table holds the bar: budget times valid codes is at most a thousandth of all
// codes, except where a single guess is already more.
func TestBudgetIsOneInAThousand(t *testing.T) {
	t.Parallel()
	codes := 1000
	for digits := 3; digits <= 8; digits++ {
		for skew, budget := range budgets[digits] {
			if valid := 2*skew + 1; budget > 1 && budget*valid*1000 > codes {
				t.Errorf("%d digits, skew %d: %d guesses of %d valid codes", digits, skew, budget, valid)
			}
		}
		codes *= 10
	}
}

// Limits may make the budget smaller and, whatever they are, not larger.
func TestBudgetLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ digits, set, want int }{{6, 7, 7}, {6, 1, 1}, {6, 10_000, 333}, {6, -1, 333}, {4, -1, 3}, {4, 2, 2}, {3, 100, 1}} {
		s := enginetest.NewScene(t, verifytest.NewEngine(t, enginetest.Unlimited, func(cfg *verify.Config) { cfg.Limits.FactorFailures = c.set }))
		a := s.Verified(verify.TOTPParams{CodeLength: c.digits})
		n := 0
		for ; !a.Get().Locked && n < 1000; n++ {
			enginetest.Doors()[n%3].Decide(a, a.Wrong())
		}
		if n != c.want {
			t.Errorf("%d digits with a limit of %d: locked after %d, want %d", c.digits, c.set, n, c.want)
		}
	}
}

// A factor whose codes become shorter has a smaller budget from then on, wrong
// codes of before included.
func TestBudgetShrinksWithTheCode(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t))
	a := s.Verified(verify.TOTPParams{})
	for range 5 {
		enginetest.Doors()[0].Decide(a, a.Wrong())
	}
	f := enginetest.Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, verify.FactorUpdate{CodeLength: new(4)}))(t)
	if !f.Locked || !a.Get().Locked {
		t.Error("five wrong codes are more than a factor with four digits takes")
	}
	wantLocked(t, a.Follow(f))
}
