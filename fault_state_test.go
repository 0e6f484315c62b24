//go:build unix

package verify_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

// A faultState is all that the database says about one user and one service. A
// call either leaves it as it was or brings it to one other state.
type faultState struct {
	Services   int // of the name
	Entities   int
	Factors    int
	Status     string
	Name       string
	Revision   int
	Step       int64
	Failures   int
	Hour       int // challenges in the window
	Challenges int
	Approved   int
	Attempts   int
	Metadata   string
}

// A faultUser is whom a call is about.
type faultUser struct {
	identity    string
	factor      string
	challenge   string
	serviceName string // that a call may make
	now         time.Time
}

// state reads what is stored. It does not go through the store, whose
// connections are under a fault.
func (u *faultUser) state(t *testing.T, raw *sql.DB) (s faultState) {
	t.Helper()
	scan := func(query string, args []any, to ...any) {
		if err := raw.QueryRow(query, args...).Scan(to...); err != nil && !errors.Is(err, sql.ErrNoRows) {
			t.Fatalf("%s: %v", query, err)
		}
	}
	of := []any{u.identity}
	scan("SELECT COUNT(*) FROM services WHERE json_extract(settings, '$.friendly_name') = ? AND deleted_at = 0", []any{u.serviceName}, &s.Services)
	scan("SELECT COUNT(*) FROM entities WHERE identity = ?", of, &s.Entities)
	scan(`SELECT COUNT(*) OVER (), f.status, f.friendly_name, f.revision, st.last_step, st.failures, st.hour_count
		FROM factors f JOIN factor_states st ON st.factor_id = f.id JOIN entities e ON e.id = f.entity_id WHERE e.identity = ?`, of,
		&s.Factors, &s.Status, &s.Name, &s.Revision, &s.Step, &s.Failures, &s.Hour)
	scan(`SELECT COUNT(*), COALESCE(SUM(c.status = 'approved'), 0), COALESCE(SUM(c.attempts), 0), COALESCE(GROUP_CONCAT(c.metadata, ''), '')
		FROM challenges c JOIN entities e ON e.id = c.entity_id WHERE e.identity = ?`, of,
		&s.Challenges, &s.Approved, &s.Attempts, &s.Metadata)
	return s
}

// What a user has before the call.
const (
	needsNothing = iota
	needsFactor
	needsVerified
	needsChallenge
	needsLocked
)

// newFaultUser makes the n-th user. Each has an hour of its own, so that no two
// records share a millisecond's sequence for long.
func newFaultUser(t *testing.T, e *siteEngine, n, needs int) *faultUser {
	t.Helper()
	u := &faultUser{
		identity: identityOf(n), serviceName: serviceNameOf(n), now: siteTime.Add(time.Duration(n) * time.Minute),
	}
	e.clock.Set(u.now)
	var err error
	must := func() {
		if err != nil {
			t.Helper()
			t.Fatalf("preparing user %d: %v", n, err)
		}
	}
	ctx := context.Background()
	if needs == needsFactor {
		u.factor, err = e.enrol(ctx, u.identity)
		must()
	}
	if needs >= needsVerified {
		u.factor, err = e.verified(ctx, u.identity)
		must()
	}
	if needs == needsChallenge {
		u.challenge, err = e.pending(ctx, u.identity, u.factor)
		must()
	}
	if needs == needsLocked {
		for i := range 3 {
			_, err = e.CheckCode(ctx, e.site.Service, u.identity, wrongAt(u.now, i))
			must()
		}
	}
	return u
}

// serviceNameOf has no digits, of which a name may have four only.
func serviceNameOf(n int) string {
	name := []byte("Service aaaaaaaa")
	for i := len(name) - 1; n > 0; i, n = i-1, n/26 {
		name[i] = byte('a' + n%26)
	}
	return string(name)
}

// What a call came to, besides what a guess comes to.
const (
	answerDone    = "done"
	answerExists  = "exists"
	answerMissing = "missing"
)

// plainly is answerOf for calls that are no guess.
func plainly(err error) (string, error) {
	switch {
	case errors.Is(err, verify.ErrConflict):
		return answerExists, nil
	case errors.Is(err, verify.ErrNotFound):
		return answerMissing, nil
	case err != nil:
		return "", err
	}
	return answerDone, nil
}

// misclassed tells what is wrong with an error that a fault has caused.
func misclassed(err, class error) string {
	var e *verify.Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("%v is no *verify.Error", err)
	}
	for _, c := range []error{
		verify.ErrNotFound, verify.ErrConflict, verify.ErrInvalid, verify.ErrForbidden, verify.ErrRateLimited,
		verify.ErrUnavailable, verify.ErrCorrupt, verify.ErrClosed,
	} {
		if errors.Is(err, c) != (c == class) {
			return fmt.Sprintf("%v: is %q: %t", err, c, errors.Is(err, c))
		}
	}
	if e.Code != verify.CodeInternal || e.RetryAfter != 0 || e.Param != "" {
		return fmt.Sprintf("%+v tells too much", *e)
	}
	return ""
}
