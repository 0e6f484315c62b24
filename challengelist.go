package verify

import (
	"context"
	"iter"
	"math"
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
	entity, err := e.entityRow(ctx, serviceSID, identity)
	if err != nil {
		return Page[Challenge]{}, err
	}
	l, err := e.challengeList(filter, entity)
	if err != nil {
		return Page[Challenge]{}, err
	}
	size, from, err := e.cursor(p, l.start, l.scope...)
	if err != nil {
		return Page[Challenge]{}, err
	}
	rows, err := l.rows(ctx, e, from, size+1)
	if err != nil {
		return Page[Challenge]{}, err
	}
	convert := func(r store.ListChallengesRow) (Challenge, error) {
		return e.challenge(serviceSID, challengeRow(r.Challenge), factorRow{
			Factor:     store.Factor{ID: r.Challenge.FactorID, Tail: r.FactorTail, FactorType: r.FactorType},
			EntityTail: entity.Tail, Identity: entity.Identity,
		}, l.now)
	}
	return page(e, rows, size, func(r store.ListChallengesRow) int64 { return r.Challenge.ID }, convert, l.scope...)
}

// Challenges yields all challenges of an entity that the filter takes.
func (e *Engine) Challenges(ctx context.Context, serviceSID, identity string, filter ChallengeFilter) iter.Seq2[Challenge, error] {
	return walk(func(p PageParams) (Page[Challenge], error) {
		return e.ListChallenges(ctx, serviceSID, identity, filter, p)
	})
}

// A challengeList is a filter made ready for the database.
type challengeList struct {
	now     time.Time
	entity  int64
	factor  sid.SID // zero: any
	status  string
	newest  bool
	start   int64 // the key that the first page starts behind
	scope   [][]byte
	nothing bool // the filter names what cannot be
}

func (e *Engine) challengeList(filter ChallengeFilter, entity store.Entity) (challengeList, error) {
	l := challengeList{now: e.now(), entity: entity.ID, status: string(filter.Status), newest: filter.NewestFirst, start: -1}
	order := "oldest"
	if filter.NewestFirst {
		l.start, order = math.MaxInt64, "newest"
	}
	switch filter.Status {
	case "", Pending, Approved, Denied, Expired:
	default:
		return l, invalid(CodeInvalidRequest, "Status", "want pending, approved, denied or expired")
	}
	if filter.FactorSID != "" {
		factor, ok := sid.Parse("YF", filter.FactorSID)
		l.factor, l.nothing = factor, !ok
	}
	l.scope = [][]byte{[]byte("challenges"), []byte(order), scopeKey(entity.ID), []byte(filter.FactorSID), []byte(l.status)}
	return l, nil
}

func (l challengeList) rows(ctx context.Context, e *Engine, from int64, limit int) (rows []store.ListChallengesRow, err error) {
	if l.nothing {
		return nil, nil
	}
	ask := store.ListChallengesParams{
		EntityID: l.entity, After: from, FactorID: l.factor.Key, Status: l.status,
		Now: store.Micros(l.now), Latest: latest(l.now), PageSize: int64(limit),
	}
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) error {
		if !l.newest {
			rows, err = q.ListChallenges(ctx, ask)
			return err
		}
		found, err := q.ListChallengesDescending(ctx, store.ListChallengesDescendingParams{
			EntityID: ask.EntityID, Before: ask.After, FactorID: ask.FactorID, Status: ask.Status,
			Now: ask.Now, Latest: ask.Latest, PageSize: ask.PageSize,
		})
		for _, r := range found {
			rows = append(rows, store.ListChallengesRow(r))
		}
		return err
	})
	return rows, err
}
