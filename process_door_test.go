//go:build unix

package verify_test

import (
	"context"
	"database/sql"
	"errors"

	"github.com/seed4eca3270/verify"
)

// What a guess came to.
const (
	answerRight     = "right"
	answerWrong     = "wrong"   // evaluated, and the guesser knows it
	answerLimited   = "limited" // refused by a limit, the code not looked at
	answerForbidden = "forbidden"
)

// A guessing is one code for one factor, through any door.
type guessing struct {
	Identity, Factor, Challenge, Code string
}

// doors are all ways to have a code evaluated. A door answers with an error only
// if nothing was decided.
func (e *siteEngine) doors() map[string]func(context.Context, guessing) (string, error) {
	return map[string]func(context.Context, guessing) (string, error){
		"CreateChallenge": func(ctx context.Context, g guessing) (string, error) {
			c, err := e.CreateChallenge(ctx, e.site.Service, g.Identity, verify.ChallengeParams{FactorSID: g.Factor, AuthPayload: g.Code})
			return answerOf(c.Status == verify.Approved, err)
		},
		"RespondChallenge": func(ctx context.Context, g guessing) (string, error) {
			c, err := e.RespondChallenge(ctx, e.site.Service, g.Identity, g.Challenge, verify.ChallengeResponse{AuthPayload: g.Code})
			return answerOf(c.Status == verify.Approved, err)
		},
		"CheckCode": func(ctx context.Context, g guessing) (string, error) {
			c, err := e.CheckCode(ctx, e.site.Service, g.Identity, g.Code)
			return answerOf(c.Approved, err)
		},
		"VerifyFactor": func(ctx context.Context, g guessing) (string, error) {
			f, err := e.VerifyFactor(ctx, e.site.Service, g.Identity, g.Factor, g.Code)
			return answerOf(f.Status == verify.Verified, err)
		},
		// Not a guess, but limited like one.
		"create": func(ctx context.Context, g guessing) (string, error) {
			_, err := e.CreateChallenge(ctx, e.site.Service, g.Identity, verify.ChallengeParams{FactorSID: g.Factor})
			return answerOf(err == nil, err)
		},
	}
}

func answerOf(right bool, err error) (string, error) {
	switch {
	case errors.Is(err, verify.ErrRateLimited):
		return answerLimited, nil
	case errors.Is(err, verify.ErrForbidden):
		return answerForbidden, nil
	case err != nil:
		return "", err
	case right:
		return answerRight, nil
	}
	return answerWrong, nil
}

// naiveDoors decide as application code does that has not heard of races: look,
// compare, write. They work on the very same rows.
func naiveDoors(raw *sql.DB, step int64, budget int) map[string]func(context.Context, guessing) (string, error) {
	spend := func(ctx context.Context, g guessing) (string, error) {
		var last int64
		if err := raw.QueryRowContext(ctx, "SELECT last_step FROM factor_states").Scan(&last); err != nil {
			return "", err
		}
		if step <= last {
			return answerWrong, nil
		}
		_, err := raw.ExecContext(ctx, "UPDATE factor_states SET last_step = ?", step)
		return answerOf(true, err)
	}
	guess := func(ctx context.Context, g guessing) (string, error) {
		var failures int
		if err := raw.QueryRowContext(ctx, "SELECT failures FROM factor_states").Scan(&failures); err != nil {
			return "", err
		}
		if failures >= budget {
			return answerLimited, nil
		}
		_, err := raw.ExecContext(ctx, "UPDATE factor_states SET failures = ?", failures+1)
		return answerOf(false, err)
	}
	return map[string]func(context.Context, guessing) (string, error){"naive spend": spend, "naive guess": guess}
}
