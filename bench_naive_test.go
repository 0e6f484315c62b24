package verify_test

import (
	"context"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/seed4eca3270/verify"
)

// benchNaive is what a careful application developer writes: database/sql as its
// documentation shows it, a transaction for each request, a busy timeout, and one
// connection, because with more most requests would fail for a database that is
// locked. Its SIDs are random.
type benchNaive struct {
	benchTwin
	db *sql.DB
}

// newBenchNaive takes the journal mode: WAL if its developer has read about it,
// DELETE if everything was left as it is.
func newBenchNaive(b *testing.B, d benchData, journal string) *benchNaive {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+benchPath(b)+"?_pragma=busy_timeout(10000)&_pragma=journal_mode("+journal+")")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { benchClose(b, db) })
	n := &benchNaive{benchTwin: newBenchTwin(d, benchRandomSID), db: db}
	n.fill(b, db, d)
	if _, err := db.ExecContext(b.Context(), "CREATE INDEX challenges_of_factor ON challenges (factor_sid)"); err != nil {
		b.Fatal(err)
	}
	return n
}

func (n *benchNaive) transaction(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := n.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (n *benchNaive) open(sealed []byte, sid string) ([]byte, error) {
	aead, err := benchAEAD(n.key)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, sealed, []byte(sid))
}

// look reads a factor and checks a code.
func (n *benchNaive) look(ctx context.Context, tx *sql.Tx, sid, identity, code string, now time.Time) (f benchTwinFactor, err error) {
	if err := f.scan(tx.QueryRowContext(ctx, benchTwinRead, sid, identity)); err != nil {
		return f, err
	}
	seed, err := n.open(f.seed, sid)
	if err != nil {
		return f, err
	}
	ok, err := totp.ValidateCustom(code, base32.StdEncoding.EncodeToString(seed), now,
		totp.ValidateOpts{Period: benchPeriod, Skew: 1, Digits: otp.DigitsSix})
	if err == nil && !ok {
		err = errBenchLate
	}
	return f, err
}

func (n *benchNaive) approvals(b *testing.B, count int) func(i int) error {
	b.Helper()
	ctx, guesses := b.Context(), n.turn.next(b, count)
	return func(i int) error { return n.approve(ctx, guesses[i]) }
}

func (n *benchNaive) approve(ctx context.Context, g benchGuess) error {
	now, factor := benchTime(g.step), n.factorSIDs[g.factor]
	details, err := json.Marshal(benchDetails())
	if err != nil {
		return err
	}
	return n.transaction(ctx, func(tx *sql.Tx) error {
		f, err := n.look(ctx, tx, factor, n.identities[g.factor], g.code, now)
		if err != nil {
			return err
		}
		if err := benchOne(tx.ExecContext(ctx, benchTwinSpend, g.step, now.Unix(), factor, g.step)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, benchTwinBump, factor, now.Unix()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, benchTwinInsert, n.newSID("YC", now), f.entity, factor, verify.Approved, string(details),
			now.Add(5*time.Minute).Unix(), now.Unix(), now.Unix())
		return err
	})
}

func (n *benchNaive) enrolments(b *testing.B, count int) func(i int) error {
	b.Helper()
	ctx, now := b.Context(), benchTime(benchFirstStep)
	conn, err := n.db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer benchClose(b, conn)
	sids, identities, codes := n.newcomers(b, conn, count)
	return func(i int) error {
		return n.transaction(ctx, func(tx *sql.Tx) error {
			if _, err := n.look(ctx, tx, sids[i], identities[i], codes[i], now); err != nil {
				return err
			}
			return benchOne(tx.ExecContext(ctx, benchTwinProve, benchFirstStep, now.Unix(), sids[i], benchFirstStep))
		})
	}
}

func (n *benchNaive) factors(b *testing.B, count int) func(i int) error {
	b.Helper()
	ctx, some := b.Context(), n.turn.some(count)
	return func(i int) error {
		var f benchTwinFactor
		return f.scan(n.db.QueryRowContext(ctx, benchTwinRead, n.factorSIDs[some[i]], n.identities[some[i]]))
	}
}

func (n *benchNaive) lists(b *testing.B, count int) func(i int) error {
	b.Helper()
	ctx, some := b.Context(), n.turn.some(count)
	return func(i int) error {
		found, err := benchChallengesOf(n.db.QueryContext(ctx, benchTwinList, n.entitySIDs[some[i]]))
		return benchFull(len(found), err)
	}
}
