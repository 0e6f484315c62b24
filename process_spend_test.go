//go:build unix

package verify_test

import (
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
)

// CONC-2: of all callers in all processes that come with the same right code at
// the same moment, one is let in.
func TestOneWinnerAcrossProcesses(t *testing.T) {
	t.Parallel()
	s := newSite(t, unlimited())
	e, w := s.start(t), newSwarm(t, s)
	g := guessing{Identity: identityOf(1)}
	var err error
	if g.Factor, err = e.verified(t.Context(), g.Identity); err != nil {
		t.Fatal(err)
	}
	now := siteTime
	for _, test := range []struct {
		name       string
		doors      []string // taken in turn
		challenges int      // shared out among the callers
		closes     bool     // a challenge that several answer may be over before all have
	}{
		{name: "CreateChallenge", doors: []string{"CreateChallenge"}},
		{name: "RespondChallenge, each its own", doors: []string{"RespondChallenge"}, challenges: swarmSize},
		{name: "RespondChallenge, one for all", doors: []string{"RespondChallenge"}, challenges: 1, closes: true},
		{name: "CheckCode", doors: []string{"CheckCode"}},
		{name: "all doors", doors: []string{"CreateChallenge", "RespondChallenge", "CheckCode"}, challenges: 4, closes: true},
	} {
		for round := range storetest.Scale(t, 20) {
			now = now.Add(period)
			e.clock.Set(now)
			g.Code = codeAt(now)
			got := tally(t, w.race(t, now, 0, e.items(t, test.doors, test.challenges, g)))
			if got[answerRight] != 1 {
				t.Errorf("%s, round %d: %v, want one right", test.name, round, got)
			}
			over := got[answerForbidden] + got[answerLimited]
			if got[answerWrong]+over != swarmSize-1 || over > 0 && !test.closes {
				t.Errorf("%s, round %d: the others were told %v", test.name, round, got)
			}
		}
	}
	winners, rounds := 0, 0
	for ; winners < 2 && rounds < 50; rounds++ {
		now = now.Add(period)
		winners = tally(t, w.race(t, now, 0, e.items(t, []string{"naive spend"}, 0, g)))[answerRight]
	}
	t.Logf("the naive twin let %d in in round %d", winners, rounds)
	if winners < 2 {
		t.Error("the naive twin let one in every time: this test has no teeth")
	}
	w.end()
}

// items have every goroutine of a swarm make the same guess, through the doors in
// turn and for new challenges in turn.
func (e *siteEngine) items(t *testing.T, doors []string, challenges int, g guessing) (items []item) {
	t.Helper()
	var sids []string
	for range challenges {
		c, err := e.pending(t.Context(), g.Identity, g.Factor)
		if err != nil {
			t.Fatal(err)
		}
		sids = append(sids, c)
	}
	for i := range swarmSize {
		if challenges > 0 {
			g.Challenge = sids[i%challenges]
		}
		items = append(items, item{Door: doors[i%len(doors)], Guess: g})
	}
	return items
}

// The code that proves an enrolment is spent by that, whoever else comes with it.
func TestEnrolmentAcrossProcesses(t *testing.T) {
	t.Parallel()
	s := newSite(t, unlimited())
	e, w := s.start(t), newSwarm(t, s)
	for round := range storetest.Scale(t, 20) {
		now := siteTime.Add(time.Duration(round) * time.Hour)
		e.clock.Set(now)
		g := guessing{Identity: identityOf(round), Code: codeAt(now)}
		var err error
		if g.Factor, err = e.enrol(t.Context(), g.Identity); err != nil {
			t.Fatal(err)
		}
		// Half of them want to log in with the code as soon as they can.
		for _, a := range w.race(t, now, 0, e.items(t, []string{"VerifyFactor", "CheckCode"}, 0, g)) {
			if (a.Answer == answerRight) != (a.Door == "VerifyFactor") || a.Error != "" {
				t.Errorf("round %d: %+v", round, a)
			}
		}
		f, err := e.GetFactor(t.Context(), s.Service, g.Identity, g.Factor)
		if err != nil || f.Status != verify.Verified {
			t.Errorf("round %d: %+v, %v", round, f, err)
		}
		for _, at := range []time.Time{now, now.Add(-period), now.Add(period)} {
			c, err := e.CheckCode(t.Context(), s.Service, g.Identity, codeAt(at))
			if err != nil || c.Approved != at.After(now) {
				t.Errorf("round %d: the code of %v: %+v, %v", round, at.Sub(now), c, err)
			}
		}
	}
	w.end()
}
