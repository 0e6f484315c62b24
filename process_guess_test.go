//go:build unix

package verify_test

import (
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
)

const factorBudget = 10

// RATE-3: however many processes guess at once, no more guesses are evaluated
// than the budget has, and not one fewer.
func TestGuessesAcrossProcesses(t *testing.T) {
	t.Parallel()
	limits := unlimited()
	limits.FactorFailures = factorBudget
	s := newSite(t, limits)
	e, w := s.start(t), newSwarm(t, s)
	user := 0
	for _, test := range []struct {
		name       string
		doors      []string
		challenges int
		enrolment  bool
		budget     int
	}{
		{name: "CreateChallenge", doors: []string{"CreateChallenge"}, budget: factorBudget},
		{name: "RespondChallenge, each its own", doors: []string{"RespondChallenge"}, challenges: swarmSize, budget: factorBudget},
		{name: "RespondChallenge, one for all", doors: []string{"RespondChallenge"}, challenges: 1, budget: 5},
		{name: "CheckCode", doors: []string{"CheckCode"}, budget: factorBudget},
		{name: "all doors", doors: []string{"CreateChallenge", "RespondChallenge", "CheckCode"}, challenges: 8, budget: factorBudget},
		{name: "VerifyFactor", doors: []string{"VerifyFactor"}, enrolment: true, budget: 5},
	} {
		for round := range storetest.Scale(t, 20) {
			user++
			now := siteTime.Add(time.Duration(user) * time.Hour)
			e.clock.Set(now)
			g := guessing{Identity: identityOf(user), Code: wrongAt(now, round)}
			prepare := e.verified
			if test.enrolment {
				prepare = e.enrol
			}
			var err error
			if g.Factor, err = prepare(t.Context(), g.Identity); err != nil {
				t.Fatal(err)
			}
			got := tally(t, w.race(t, now, 0, e.items(t, test.doors, test.challenges, g)))
			if got[answerWrong] != test.budget || got[answerLimited] != swarmSize-test.budget {
				t.Errorf("%s, round %d: %v, want %d evaluated", test.name, round, got, test.budget)
			}
			if test.challenges == 1 {
				continue // the challenge is closed, the factor is not
			}
			// The right code is refused as well now, by this process too.
			g.Code = codeAt(now)
			door := "CheckCode"
			if test.enrolment {
				door = "VerifyFactor"
			}
			if a, err := e.doors()[door](t.Context(), g); a != answerLimited {
				t.Errorf("%s, round %d: the right code after the last guess: %q, %v", test.name, round, a, err)
			}
		}
	}
	raw := storetest.Raw(t, s.Path, "busy_timeout(10000)")
	evaluated, rounds := 0, 0
	for ; evaluated <= factorBudget && rounds < 50; rounds++ {
		if _, err := raw.Exec("UPDATE factor_states SET failures = 0"); err != nil {
			t.Fatal(err)
		}
		evaluated = tally(t, w.race(t, siteTime, factorBudget, e.items(t, []string{"naive guess"}, 0, guessing{})))[answerWrong]
	}
	t.Logf("the naive twin evaluated %d guesses of %d in round %d", evaluated, factorBudget, rounds)
	if evaluated <= factorBudget {
		t.Error("the naive twin kept to its budget: this test has no teeth")
	}
	w.end()
}

// The creation limit of a factor holds over all processes.
func TestCreationLimitAcrossProcesses(t *testing.T) {
	t.Parallel()
	s := newSite(t, verify.Limits{ChallengesPerDay: -1})
	e, w := s.start(t), newSwarm(t, s)
	g := guessing{Identity: identityOf(1)}
	var err error
	if g.Factor, err = e.verified(t.Context(), g.Identity); err != nil {
		t.Fatal(err)
	}
	for round := range storetest.Scale(t, 20) {
		now := siteTime.Add(time.Duration(round) * time.Hour)
		items := e.items(t, []string{"create"}, 0, g)
		for i := range items {
			items[i].Times = 2
		}
		got := tally(t, w.race(t, now, 0, items))
		if got[answerRight] != 50 || got[answerLimited] != 2*swarmSize-50 {
			t.Errorf("hour %d: %v, want 50 created", round, got)
		}
	}
	w.end()
}
