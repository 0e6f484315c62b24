package verify

import (
	"context"
	"errors"
	"time"

	"github.com/seed4eca3270/verify/internal/totp"
	"github.com/seed4eca3270/verify/store"
)

// A guess is a code somebody entered for a factor, and what it was worth when it
// was looked at. Looking happens before the transaction, for it is slow and opens
// the seed; what counts is settle, inside it.
type guess struct {
	factor factorRow
	budget int64 // wrong codes in a row that lock the factor
	step   int64 // the step that the code belongs to
	right  bool
	reason int  // the error code of a factor that is locked
	locks  bool // settle found it wrong, and the last one allowed
}

// look compares a code with what the factor expects around now. A code that is
// not of the factor's length is ErrInvalid: nobody mistypes into it, and it costs
// nothing.
func (e *Engine) look(f factorRow, code string, now time.Time) (guess, error) {
	c := f.config().totp()
	g := guess{factor: f, budget: e.budget(f), reason: CodeChallengeAttempts}
	if f.Factor.Status != string(Verified) {
		g.reason = CodeFactorAttempts
	}
	if !totp.WellFormed(code, c.Digits) {
		return g, invalid(CodeInvalidRequest, "AuthPayload", "want %d digits", c.Digits)
	}
	seed, err := e.openSeed(f)
	if err != nil {
		return g, err
	}
	g.step, g.right, err = c.Match(seed, code, now, f.FactorState.LastStep)
	if err != nil {
		return g, internal(ErrCorrupt, err)
	}
	return g, nil
}

// budget is how many wrong codes in a row the factor takes, fewer for short codes
// and for an enrolment.
func (e *Engine) budget(f factorRow) int64 {
	limit := e.cfg.Limits.FactorFailures
	if f.Factor.Status != string(Verified) {
		limit = e.cfg.Limits.EnrolmentAttempts
	}
	return int64(f.config().totp().Budget(limit))
}

// settle makes a guess count: it spends the step of a right code, or counts a
// wrong one. Both are single conditional statements, so that of two callers with
// the same code, in whatever process, one succeeds; the other's was wrong. The
// outcome is known to nobody before the transaction is on disk.
func settle(ctx context.Context, q *store.Queries, g *guess) (approved bool, err error) {
	id := g.factor.Factor.ID
	step := g.step
	if !g.right {
		step = -1 // no step is lower: a wrong code takes the same statements as a right one that is refused
	}
	rows, err := q.SpendStep(ctx, store.SpendStepParams{
		Step: step, FactorID: id, MaxFailures: g.budget, Revision: g.factor.Factor.Revision,
	})
	if err != nil || rows == 1 {
		return rows == 1, err
	}
	failures, err := q.CountFailure(ctx, store.CountFailureParams{FactorID: id, MaxFailures: g.budget})
	if store.NoRow(err) {
		return false, whyRefused(ctx, q, id, g.budget, g.reason)
	}
	g.factor.FactorState.Failures = failures
	g.locks = err == nil && failures == g.budget
	return false, err
}

// whyRefused explains a guess that was not evaluated: the factor is gone, or
// locked. It reads the same whether the code was right or wrong.
func whyRefused(ctx context.Context, q *store.Queries, factor, budget int64, code int) error {
	state, err := q.GetFactorState(ctx, factor)
	if err != nil {
		return err
	}
	if state.Failures < budget {
		return errUnexplained
	}
	return errLocked(code)
}

// errUnexplained is for a conditional statement that changed nothing although
// each of its conditions holds, which cannot be: it fails closed.
var errUnexplained = errors.New("refused without a reason")

func errLocked(code int) *Error {
	return refuse(ErrLocked, code, "Too many wrong codes: the factor is locked")
}

// report logs a factor that a wrong code has just locked. It is called after the
// commit that locked it.
func (e *Engine) report(ctx context.Context, g guess) {
	if g.locks {
		e.cfg.Logger.WarnContext(ctx, "verify: factor locked after wrong codes", "factor", g.factor.sid(), "failures", g.budget)
	}
}
