//go:build unix

package verify_test

import (
	"context"
	"database/sql"
	"testing"

	"modernc.org/sqlite"

	"github.com/seed4eca3270/verify/internal/storetest"
)

// naiveCalls do what CheckCode does, statement by statement and without a
// transaction, as it is often written.
func naiveCalls(pool *sql.DB) []faultCall {
	const state = "(SELECT f.id FROM factors f JOIN entities e ON e.id = f.entity_id WHERE e.identity = ?)"
	return []faultCall{
		{
			// The counter is a side effect whose failure stops nobody.
			name: "wrong code, careless counter", needs: needsVerified, answer: answerWrong, again: answerWrong,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				_, _ = pool.ExecContext(ctx, "UPDATE factor_states SET failures = failures + 1 WHERE factor_id = "+state, u.identity)
				return answerWrong, nil
			},
			after: failed,
		},
		{
			// First the approval, then the step it costs.
			name: "right code, two commits", needs: needsChallenge, answer: answerRight, again: answerForbidden,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				result, err := pool.ExecContext(ctx, "UPDATE challenges SET status = 'approved', responded_at = 1 WHERE status = 'pending' AND factor_id = "+state, u.identity)
				if err != nil {
					return "", err
				}
				if n, err := result.RowsAffected(); err != nil || n == 0 {
					return answerForbidden, err
				}
				_, err = pool.ExecContext(ctx, "UPDATE factor_states SET last_step = ?, failures = 0 WHERE factor_id = "+state, stepAt(u.now), u.identity)
				return answerOf(true, err)
			},
			after: accepted,
		},
	}
}

// The loop of TestFaultAtEveryOperation finds out who handles faults carelessly.
func TestFaultLoopHasTeeth(t *testing.T) {
	t.Parallel()
	s, faults := newSite(t, unlimited()), &storetest.Faults{}
	e := s.start(t)
	base, err := sqlite.NewConnector("file:" + s.Path + "?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	pool, raw := sql.OpenDB(faults.Connector(base)), storetest.Raw(t, s.Path)
	defer pool.Close()
	users := 0
	for _, call := range naiveCalls(pool) {
		found := ""
		for nth := 1; nth <= 2; nth++ {
			users++
			u := newFaultUser(t, e, users, call.needs)
			fault := storetest.Fault{
				Nth: nth, Code: storetest.Full, Match: func(op storetest.Op) bool { return op.Kind == storetest.Exec },
			}
			wrongs, _ := strike(t, e, raw, call, u, byFault(faults, fault))
			for _, wrong := range wrongs {
				if found == "" && wrong[:8] == "answered" {
					found = wrong
				}
			}
		}
		if found == "" {
			t.Errorf("%s: nothing wrong was found", call.name)
		}
		t.Logf("%s: %.100s", call.name, found)
	}
}
