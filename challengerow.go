package verify

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// A challengeRow is a challenge as it is stored.
type challengeRow store.Challenge

// newChallengeRow checks the parameters that concern the challenge alone.
func newChallengeRow(p ChallengeParams, now time.Time) (row challengeRow, err error) {
	if p.FactorSID == "" {
		return row, missing("FactorSid")
	}
	expires := p.ExpirationDate.Truncate(time.Microsecond) // as it is stored
	if expires.IsZero() {
		expires = now.Add(challengeLife)
	}
	if !expires.After(now) || expires.After(now.Add(maxChallengeLife)) {
		return row, invalid(CodeInvalidRequest, "ExpirationDate", "want at most 60 minutes ahead")
	}
	row = challengeRow{Status: string(Pending), ExpiresAt: store.Micros(expires), CreatedAt: store.Micros(now), UpdatedAt: store.Micros(now)}
	if row.Details, err = p.Details.encode(); err != nil {
		return row, err
	}
	row.HiddenDetails, err = encodeMap("HiddenDetails", p.HiddenDetails)
	return row, err
}

// setAnswer makes a row that is not stored yet one that has been answered.
func (r *challengeRow) setAnswer(approved bool, now time.Time) {
	if !approved {
		r.Attempts = 1
		return
	}
	r.Status, r.RespondedAt = string(Approved), store.Micros(now)
}

func (r challengeRow) insertParams() store.InsertChallengeParams {
	return store.InsertChallengeParams{
		ID: r.ID, Tail: r.Tail, EntityID: r.EntityID, FactorID: r.FactorID, Status: r.Status, Attempts: r.Attempts,
		ExpiresAt: r.ExpiresAt, RespondedAt: r.RespondedAt, Details: r.Details, HiddenDetails: r.HiddenDetails, CreatedAt: r.CreatedAt,
	}
}

// check refuses a row that this package cannot have written.
func (r challengeRow) check() error {
	switch Status(r.Status) {
	case Pending, Approved, Denied:
		if r.Attempts >= 0 {
			return nil
		}
	}
	return internal(ErrCorrupt, errors.New("impossible state of challenge "+sid.SID{Key: r.ID, Tail: r.Tail}.String("YC")))
}

// status is what the row amounts to now. Expiry is decided here and in the
// conditions of the queries, which say the same.
func (r challengeRow) status(now time.Time) Status {
	if Status(r.Status) == Pending && (r.ExpiresAt <= store.Micros(now) || r.CreatedAt > latest(now)) {
		return Expired
	}
	return Status(r.Status)
}

// whyClosed says why a challenge takes no answer, or nil if it takes one.
func (e *Engine) whyClosed(r challengeRow, now time.Time) error {
	switch r.status(now) {
	case Pending:
		if r.Attempts >= int64(e.cfg.Limits.ChallengeAttempts) {
			return refuse(ErrRateLimited, CodeChallengeAttempts, "Too many wrong codes for the challenge")
		}
		return nil
	case Expired:
		return refuse(ErrForbidden, CodeChallengeExpired, "Challenge expired")
	default:
		return refuse(ErrForbidden, CodeChallengeResponded, "Challenge already responded")
	}
}

// challengeRow reads a challenge and its factor, if it exists under just this
// service and entity and its factor still does.
func (e *Engine) challengeRow(ctx context.Context, serviceSID, identity, challengeSID string) (row challengeRow, f factorRow, err error) {
	service, err := checkOwner(serviceSID, identity)
	if err != nil {
		return row, f, err
	}
	id, ok := sid.Parse("YC", challengeSID)
	if !ok {
		return row, f, errNotFound()
	}
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) error {
		r, err := q.GetChallenge(ctx, store.GetChallengeParams{
			ID: id.Key, Tail: id.Tail, IdentityKey: identityKey(identity), ServiceID: service.Key, ServiceTail: service.Tail,
		})
		row = challengeRow(r.Challenge)
		if err != nil {
			return err
		}
		f = factorRow{Factor: r.Factor, FactorState: r.FactorState, EntityTail: r.EntityTail, Identity: r.Identity}
		return cmp.Or(row.check(), f.check())
	})
	return row, f, err
}

// challenge is a row as callers see it.
func (e *Engine) challenge(serviceSID string, r challengeRow, f factorRow, now time.Time) (Challenge, error) {
	if err := r.check(); err != nil { // rows of lists come here first
		return Challenge{}, err
	}
	c := Challenge{
		SID:            sid.SID{Key: r.ID, Tail: r.Tail}.String("YC"),
		AccountSID:     e.accountSID,
		ServiceSID:     serviceSID,
		EntitySID:      sid.SID{Key: r.EntityID, Tail: f.EntityTail}.String("YE"),
		Identity:       f.Identity,
		FactorSID:      f.sid(),
		FactorType:     FactorType(f.Factor.FactorType),
		Status:         r.status(now),
		WrongCodes:     int(r.Attempts),
		ExpirationDate: store.Time(r.ExpiresAt),
		DateCreated:    store.Time(r.CreatedAt),
		DateUpdated:    store.Time(r.UpdatedAt),
		DateResponded:  store.Time(r.RespondedAt),
	}
	if err := decode(r.Details, &c.Details); err != nil {
		return Challenge{}, err
	}
	if err := decode(r.HiddenDetails, &c.HiddenDetails); err != nil {
		return Challenge{}, err
	}
	return c, decode(r.Metadata, &c.Metadata)
}
