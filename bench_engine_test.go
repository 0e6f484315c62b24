package verify_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/secret"
	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/internal/totp"
	"github.com/seed4eca3270/verify/store"
)

// A benchEngine is an Engine on a file with data, and the names of that data.
type benchEngine struct {
	*verify.Engine
	db         *store.DB
	path       string
	service    string
	identities []string
	entityIDs  []sid.SID
	factorIDs  []sid.SID
	factorSIDs []string
	challenges []benchChallenge
	turn       *benchTurn
	step       atomic.Int64 // what the engine's clock shows
	enrolled   int
}

type benchChallenge struct {
	factor int
	sid    string
}

// newBenchEngine fills a new file before an engine opens it: through the engine
// it would take too long. The store may have options of its own.
func newBenchEngine(b *testing.B, d benchData, o store.Options) *benchEngine {
	b.Helper()
	ctx := b.Context()
	e := &benchEngine{path: benchPath(b), turn: newBenchTurn(d.factors)}
	e.step.Store(benchFirstStep)
	e.open(b, store.Options{})
	service, err := e.CreateService(ctx, verify.ServiceParams{FriendlyName: "Bench"})
	if err != nil {
		b.Fatal(err)
	}
	e.service = service.SID
	benchClose(b, e.db)

	e.fill(b, d)
	e.open(b, o)
	b.Cleanup(func() { benchClose(b, e.db) })
	return e
}

