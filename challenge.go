package verify

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// A Challenge asks an entity to prove itself with one of its factors.
type Challenge struct {
	SID            string // YC and 32 hexadecimal digits
	AccountSID     string
	ServiceSID     string
	EntitySID      string
	Identity       string
	FactorSID      string
	FactorType     FactorType
	Status         Status // Pending, Approved, Denied or Expired
	WrongCodes     int    // of Limits.ChallengeAttempts
	Details        Details
	HiddenDetails  map[string]string
	Metadata       map[string]string // given with the answer
	ExpirationDate time.Time
	DateCreated    time.Time
	DateUpdated    time.Time
	DateResponded  time.Time // zero until answered
}

// ChallengeParams describe a challenge to be created.
type ChallengeParams struct {
	FactorSID string // a verified factor of the entity
	// AuthPayload is the code, if the user has entered it already: a right one
	// approves the challenge at once.
	AuthPayload string
	// ExpirationDate is at most 60 minutes ahead. Zero: in 5 minutes.
	ExpirationDate time.Time
	Details        Details
	HiddenDetails  map[string]string // for the application, not shown; at most 1024 characters as JSON
}

// Format masks the value under every verb.
func (p ChallengeParams) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue masks the code in logs.
func (p ChallengeParams) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText masks the code in JSON and other encodings.
func (p ChallengeParams) MarshalText() ([]byte, error) { return []byte(mask), nil }

const (
	challengeLife    = 5 * time.Minute
	maxChallengeLife = time.Hour
	// clockTolerance is how far ahead of the clock a challenge may have been
	// created and still be honoured: processes that share a file disagree a
	// little. Beyond it the clock has gone back, and the expiry says nothing.
	clockTolerance = time.Minute
)

// CreateChallenge makes a challenge for a verified factor. With an AuthPayload it
// is answered in the same commit: the challenge comes back Approved if the code
// was right and unspent, else Pending with the wrong code counted.
//
// It fails with ErrNotFound, ErrInvalid (20001, 60306), ErrForbidden (60318) if
// the factor is unverified, and ErrRateLimited: 60312 after too many challenges
// for the factor, 60308 if the factor is locked. Then nothing is stored, and the
// code was not looked at as far as anyone can tell.
func (e *Engine) CreateChallenge(ctx context.Context, serviceSID, identity string, p ChallengeParams) (Challenge, error) {
	now := e.now()
	if err := checkIdentity(identity); err != nil {
		return Challenge{}, err
	}
	row, err := newChallengeRow(p, now)
	if err != nil {
		return Challenge{}, err
	}
	f, err := e.factorRow(ctx, serviceSID, identity, p.FactorSID)
	if err != nil {
		return Challenge{}, err
	}
	if f.Factor.Status != string(Verified) {
		return Challenge{}, errUnverified()
	}
	g := guess{factor: f, budget: e.budget(f)}
	if p.AuthPayload != "" {
		if g, err = e.look(f, p.AuthPayload, now); err != nil {
			return Challenge{}, err
		}
	}
	row.EntityID, row.FactorID = f.Factor.EntityID, f.Factor.ID
	stored := row
	err = e.insert(ctx, now, func(id sid.SID) (store.Func, error) {
		return func(ctx context.Context, q *store.Queries) error {
			stored = row
			stored.ID, stored.Tail = id.Key, id.Tail
			if err := e.admitChallenge(ctx, q, g, now); err != nil {
				return err
			}
			if p.AuthPayload != "" {
				approved, err := settle(ctx, q, &g)
				if err != nil {
					return err
				}
				stored.setAnswer(approved, now)
			}
			return inserted(q.InsertChallenge(ctx, stored.insertParams()))
		}, nil
	})
	if err != nil {
		return Challenge{}, err
	}
	e.report(ctx, g)
	return e.challenge(serviceSID, stored, f, now)
}

// A ChallengeResponse answers a challenge. At least one field is needed; Metadata
// alone leaves the challenge pending.
type ChallengeResponse struct {
	AuthPayload string            // the code
	Metadata    map[string]string // what the application wants to remember; at most 1024 characters as JSON
}

// Format masks the value under every verb.
func (r ChallengeResponse) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue masks the code in logs.
func (r ChallengeResponse) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText masks the code in JSON and other encodings.
func (r ChallengeResponse) MarshalText() ([]byte, error) { return []byte(mask), nil }

