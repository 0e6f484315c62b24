//go:build unix

package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// holdJob takes and gives back the write lock of a file, as it is told.
func holdJob(p *storetest.Parent, args []string) error {
	raw, err := storetest.OpenRaw(args[0], "busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	var text string
	for p.Receive(&text) == nil {
		if _, err := raw.Exec(text); err != nil {
			return err
		}
		if err := p.Send("done"); err != nil {
			return err
		}
	}
	return nil
}

// A holder is a process that keeps all others from writing.
type holder struct{ child *storetest.Child }

func (h holder) tell(text string) {
	h.child.Send(text)
	h.child.Expect(new(string))
}

func (h holder) failure() failure {
	return failure{
		begin: func() { h.tell("BEGIN IMMEDIATE") },
		end:   func() bool { h.tell("ROLLBACK"); return true },
		class: verify.ErrUnavailable,
	}
}

// CONC-3: while another process keeps the file locked for longer than anybody
// waits, no call does anything or tells anything about a code. What it answered
// by chance to one of them it would answer to all.
func TestLockedByAnotherProcess(t *testing.T) {
	t.Parallel()
	limits := unlimited()
	limits.FactorFailures = 3
	s := newSite(t, limits)
	e := s.startWith(t, store.Options{BusyTimeout: 20 * time.Millisecond})
	raw := storetest.Raw(t, s.Path, "busy_timeout(10000)")
	h := holder{storetest.Start(t, "hold", s.Path)}
	for user, call := range faultCalls() {
		u := newFaultUser(t, e, user+1, call.needs)
		var answers []string
		was := call.do
		call.do = func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
			answer, err := was(ctx, e, u)
			answers = append(answers, answer)
			return answer, err
		}
		wrongs, _ := strike(t, e, raw, call, u, h.failure())
		for _, wrong := range wrongs {
			t.Errorf("%s: %s", call.name, wrong)
		}
		if answers[0] != "" {
			t.Errorf("%s: answered %q without writing", call.name, answers[0])
		}
	}
	for _, wrong := range sound(t, raw) {
		t.Error(wrong)
	}
	h.child.End()
}

// A locked file must not tell right from wrong. It does by those who look first
// and then write down what they saw, if they can.
func TestLockHasTeeth(t *testing.T) {
	t.Parallel()
	s := newSite(t, unlimited())
	e, raw := s.start(t), storetest.Raw(t, s.Path, "busy_timeout(10000)")
	pool := storetest.Raw(t, s.Path, "busy_timeout(20)")
	hasty := faultCall{
		answer: answerWrong, again: answerWrong, after: failed,
		do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
			var last int64
			if err := pool.QueryRowContext(ctx, "SELECT last_step FROM factor_states").Scan(&last); err != nil {
				return "", err
			}
			if code := wrongAt(u.now, 0); code == codeAt(u.now) && last < stepAt(u.now) {
				_, err := pool.ExecContext(ctx, "UPDATE factor_states SET last_step = ?", stepAt(u.now))
				return answerOf(true, err)
			}
			_, _ = pool.ExecContext(ctx, "UPDATE factor_states SET failures = failures + 1")
			return answerWrong, nil
		},
	}
	h := holder{storetest.Start(t, "hold", s.Path)}
	wrongs, _ := strike(t, e, raw, hasty, newFaultUser(t, e, 1, needsVerified), h.failure())
	if len(wrongs) == 0 {
		t.Error("nothing wrong was found")
	}
	t.Logf("%.100q", wrongs)
	h.child.End()
}
