// Package enginetest is what an engine must do on any store: a suite of tests as
// ordinary functions, so that every store can be put through them. Its attacks
// are also run against naive acceptors, as other projects shipped them, to show
// that they can succeed.
package enginetest

import (
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

// An Opener makes an engine over an empty store, closed when the test ends.
type Opener = func(testing.TB, ...func(*verify.Config)) *verifytest.Engine

// Run puts the engines that open makes through the whole suite.
func Run(t *testing.T, open Opener) {
	t.Helper()
	groups := []struct {
		name  string
		tests []test
	}{
		{"Service", serviceTests()},
		{"Entity", entityTests()},
		{"Factor", factorTests()},
		{"Secret", secretTests()},
		{"Enrolment", enrolmentTests()},
		{"Challenge", challengeTests()},
		{"ChallengeList", challengeListTests()},
		{"CheckCode", checkCodeTests()},
		{"NotFound", notFoundTests()},
		{"Limits", limitTests()},
		{"Replay", replayTests()},
		{"Spelling", spellingTests()},
		{"Window", windowTests()},
		{"Budget", budgetTests()},
		{"Clock", clockTests()},
		{"Page", pageTests()},
		{"Sweep", sweepTests()},
		{"Interruption", interruptionTests()},
		{"Model", modelTests()},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range g.tests {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(t, open)
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(*testing.T, Opener)
}