// RespondChallenge answers a pending challenge. A wrong code is no error: the
// challenge comes back Pending, the code counted.
//
// It fails with ErrNotFound, ErrInvalid (20001, 60306), ErrForbidden if the
// challenge is answered (60322) or expired (60323), and ErrRateLimited (60308)
// after 5 wrong codes or if the factor is locked.
func (e *Engine) RespondChallenge(ctx context.Context, serviceSID, identity, challengeSID string, r ChallengeResponse) (Challenge, error) {
	now := e.now()
	if r.AuthPayload == "" && r.Metadata == nil {
		return Challenge{}, missing("AuthPayload")
	}
	metadata, err := encodeMap("Metadata", r.Metadata)
	if err != nil {
		return Challenge{}, err
	}
	row, f, err := e.challengeRow(ctx, serviceSID, identity, challengeSID)
	if err != nil {
		return Challenge{}, err
	}
	// What is over now needs no transaction to be told so.
	if err := e.whyClosed(row, now); err != nil {
		return Challenge{}, err
	}
	g := guess{factor: f, budget: e.budget(f)}
	if r.AuthPayload != "" {
		if g, err = e.look(f, r.AuthPayload, now); err != nil {
			return Challenge{}, err
		}
	}
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		var rows int64
		if r.AuthPayload == "" {
			rows, err = q.SetChallengeMetadata(ctx, store.SetChallengeMetadataParams{
				Metadata: metadata, Now: store.Micros(now), Latest: latest(now), ID: row.ID,
			})
		} else {
			rows, err = e.answer(ctx, q, row, &g, metadata, now)
		}
		if err != nil {
			return err
		}
		stored, err := q.GetChallengeRow(ctx, row.ID)
		if err != nil {
			return err
		}
		row = challengeRow(stored)
		if rows == 0 {
			// The challenge was closed meanwhile: nothing of this answer stays.
			if err := e.whyClosed(row, now); err != nil {
				return err
			}
			return errUnexplained
		}
		return nil
	})
	if err != nil {
		return Challenge{}, err
	}
	e.report(ctx, g)
	return e.challenge(serviceSID, row, f, now)
}

// answer settles a guess and moves the challenge accordingly.
func (e *Engine) answer(ctx context.Context, q *store.Queries, row challengeRow, g *guess, metadata string, now time.Time) (rows int64, err error) {
	approved, err := settle(ctx, q, g)
	if err != nil {
		return 0, err
	}
	limit := int64(e.cfg.Limits.ChallengeAttempts)
	if approved {
		return q.ApproveChallenge(ctx, store.ApproveChallengeParams{
			Now: store.Micros(now), Metadata: metadata, ID: row.ID, MaxAttempts: limit, Latest: latest(now),
		})
	}
	return q.CountChallengeAttempt(ctx, store.CountChallengeAttemptParams{
		Now: store.Micros(now), Metadata: metadata, ID: row.ID, MaxAttempts: limit, Latest: latest(now),
	})
}

func latest(now time.Time) int64 { return store.Micros(now.Add(clockTolerance)) }

// admitChallenge counts one more challenge in the factor's windows.
func (e *Engine) admitChallenge(ctx context.Context, q *store.Queries, g guess, now time.Time) error {
	perHour, perDay := e.cfg.Limits.ChallengesPerHour, e.cfg.Limits.ChallengesPerDay
	if g.factor.Factor.TOTPCodeLength <= 4 {
		perHour, perDay = e.cfg.Limits.ShortCodeChallengesPerDay, e.cfg.Limits.ShortCodeChallengesPerDay
	}
	id := g.factor.Factor.ID
	rows, err := q.AdmitChallenge(ctx, store.AdmitChallengeParams{
		Hour: time.Hour.Microseconds(), Day: day.Microseconds(), Now: store.Micros(now),
		HourMax: int64(perHour), DayMax: int64(perDay), FactorID: id, MaxFailures: g.budget,
	})
	if err != nil || rows == 1 {
		return err
	}
	state, err := q.GetFactorState(ctx, id)
	if err != nil {
		return err
	}
	if state.Failures >= g.budget {
		return errLocked(CodeChallengeAttempts)
	}
	refused := refuse(ErrRateLimited, CodeChallengesCreated, "Too many challenges, or codes checked, for the factor")
	if state.HourCount >= int64(perHour) {
		refused.RetryAfter = store.Time(state.HourStart).Add(time.Hour).Sub(now)
	}
	if state.DayCount >= int64(perDay) {
		refused.RetryAfter = max(refused.RetryAfter, store.Time(state.DayStart).Add(day).Sub(now))
	}
	return refused
}

func errUnverified() *Error {
	return refuse(ErrForbidden, CodeFactorUnverified, "Factor is unverified")
}
