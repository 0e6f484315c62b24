package verify

import (
	"context"
	"iter"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// A ChallengeFilter selects and orders challenges. Its zero value takes all,
// oldest first.
type ChallengeFilter struct {
	FactorSID   string // only this factor's
	Status      Status // only those Pending, Approved, Denied or Expired
	NewestFirst bool
}

// GetChallenge returns a challenge, or ErrNotFound.
func (e *Engine) GetChallenge(ctx context.Context, serviceSID, identity, challengeSID string) (Challenge, error) {
	now := e.now()
	row, f, err := e.challengeRow(ctx, serviceSID, identity, challengeSID)
	if err != nil {
		return Challenge{}, err
	}
	return e.challenge(serviceSID, row, f, now)
}

// ListChallenges returns a page of an entity's challenges. It fails with
// ErrNotFound, and ErrInvalid (60306) for a filter, page size or token that is
// none. A factor that the entity does not have has no challenges.
func (e *Engine) ListChallenges(ctx context.Context, serviceSID, identity string, filter ChallengeFilter, p PageParams) (Page[Challenge], error) {
	now := e.now()
	entity, err := e.entityRow(ctx, serviceSID, identity)
	if err != nil {
		return Page[Challenge]{}, err
	}
	ask, factor, err := challengeQuery(filter, entity, now)
	if err != nil {
		return Page[Challenge]{}, err
	}
	l, err := e.listing(p, filter.NewestFirst, []byte("challenges"), scopeKey(entity.ID), scopeKey(factor.Key), []byte(ask.Status), scopeOrder(filter))
	if err != nil {
		return Page[Challenge]{}, err
	}
	ask.After, ask.PageSize = l.from, l.limit()
	rows, err := e.challengeRows(ctx, ask, l.up)
	if err != nil {
		return Page[Challenge]{}, err
	}
	convert := func(r store.ListChallengesRow) (Challenge, error) {
		return e.challenge(serviceSID, challengeRow(r.Challenge), factorRow{
			Factor:     store.Factor{ID: r.Challenge.FactorID, Tail: r.FactorTail, FactorType: r.FactorType},
			EntityTail: entity.Tail, Identity: entity.Identity,
		}, now)
	}
	return page(e, l, rows, func(r store.ListChallengesRow) int64 { return r.Challenge.ID }, convert)
}

// Challenges yields all challenges of an entity that the filter takes.
func (e *Engine) Challenges(ctx context.Context, serviceSID, identity string, filter ChallengeFilter) iter.Seq2[Challenge, error] {
	return walk(func(p PageParams) (Page[Challenge], error) {
		return e.ListChallenges(ctx, serviceSID, identity, filter, p)
	})
}

// challengeQuery makes a filter ready for the database.
func challengeQuery(filter ChallengeFilter, entity store.Entity, now time.Time) (ask store.ListChallengesParams, factor sid.SID, err error) {
	switch filter.Status {
	case "", Pending, Approved, Denied, Expired:
	default:
		return ask, factor, invalid(CodeInvalidRequest, "Status", "want pending, approved, denied or expired")
	}
	if filter.FactorSID != "" {
		if !isSID("YF", filter.FactorSID) {
			return ask, factor, invalid(CodeInvalidRequest, "FactorSid", "want YF and 32 hexadecimal digits")
		}
		var ok bool
		if factor, ok = sid.Parse("YF", filter.FactorSID); !ok || factor.Key == 0 {
			factor.Key = -1 // well-formed, but no record has it
		}
	}
	return store.ListChallengesParams{
		EntityID: entity.ID, FactorID: factor.Key, FactorTail: factor.Tail, Status: string(filter.Status),
		Now: store.Micros(now), Latest: latest(now),
	}, factor, nil
}

func (e *Engine) challengeRows(ctx context.Context, ask store.ListChallengesParams, up bool) (rows []store.ListChallengesRow, err error) {
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) error {
		if up {
			rows, err = q.ListChallenges(ctx, ask)
			return err
		}
		found, err := q.ListChallengesDescending(ctx, store.ListChallengesDescendingParams{
			EntityID: ask.EntityID, Before: ask.After, FactorID: ask.FactorID, FactorTail: ask.FactorTail,
			Status: ask.Status, Now: ask.Now, Latest: ask.Latest, PageSize: ask.PageSize,
		})
		for _, r := range found {
			rows = append(rows, store.ListChallengesRow(r))
		}
		return err
	})
	return rows, err
}

func scopeOrder(filter ChallengeFilter) []byte {
	if filter.NewestFirst {
		return []byte("newest")
	}
	return []byte("oldest")
}
