package verify

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/seed4eca3270/verify/internal/secret"
	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/internal/totp"
	"github.com/seed4eca3270/verify/store"
)

// A Status tells how far a factor or a challenge has come.
type Status string

// The statuses. A factor is unverified or verified; a challenge pending,
// approved, denied or expired.
const (
	Unverified Status = "unverified"
	Verified   Status = "verified"
	Pending    Status = "pending"
	Approved   Status = "approved"
	Denied     Status = "denied"
	Expired    Status = "expired"
)

// A FactorType tells what a factor proves possession with.
type FactorType string

// TOTP factors are authenticator apps.
const TOTP FactorType = "totp"

// A Factor is one way in which an entity proves itself. It takes challenges once
// it is verified.
type Factor struct {
	SID          string // YF and 32 hexadecimal digits
	AccountSID   string
	ServiceSID   string
	EntitySID    string
	Identity     string
	FriendlyName string
	FactorType   FactorType
	Status       Status
	Locked       bool        // by wrong codes, until UnlockFactor
	TOTP         *TOTPConfig // of a TOTP factor
	Metadata     map[string]string
	Binding      *Binding // only from CreateFactor
	DateCreated  time.Time
	DateUpdated  time.Time
}

// FactorParams describe a factor to be created.
type FactorParams struct {
	FriendlyName string      // 1 to 64 characters; the account's name in an authenticator app
	TOTP         *TOTPParams // what makes it a TOTP factor; required
	Metadata     map[string]string
}

// A FactorUpdate changes what is not nil. A new TimeStep makes the codes of the
// moment useless: the first one accepted is of a later step.
type FactorUpdate struct {
	FriendlyName *string
	Alg          *string
	TimeStep     *int
	CodeLength   *int
	Skew         *int
}

// CreateFactor enrols a factor for an entity, which is made if there is none. Show
// the Binding to the user at once: it cannot be had again. The factor is
// unverified until VerifyFactor has seen a code of it.
//
// It fails with ErrNotFound if there is no such service, ErrInvalid (20001,
// 60306, 60314, and 60315 if the entity has as many factors as it may; old
// enrolments that nobody finished do not count),
// ErrConflict (60317) if the entity has a factor with this secret, and
// ErrRateLimited (60326) after too many in a day.
func (e *Engine) CreateFactor(ctx context.Context, serviceSID, identity string, p FactorParams) (Factor, error) {
	if err := checkIdentity(identity); err != nil {
		return Factor{}, err
	}
	if err := checkFactorName(p.FriendlyName); err != nil {
		return Factor{}, err
	}
	if p.TOTP == nil {
		return Factor{}, missing("TOTP")
	}
	metadata, err := encodeMap("Metadata", p.Metadata)
	if err != nil {
		return Factor{}, err
	}
	service, err := e.GetService(ctx, serviceSID)
	if err != nil {
		return Factor{}, err
	}
	config, err := p.TOTP.config(service.TOTP)
	if err != nil {
		return Factor{}, err
	}
	seed, err := e.seed(*p.TOTP, config.Alg)
	if err != nil {
		return Factor{}, err
	}
	row := store.Factor{
		FactorType: string(TOTP), FriendlyName: p.FriendlyName, Status: string(Unverified), Metadata: metadata,
		TOTPAlg: config.Alg, TOTPSkew: int64(config.Skew), TOTPCodeLength: int64(config.CodeLength), TOTPTimeStep: int64(config.TimeStep),
	}
	entity, err := e.enrol(ctx, service, identity, &row, seed)
	if err != nil {
		return Factor{}, err
	}
	f, err := e.factor(serviceSID, factorRow{Factor: row, EntityTail: entity.Tail, Identity: entity.Identity})
	issuer := service.TOTP.Issuer
	if issuer == "" {
		issuer = service.FriendlyName
	}
	f.Binding = &Binding{
		Secret: totp.FormatSecret(seed),
		URI:    totp.URI(issuer, p.FriendlyName, seed, config.totp()),
	}
	return f, err
}

