//go:build unix

package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

const killBudget = 3 // wrong codes that lock a factor, in these tests

// DUR-1: whenever a process is killed, what its calls had returned is there, and
// the rest is there or not, but nothing is half there.
func TestKilled(t *testing.T) {
	t.Parallel()
	const lanes = 2 // files, each with its own chain of processes
	for lane := range lanes {
		t.Run(fmt.Sprint("file ", lane), func(t *testing.T) {
			t.Parallel()
			random, cycles := storetest.Random(t), storetest.Scale(t, 200/lanes)
			limits := unlimited()
			limits.FactorFailures = killBudget
			s := newSite(t, limits)
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			all, facts := ledgers{}, 0
			for cycle := range cycles {
				child := storetest.Start(t, "work", string(text), strconv.Itoa(cycle))
				known := ledgers{}
				for range random.IntN(60) { // none: the process may not even have opened the file
					var f fact
					child.Expect(&f)
					known.note(f)
					facts++
				}
				if err := child.Kill(); err != nil {
					t.Fatal(err)
				}
				for f := (fact{}); child.Receive(&f) == nil; f = (fact{}) {
					known.note(f) // it was on its way
					facts++
				}
				checkAfterDeath(t, s, cycle, known)
				for user, k := range known {
					all[user] = k
				}
			}
			// What survived one death survives those of others.
			raw := storetest.Raw(t, s.Path)
			for _, wrong := range all.audit(raw, false) {
				t.Error("at the end: ", wrong)
			}
			t.Logf("%d kills, %d facts about %d users", cycles, facts, len(all))
			if facts < 10*cycles {
				t.Error("hardly anything was done: the test tests nothing")
			}
		})
	}
}

func checkAfterDeath(t *testing.T, s site, cycle int, known ledgers) {
	t.Helper()
	raw, err := storetest.OpenRaw(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, wrong := range append(sound(t, raw), known.audit(raw, true)...) {
		t.Errorf("cycle %d: %s", cycle, wrong)
	}
	e, err := s.open(t.Context(), store.Options{})
	if err != nil {
		t.Fatalf("cycle %d: opening after the kill: %v", cycle, err)
	}
	defer e.stop()
	e.clock.Set(cycleTime(cycle))
	for user, k := range known {
		if !k.verified || k.deleted {
			continue
		}
		at := time.Unix(k.step*int64(period.Seconds()), 0)
		c, err := e.CheckCode(t.Context(), s.Service, identityOf(user), codeAt(at))
		switch {
		case c.Approved:
			t.Errorf("cycle %d, user %d: a spent code is accepted (known: %+v)", cycle, user, *k)
		case err != nil && !errors.Is(err, verify.ErrLocked) && !errors.Is(err, verify.ErrNotFound) && !errors.Is(err, verify.ErrForbidden):
			t.Errorf("cycle %d, user %d: %v", cycle, user, err)
		}
	}
	known.learn(t, raw)
}

func cycleTime(cycle int) time.Time { return siteTime.Add(time.Duration(cycle) * time.Hour) }

// workJob enrols users, lets them in, shuts them out and deletes them until it is
// killed, and tells every fact as soon as it knows it.
func workJob(p *storetest.Parent, args []string) error {
	var s site
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return err
	}
	cycle, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	e, err := s.open(context.Background(), store.Options{})
	if err != nil {
		return err
	}
	e.clock.Set(cycleTime(cycle))
	var mu sync.Mutex
	tell := func(f fact) error {
		mu.Lock()
		defer mu.Unlock()
		return p.Send(f)
	}
	const workers = 4
	ends := make(chan error)
	for worker := range workers {
		go func() {
			for n := worker; ; n += workers {
				if err := e.life(cycle*1000+n, tell); err != nil {
					ends <- err
					return
				}
			}
		}()
	}
	return <-ends
}

// life is what happens to one user.
func (e *siteEngine) life(user int, tell func(fact) error) (err error) {
	ctx, f := context.Background(), fact{User: user}
	identity, now := identityOf(user), e.clock.Now()
	if f.Factor, err = e.enrol(ctx, identity); err != nil {
		return err
	}
	note := func(what string, step int64, challenge string) {
		if err == nil {
			err = tell(fact{User: user, Factor: f.Factor, What: what, Step: step, Challenge: challenge})
		}
	}
	note(factEnrolled, 0, "")
	if _, err := e.VerifyFactor(ctx, e.site.Service, identity, f.Factor, codeAt(now.Add(-period))); err != nil {
		return err
	}
	note(factVerified, stepAt(now.Add(-period)), "")
	for i := range 2 {
		at := now.Add(time.Duration(i) * period)
		c, err := e.approve(ctx, user+i, identity, f.Factor, codeAt(at))
		if err != nil {
			return err
		}
		note(factApproved, stepAt(at), c)
	}
	for i := range killBudget {
		if c, err := e.CheckCode(ctx, e.site.Service, identity, wrongAt(now, i)); err != nil || c.Approved {
			return fmt.Errorf("wrong code: %+v, %w", c, err)
		}
		note(factFailed, 0, "")
	}
	if user%3 == 0 {
		if _, err := e.UnlockFactor(ctx, e.site.Service, identity, f.Factor); err != nil {
			return err
		}
		note(factUnlocked, 0, "")
	}
	if user%5 == 0 {
		if err := e.DeleteFactor(ctx, e.site.Service, identity, f.Factor); err != nil {
			return err
		}
		note(factDeleted, 0, "")
	}
	return err
}

// approve has a right code accepted through the n-th door.
func (e *siteEngine) approve(ctx context.Context, n int, identity, factor, code string) (challenge string, err error) {
	var c verify.Challenge
	switch n % 3 {
	case 0:
		c, err = e.CreateChallenge(ctx, e.site.Service, identity, verify.ChallengeParams{FactorSID: factor, AuthPayload: code})
	case 1:
		var sid string
		if sid, err = e.pending(ctx, identity, factor); err != nil {
			return "", err
		}
		c, err = e.RespondChallenge(ctx, e.site.Service, identity, sid, verify.ChallengeResponse{AuthPayload: code})
	default:
		var check verify.CodeCheck
		check, err = e.CheckCode(ctx, e.site.Service, identity, code)
		c = check.Challenge
	}
	if err == nil && c.Status != verify.Approved {
		err = fmt.Errorf("a right code came to %q", c.Status)
	}
	return c.SID, err
}
