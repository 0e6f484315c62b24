package verify

import (
	"context"
	"errors"
	"time"

	"github.com/seed4eca3270/verify/internal/secret"
	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// A factorRow is a factor as it is stored, with its state and what names its
// owner.
type factorRow struct {
	Factor      store.Factor
	FactorState store.FactorState
	EntityTail  int64
	Identity    string
}

func (r factorRow) sid() string {
	return sid.SID{Key: r.Factor.ID, Tail: r.Factor.Tail}.String("YF")
}

func (r factorRow) config() TOTPConfig {
	return TOTPConfig{
		Alg: r.Factor.TOTPAlg, TimeStep: int(r.Factor.TOTPTimeStep),
		CodeLength: int(r.Factor.TOTPCodeLength), Skew: int(r.Factor.TOTPSkew),
	}
}

// check refuses a row that this package cannot have written, before anything is
// decided by it.
func (r factorRow) check() error {
	s, status := r.FactorState, Status(r.Factor.Status)
	if r.config().check() != nil || s.LastStep < -1 || min(s.Failures, s.HourCount, s.DayCount) < 0 ||
		status != Unverified && status != Verified || FactorType(r.Factor.FactorType) != TOTP {
		return internal(ErrCorrupt, errors.New("impossible state of factor "+r.sid()))
	}
	return nil
}

// factorRow reads a factor that is fit to be used.
func (e *Engine) factorRow(ctx context.Context, serviceSID, identity, factorSID string) (factorRow, error) {
	row, err := e.findFactor(ctx, serviceSID, identity, factorSID)
	if err != nil {
		return row, err
	}
	return row, row.check()
}

// freshEnrolments is the key behind which unverified factors still exist. Older
// ones are gone for every purpose, swept or not.
func (e *Engine) freshEnrolments(now time.Time) int64 {
	if keep := e.cfg.Retention.UnverifiedFactors; keep > 0 {
		return sid.KeyAt(now.Add(-keep))
	}
	return 0
}

// findFactor reads a factor, if it exists under just this service and entity.
func (e *Engine) findFactor(ctx context.Context, serviceSID, identity, factorSID string) (row factorRow, err error) {
	service, err := checkOwner(serviceSID, identity)
	if err != nil {
		return row, err
	}
	id, ok := sid.Parse("YF", factorSID)
	if !ok {
		return row, errNotFound()
	}
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) error {
		r, err := q.GetFactor(ctx, store.GetFactorParams{
			ID: id.Key, Tail: id.Tail, IdentityKey: identityKey(identity), ServiceID: service.Key, ServiceTail: service.Tail,
			Fresh: e.freshEnrolments(e.now()),
		})
		row = factorRow(r)
		return err
	})
	return row, err
}

// factorRows reads factors of an entity behind a key, in order of creation if up,
// else the other way round.
func (e *Engine) factorRows(ctx context.Context, entity store.Entity, from int64, up bool, limit int64) (rows []factorRow, err error) {
	fresh := e.freshEnrolments(e.now())
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		var found []store.ListFactorsRow
		if up {
			found, err = q.ListFactors(ctx, store.ListFactorsParams{EntityID: entity.ID, After: from, Fresh: fresh, PageSize: limit})
		} else {
			var down []store.ListFactorsDescendingRow
			down, err = q.ListFactorsDescending(ctx, store.ListFactorsDescendingParams{EntityID: entity.ID, Before: from, Fresh: fresh, PageSize: limit})
			for _, r := range down {
				found = append(found, store.ListFactorsRow(r))
			}
		}
		for _, r := range found {
			row := factorRow{Factor: r.Factor, FactorState: r.FactorState, EntityTail: entity.Tail, Identity: entity.Identity}
			if err := row.check(); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return err
	})
	return rows, err
}

// factor is a row as callers see it.
func (e *Engine) factor(serviceSID string, r factorRow) (Factor, error) {
	f := Factor{
		SID:          r.sid(),
		AccountSID:   e.accountSID,
		ServiceSID:   serviceSID,
		EntitySID:    sid.SID{Key: r.Factor.EntityID, Tail: r.EntityTail}.String("YE"),
		Identity:     r.Identity,
		FriendlyName: r.Factor.FriendlyName,
		FactorType:   FactorType(r.Factor.FactorType),
		Status:       Status(r.Factor.Status),
		Locked:       r.FactorState.Failures >= e.budget(r),
		TOTP:         new(r.config()),
		DateCreated:  store.Time(r.Factor.CreatedAt),
		DateUpdated:  store.Time(r.Factor.UpdatedAt),
	}
	return f, decode(r.Factor.Metadata, &f.Metadata)
}

// openSeed opens a factor's secret.
func (e *Engine) openSeed(r factorRow) ([]byte, error) {
	seed, err := e.keys.Open(seedPlace(sid.SID{Key: r.Factor.ID, Tail: r.Factor.Tail}), r.Factor.Seed)
	return seed, unsealed(err)
}

// unsealed tells a key that is missing here, which whoever runs the program can
// give it, from a value that is not what was sealed.
func unsealed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, secret.ErrUnknownKey):
		return internal(ErrUnavailable, err)
	}
	return internal(ErrCorrupt, err)
}

func seedPlace(factor sid.SID) secret.Place {
	return secret.Place{Table: "factors", Column: "seed", Row: factor.Bytes()}
}