// enrol seals the seed and stores the factor, within the entity's limits.
func (e *Engine) enrol(ctx context.Context, service Service, identity string, row *store.Factor, seed []byte) (entity store.Entity, err error) {
	now := e.now()
	serviceID, _ := sid.Parse("VA", service.SID)
	row.CreatedAt, row.UpdatedAt = store.Micros(now), store.Micros(now)
	err = e.insert(ctx, now, func(id sid.SID) (store.Func, error) {
		entityID, err := e.sids.New(now)
		if err != nil {
			return nil, internal(ErrUnavailable, err)
		}
		sealing := e.sealing.Load()
		row.ID, row.Tail, row.SeedKey = id.Key, id.Tail, int64(sealing)
		if row.Seed, err = e.keys.SealWith(sealing, seedPlace(id), seed); err != nil {
			return nil, unsealed(err)
		}
		return func(ctx context.Context, q *store.Queries) error {
			if _, err := q.GetService(ctx, store.GetServiceParams{ID: serviceID.Key, Tail: serviceID.Tail}); err != nil {
				return err
			}
			_, owner, err := ensureEntity(ctx, q, serviceID, entityID, identity, now)
			if err != nil {
				return err
			}
			entity = owner
			row.EntityID = entity.ID
			row.SeedMAC = secret.MAC(e.seedKey, "seed", scopeKey(entity.ID), seed)
			return e.admitFactor(ctx, q, entity, *row, now)
		}, nil
	})
	if ahead := store.Time(entity.FactorsWindowStart).Sub(now); errors.Is(err, ErrRateLimited) && ahead > day {
		// Left by a clock that was wrong. It would keep the entity from enrolling
		// until that day; a window that is full from now on is as strict.
		restart := store.RestartFactorsWindowParams{Now: store.Micros(now), ID: entity.ID, Window: day.Microseconds()}
		if err := e.write(ctx, func(ctx context.Context, q *store.Queries) error { return q.RestartFactorsWindow(ctx, restart) }); err != nil {
			return entity, err
		}
	}
	return entity, err
}

const day = 24 * time.Hour

// admitFactor stores a factor unless that would pass one of the entity's limits.
// Its first statement changes the entity's row, which makes callers that enrol
// for one entity wait for one another; the counts behind it are then exact.
func (e *Engine) admitFactor(ctx context.Context, q *store.Queries, entity store.Entity, row store.Factor, now time.Time) error {
	rows, err := q.AdmitFactor(ctx, store.AdmitFactorParams{
		Window: day.Microseconds(), Now: store.Micros(now), ID: entity.ID, WindowMax: int64(e.cfg.Limits.FactorsPerDay),
	})
	if err != nil {
		return err
	}
	if rows == 0 {
		refused := refuse(ErrRateLimited, CodeFactorsCreatedToday, "Too many factors were created for the entity today")
		refused.RetryAfter = min(day, store.Time(entity.FactorsWindowStart).Add(day).Sub(now))
		return refused
	}
	// What is past its time goes before it is counted, and for good: a clock that
	// is set back must not bring a second factor with the same seed to life.
	if err := q.DeleteUnfinishedFactors(ctx, store.DeleteUnfinishedFactorsParams{EntityID: entity.ID, Fresh: e.freshEnrolments(now)}); err != nil {
		return err
	}
	count, err := q.CountFactors(ctx, store.CountFactorsParams{SeedMAC: row.SeedMAC, EntityID: entity.ID, FactorType: row.FactorType})
	if err != nil {
		return err
	}
	if count.SameSeed > 0 {
		return refuse(ErrConflict, CodeFactorExists, "Factor already exists")
	}
	if count.Total >= int64(e.cfg.Limits.TOTPFactors) {
		return refuse(ErrInvalid, CodeFactorsPerEntity, "The entity has as many factors of this type as it may have")
	}
	err = inserted(q.InsertFactor(ctx, store.InsertFactorParams{
		ID: row.ID, Tail: row.Tail, EntityID: row.EntityID, FactorType: row.FactorType, FriendlyName: row.FriendlyName,
		Metadata: row.Metadata, TOTPAlg: row.TOTPAlg, TOTPSkew: row.TOTPSkew, TOTPCodeLength: row.TOTPCodeLength,
		TOTPTimeStep: row.TOTPTimeStep, Seed: row.Seed, SeedKey: row.SeedKey, SeedMAC: row.SeedMAC, CreatedAt: row.CreatedAt,
	}))
	if err != nil {
		return err
	}
	return q.InsertFactorState(ctx, store.InsertFactorStateParams{FactorID: row.ID, LastStep: -1})
}

func checkFactorName(name string) error {
	if name == "" {
		return missing("FriendlyName")
	}
	return checkText(CodeInvalidRequest, "FriendlyName", name, 64)
}

// GetFactor returns a factor, or ErrNotFound.
func (e *Engine) GetFactor(ctx context.Context, serviceSID, identity, factorSID string) (Factor, error) {
	row, err := e.factorRow(ctx, serviceSID, identity, factorSID)
	if err != nil {
		return Factor{}, err
	}
	return e.factor(serviceSID, row)
}

