package verify

import (
	"context"

	"github.com/seed4eca3270/verify/store"
)

// VerifyFactor proves an enrolment with a code of the factor. A right code makes
// the factor verified and is spent: it answers no challenge afterwards. A wrong
// code is no error: the factor comes back unverified.
//
// It is for enrolment, never for login: a factor that is verified already comes
// back verified whatever the code, which is not looked at, as with Twilio. Logins
// go through CheckCode or challenges.
//
// It fails with ErrNotFound, ErrInvalid (60306) if the code is not of the
// factor's length in ASCII digits, and ErrLocked (60310) after 5 wrong codes;
// DeleteFactor and a new enrolment, or UnlockFactor, go on from there.
func (e *Engine) VerifyFactor(ctx context.Context, serviceSID, identity, factorSID, code string) (Factor, error) {
	now := e.now()
	row, err := e.factorRow(ctx, serviceSID, identity, factorSID)
	if err != nil {
		return Factor{}, err
	}
	if row.Factor.Status == string(Verified) {
		return e.factor(serviceSID, row)
	}
	g, err := e.look(row, code, now)
	if err != nil {
		return Factor{}, err
	}
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		// Somebody else may have verified the factor since it was read; then this
		// code is not looked at any more.
		status, err := q.GetFactorStatus(ctx, row.Factor.ID)
		if err != nil || status == string(Verified) {
			g.factor.Factor.Status = status
			return err
		}
		approved, err := settle(ctx, q, &g)
		if err != nil || !approved {
			return err
		}
		g.factor.Factor.Status = string(Verified)
		g.factor.Factor.UpdatedAt = store.Micros(now)
		g.factor.FactorState.Failures = 0
		_, err = q.MarkFactorVerified(ctx, store.MarkFactorVerifiedParams{Now: store.Micros(now), ID: row.Factor.ID})
		return err
	})
	if err != nil {
		return Factor{}, err
	}
	e.report(ctx, g)
	return e.factor(serviceSID, g.factor)
}

// UnlockFactor forgives a factor its wrong codes and its challenge windows. Call
// it when something else than the factor has shown who the user is. If a clock
// that ran ahead has spent steps of the future, it also brings those back: the
// codes of the moment then count as spent, and later ones are accepted. It fails
// with ErrNotFound.
func (e *Engine) UnlockFactor(ctx context.Context, serviceSID, identity, factorSID string) (Factor, error) {
	for range updateTries {
		now := e.now()
		row, err := e.factorRow(ctx, serviceSID, identity, factorSID)
		if err != nil {
			return Factor{}, err
		}
		var rows int64
		err = e.write(ctx, func(ctx context.Context, q *store.Queries) (err error) {
			rows, err = q.UnlockFactor(ctx, store.UnlockFactorParams{
				// The skew may have been wider when a code was spent.
				NewestStep: newestStep(row.config(), maxSkew, now), FactorID: row.Factor.ID, Revision: row.Factor.Revision,
			})
			return err
		})
		if err != nil {
			return Factor{}, err
		}
		if rows == 1 {
			e.cfg.Logger.InfoContext(ctx, "verify: factor unlocked", "factor", row.sid())
			row.FactorState.Failures = 0
			return e.factor(serviceSID, row)
		}
	}
	return Factor{}, errChangedMeanwhile()
}
