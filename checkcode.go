package verify

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// A CodeCheck is what became of a code. Challenge is the approved one if Approved
// is true, else zero.
type CodeCheck struct {
	Approved  bool
	Challenge Challenge
}

// CheckCode is for an application that has a user and six digits and wants to
// know one thing. It tries the code on the entity's verified TOTP factors. If it
// is right for one of them its step is spent and an approved challenge is stored;
// if not, it counts as one wrong guess on every factor it was tried on. Right or
// wrong it is one of a factor's 50 challenges in an hour and 100 in a day, as with
// CreateChallenge: see Limits. Strip spaces that users type.
//
// It fails with ErrNotFound if there is no such entity, ErrForbidden (60318) if it
// has no verified TOTP factor, ErrInvalid (60306) if none of them has codes of
// that length, ErrLocked (60308) or ErrRateLimited (60312) if each of them is
// locked or has had too many challenges.
func (e *Engine) CheckCode(ctx context.Context, serviceSID, identity, code string) (CodeCheck, error) {
	now := e.now()
	entity, err := e.entityRow(ctx, serviceSID, identity)
	if err != nil {
		return CodeCheck{}, err
	}
	guesses, err := e.lookEverywhere(ctx, entity, code, now)
	if err != nil {
		return CodeCheck{}, err
	}
	var row challengeRow
	var by *guess
	err = e.insert(ctx, now, func(id sid.SID) (store.Func, error) {
		return func(ctx context.Context, q *store.Queries) error {
			if by, err = e.settleOne(ctx, q, guesses, now); err != nil || by == nil {
				return err
			}
			row = challengeRow{
				ID: id.Key, Tail: id.Tail, EntityID: entity.ID, FactorID: by.factor.Factor.ID,
				Status: string(Pending), ExpiresAt: store.Micros(now.Add(challengeLife)), CreatedAt: store.Micros(now), UpdatedAt: store.Micros(now),
			}
			row.setAnswer(true, now)
			return inserted(q.InsertChallenge(ctx, row.insertParams()))
		}, nil
	})
	if err != nil {
		return CodeCheck{}, err
	}
	for _, g := range guesses {
		e.report(ctx, g)
	}
	if by == nil {
		return CodeCheck{}, nil
	}
	challenge, err := e.challenge(serviceSID, row, by.factor, now)
	return CodeCheck{Approved: err == nil, Challenge: challenge}, err
}

// lookEverywhere compares the code with every verified TOTP factor, always all of
// them.
func (e *Engine) lookEverywhere(ctx context.Context, entity store.Entity, code string, now time.Time) (guesses []guess, err error) {
	rows, err := e.factorRows(ctx, entity, -1, true, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	var malformed error
	for _, f := range rows {
		if f.Factor.Status != string(Verified) || f.Factor.FactorType != string(TOTP) {
			continue
		}
		g, err := e.look(f, code, now)
		switch {
		case errors.Is(err, ErrInvalid):
			malformed = err
		case err != nil:
			return nil, err
		default:
			guesses = append(guesses, g)
		}
	}
	switch {
	case len(guesses) > 0:
		return guesses, nil
	case malformed != nil:
		return nil, malformed
	}
	return nil, refuse(ErrForbidden, CodeFactorUnverified, "The entity has no verified TOTP factor")
}

// settleOne spends the code on the first factor it is right for, or counts it
// against all. Factors that are locked, had too many challenges or were deleted
// meanwhile are passed over; if that leaves none, their soonest refusal is the
// answer, which depends on all of them and not on which the code is right for.
func (e *Engine) settleOne(ctx context.Context, q *store.Queries, guesses []guess, now time.Time) (by *guess, err error) {
	// Right ones first, so that a code that is right for one factor costs the
	// others nothing.
	slices.SortStableFunc(guesses, func(a, b guess) int {
		switch {
		case a.right == b.right:
			return 0
		case a.right:
			return -1
		}
		return 1
	})
	var refused error
	evaluated := false
	for i := range guesses {
		g := &guesses[i]
		if err := e.admitChallenge(ctx, q, *g, now); err != nil {
			if !errors.Is(err, ErrRateLimited) && !store.NoRow(err) {
				return nil, err
			}
			refused = sooner(refused, err)
			continue
		}
		evaluated = true
		approved, err := settle(ctx, q, g)
		if err != nil || approved {
			return g, err
		}
	}
	if !evaluated {
		return nil, refused
	}
	return nil, nil
}

// sooner is the refusal that ends first: a window that refills before a lock,
// which time does not lift, and any of them before a factor that is gone.
func sooner(a, b error) error {
	rank := func(err error) time.Duration {
		var refused *Error
		switch {
		case !errors.As(err, &refused):
			return math.MaxInt64
		case refused.RetryAfter > 0:
			return refused.RetryAfter
		}
		return math.MaxInt64 - 1
	}
	if a == nil || rank(b) < rank(a) {
		return b
	}
	return a
}