// ListFactors returns a page of an entity's factors, oldest first. It fails with
// ErrNotFound, and ErrInvalid (60306) for a page size or token that is none.
func (e *Engine) ListFactors(ctx context.Context, serviceSID, identity string, p PageParams) (Page[Factor], error) {
	entity, err := e.entityRow(ctx, serviceSID, identity)
	if err != nil {
		return Page[Factor]{}, err
	}
	l, err := e.listing(p, false, []byte("factors"), scopeKey(entity.ID))
	if err != nil {
		return Page[Factor]{}, err
	}
	rows, err := e.factorRows(ctx, entity, l.from, l.up, l.limit())
	if err != nil {
		return Page[Factor]{}, err
	}
	convert := func(row factorRow) (Factor, error) { return e.factor(serviceSID, row) }
	return page(e, l, rows, func(r factorRow) int64 { return r.Factor.ID }, convert)
}

// Factors yields all factors of an entity, oldest first.
func (e *Engine) Factors(ctx context.Context, serviceSID, identity string) iter.Seq2[Factor, error] {
	return walk(func(p PageParams) (Page[Factor], error) { return e.ListFactors(ctx, serviceSID, identity, p) })
}

// UpdateFactor changes a factor. It fails with ErrNotFound, with ErrInvalid as
// CreateFactor does, and with ErrConflict if others kept changing the factor.
func (e *Engine) UpdateFactor(ctx context.Context, serviceSID, identity, factorSID string, u FactorUpdate) (Factor, error) {
	for range updateTries {
		row, err := e.factorRow(ctx, serviceSID, identity, factorSID)
		if err != nil {
			return Factor{}, err
		}
		config := row.config()
		change(&row.Factor.FriendlyName, u.FriendlyName)
		change(&config.Alg, u.Alg)
		change(&config.TimeStep, u.TimeStep)
		change(&config.CodeLength, u.CodeLength)
		change(&config.Skew, u.Skew)
		if err := checkFactorName(row.Factor.FriendlyName); err != nil {
			return Factor{}, err
		}
		if err := config.check(); err != nil {
			return Factor{}, err
		}
		changed, err := e.changeFactor(ctx, &row, config)
		if err != nil {
			return Factor{}, err
		}
		if changed {
			return e.factor(serviceSID, row)
		}
	}
	return Factor{}, errChangedMeanwhile()
}

func (e *Engine) changeFactor(ctx context.Context, row *factorRow, config TOTPConfig) (changed bool, err error) {
	now := e.now()
	f := &row.Factor
	length := f.TOTPTimeStep
	restart := int64(config.TimeStep) != length
	f.TOTPAlg, f.TOTPSkew = config.Alg, int64(config.Skew)
	f.TOTPCodeLength, f.TOTPTimeStep = int64(config.CodeLength), int64(config.TimeStep)
	f.UpdatedAt = store.Micros(now)
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		rows, err := q.UpdateFactor(ctx, store.UpdateFactorParams{
			FriendlyName: f.FriendlyName, TOTPAlg: f.TOTPAlg, TOTPSkew: f.TOTPSkew, TOTPCodeLength: f.TOTPCodeLength,
			TOTPTimeStep: f.TOTPTimeStep, UpdatedAt: f.UpdatedAt, ID: f.ID, Tail: f.Tail, Revision: f.Revision,
		})
		changed = rows == 1
		if err != nil || !changed || !restart {
			return err
		}
		_, err = q.RestartSteps(ctx, store.RestartStepsParams{
			OldLength: length, NewLength: int64(config.TimeStep), NewestStep: newestStep(config, config.Skew, now), FactorID: f.ID,
		})
		return err
	})
	return changed, err
}

// newestStep is the last step whose code could be accepted now with the given skew.
func newestStep(c TOTPConfig, skew int, now time.Time) int64 {
	return max(-1, c.totp().Step(now)+int64(skew))
}

const maxSkew = 2

// DeleteFactor deletes a factor with its secret, or answers ErrNotFound. Its
// challenges, which nobody can reach from then on, follow in small steps; if ctx
// ends in between the call fails with its error, and they go when their
// retention is over.
func (e *Engine) DeleteFactor(ctx context.Context, serviceSID, identity, factorSID string) error {
	row, err := e.findFactor(ctx, serviceSID, identity, factorSID) // damaged ones too
	if err != nil {
		return err
	}
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		rows, err := q.DeleteFactor(ctx, row.Factor.ID)
		if err == nil && rows == 0 {
			err = errNotFound()
		}
		return err
	})
	if err != nil {
		return err
	}
	return e.removeChallenges(ctx, row.Factor.EntityID, row.Factor.ID)
}