func (e *benchEngine) open(b *testing.B, o store.Options) {
	b.Helper()
	keys, err := verify.ParseKeys(benchKey)
	if err != nil {
		b.Fatal(err)
	}
	if e.db, err = store.OpenSQLite(b.Context(), e.path, o); err != nil {
		b.Fatal(err)
	}
	e.Engine, err = verify.New(b.Context(), e.db, verify.Config{
		Keys:  keys,
		Clock: func() time.Time { return benchTime(e.step.Load()) },
		Limits: verify.Limits{
			ChallengesPerHour: -1, ChallengesPerDay: -1, TOTPFactors: -1, FactorsPerDay: -1,
		},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// direct calls f with a connection and queries of its own, past the engine.
func (e *benchEngine) direct(b *testing.B, f func(conn *sql.Conn, q *store.Queries)) {
	b.Helper()
	connector, err := sqlite.NewConnector("file:" + e.path)
	if err != nil {
		b.Fatal(err)
	}
	pool := sql.OpenDB(benchPragmas{connector, []string{
		"PRAGMA busy_timeout = 10000", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -65536",
	}})
	defer benchClose(b, pool)
	conn, err := pool.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer benchClose(b, conn)
	q, err := store.Prepare(b.Context(), conn)
	if err != nil {
		b.Fatal(err)
	}
	defer benchClose(b, q)
	f(conn, q)
}

func (e *benchEngine) fill(b *testing.B, d benchData) {
	b.Helper()
	ctx := b.Context()
	ring, err := secret.ParseKeyring(benchKey)
	if err != nil {
		b.Fatal(err)
	}
	service, _ := sid.Parse("VA", e.service)
	random := sid.NewGenerator(benchRandom())
	newSID := func(at time.Time) sid.SID {
		id, err := random.New(at)
		if err != nil {
			b.Fatal(err)
		}
		return id
	}
	// Factors a day old, challenges of the last hour.
	now := benchTime(benchFirstStep)
	for i := range d.factors {
		e.identities = append(e.identities, benchIdentity(i))
		e.entityIDs = append(e.entityIDs, newSID(now.Add(-24*time.Hour)))
		factor := newSID(now.Add(-24 * time.Hour))
		e.factorIDs = append(e.factorIDs, factor)
		e.factorSIDs = append(e.factorSIDs, factor.String("YF"))
	}
	e.direct(b, func(conn *sql.Conn, q *store.Queries) {
		benchFill(b, conn, d.factors, func(i int) error {
			entity, factor := e.entityIDs[i], e.factorIDs[i]
			at := store.Micros(now.Add(-24 * time.Hour))
			_, err := q.InsertEntity(ctx, store.InsertEntityParams{
				ID: entity.Key, Tail: entity.Tail, ServiceID: service.Key,
				Identity: e.identities[i], IdentityKey: e.identities[i], CreatedAt: at,
			})
			if err != nil {
				return err
			}
			place := secret.Place{Table: "factors", Column: "seed", Row: factor.Bytes()}
			_, err = q.InsertFactor(ctx, store.InsertFactorParams{
				ID: factor.Key, Tail: factor.Tail, EntityID: entity.Key, FactorType: string(verify.TOTP),
				FriendlyName: e.identities[i], TOTPAlg: string(totp.SHA1), TOTPSkew: 1, TOTPCodeLength: 6, TOTPTimeStep: benchPeriod,
				Seed: ring.Seal(place, benchSeed(i)), SeedKey: 1, SeedMAC: benchSeed(i), CreatedAt: at,
			})
			if err != nil {
				return err
			}
			err = q.InsertFactorState(ctx, store.InsertFactorStateParams{FactorID: factor.Key, LastStep: benchFirstStep - 1})
			if err != nil {
				return err
			}
			_, err = q.MarkFactorVerified(ctx, store.MarkFactorVerifiedParams{Now: at, ID: factor.Key})
			return err
		})
		e.fillChallenges(b, conn, q, d.challenges, now.Add(-time.Hour))
	})
}

// fillChallenges adds approved challenges made at one time.
func (e *benchEngine) fillChallenges(b *testing.B, conn *sql.Conn, q *store.Queries, n int, at time.Time) {
	b.Helper()
	random := sid.NewGenerator(benchRandom())
	details := benchDetailsText()
	e.challenges = make([]benchChallenge, 0, n)
	benchFill(b, conn, n, func(i int) error {
		factor := e.turn.order[i%len(e.turn.order)]
		id, err := random.New(at)
		if err != nil {
			return err
		}
		e.challenges = append(e.challenges, benchChallenge{factor, id.String("YC")})
		rows, err := q.InsertChallenge(b.Context(), store.InsertChallengeParams{
			ID: id.Key, Tail: id.Tail, EntityID: e.entityIDs[factor].Key, FactorID: e.factorIDs[factor].Key,
			Status: string(verify.Approved), ExpiresAt: store.Micros(at.Add(5 * time.Minute)),
			RespondedAt: store.Micros(at), Details: details, CreatedAt: store.Micros(at),
		})
		if err == nil && rows == 0 {
			err = fmt.Errorf("challenge %d exists", i)
		}
		return err
	})
}

// until moves the clock forward.
func (e *benchEngine) until(step int64) {
	for shown := e.step.Load(); shown < step && !e.step.CompareAndSwap(shown, step); {
		shown = e.step.Load()
	}
}

func (e *benchEngine) approvals(b *testing.B, n int) func(i int) error {
	b.Helper()
	ctx, guesses := b.Context(), e.turn.next(b, n)
	return func(i int) error { return e.approve(ctx, guesses[i]) }
}

func (e *benchEngine) approve(ctx context.Context, g benchGuess) error {
	e.until(g.step)
	c, err := e.CreateChallenge(ctx, e.service, e.identities[g.factor], verify.ChallengeParams{
		FactorSID: e.factorSIDs[g.factor], AuthPayload: g.code, Details: benchDetails(),
	})
	if err == nil && c.Status != verify.Approved {
		err = errBenchLate
	}
	return err
}

func (e *benchEngine) enrolments(b *testing.B, n int) func(i int) error {
	b.Helper()
	ctx := b.Context()
	first, step := e.enrolled, e.step.Load()
	e.enrolled += n
	sids, codes := make([]string, n), make([]string, n)
	identity := func(i int) string { return fmt.Sprintf("new-%08d", first+i) }
	for i := range codes {
		codes[i] = benchCode(b, first+i, step)
	}
	benchAll(b, n, func(i int) error {
		f, err := e.CreateFactor(ctx, e.service, identity(i), verify.FactorParams{
			FriendlyName: "new", TOTP: &verify.TOTPParams{Secret: totp.FormatSecret(benchSeed(first + i))},
		})
		sids[i] = f.SID
		return err
	})
	return func(i int) error {
		f, err := e.VerifyFactor(ctx, e.service, identity(i), sids[i], codes[i])
		if err == nil && f.Status != verify.Verified {
			err = fmt.Errorf("factor is %s", f.Status)
		}
		return err
	}
}

func (e *benchEngine) factors(b *testing.B, n int) func(i int) error {
	b.Helper()
	ctx, some := b.Context(), e.turn.some(n)
	return func(i int) error {
		_, err := e.GetFactor(ctx, e.service, e.identities[some[i]], e.factorSIDs[some[i]])
		return err
	}
}

func (e *benchEngine) lists(b *testing.B, n int) func(i int) error {
	b.Helper()
	ctx, some := b.Context(), e.turn.some(n)
	return func(i int) error {
		page, err := e.ListChallenges(ctx, e.service, e.identities[some[i]],
			verify.ChallengeFilter{NewestFirst: true}, verify.PageParams{Size: 20})
		return benchFull(len(page.Items), err)
	}
}

// gets reads challenges that the file was filled with.
func (e *benchEngine) gets(b *testing.B, n int) func(i int) error {
	b.Helper()
	ctx := b.Context()
	return func(i int) error {
		c := e.challenges[i*7919%len(e.challenges)] // a prime: all over the file
		_, err := e.GetChallenge(ctx, e.service, e.identities[c.factor], c.sid)
		return err
	}
}
