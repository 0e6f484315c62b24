package verify_test

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"encoding/json"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

// benchTuned is what somebody writes who knows SQLite and database/sql well and
// has measured: one pinned connection for writing with everything prepared on
// it, a transaction for each request, a pool with prepared statements for
// reading, SIDs that ascend, the cipher kept, and the engine's own settings.
type benchTuned struct {
	benchTwin
	aead cipher.AEAD

	mu   sync.Mutex // one request at a time has conn
	conn *sql.Conn
	begin, commit, rollback,
	read, spend, prove, bump, insert *sql.Stmt

	readFactor, list *sql.Stmt // on the pool
}

func newBenchTuned(b *testing.B, d benchData) *benchTuned {
	b.Helper()
	ctx, path := b.Context(), benchPath(b)
	t := &benchTuned{benchTwin: newBenchTwin(d, benchOrderedSID())}
	pragmas := []string{
		"PRAGMA busy_timeout = 10000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
		"PRAGMA wal_autocheckpoint = 4000", "PRAGMA cache_size = -16384",
	}
	var err error
	if t.aead, err = benchAEAD(t.key); err != nil {
		b.Fatal(err)
	}
	writer := benchPool(b, path, pragmas...)
	b.Cleanup(func() { benchClose(b, writer) })
	t.fill(b, writer, d)
	if t.conn, err = writer.Conn(ctx); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { benchClose(b, t.conn) })
	reader := benchPool(b, path, append(pragmas, "PRAGMA query_only = 1")...)
	n := max(2, runtime.GOMAXPROCS(0))
	reader.SetMaxOpenConns(n)
	reader.SetMaxIdleConns(n)
	b.Cleanup(func() { benchClose(b, reader) })

	prepare := func(on interface {
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}, text string) *sql.Stmt {
		stmt, err := on.PrepareContext(ctx, text)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { benchClose(b, stmt) })
		return stmt
	}
	t.begin = prepare(t.conn, "BEGIN IMMEDIATE")
	t.commit = prepare(t.conn, "COMMIT")
	t.rollback = prepare(t.conn, "ROLLBACK")
	t.read = prepare(t.conn, benchTwinRead)
	t.spend = prepare(t.conn, benchTwinSpend)
	t.prove = prepare(t.conn, benchTwinProve)
	t.bump = prepare(t.conn, benchTwinBump)
	t.insert = prepare(t.conn, benchTwinInsert)
	t.readFactor = prepare(reader, benchTwinRead)
	t.list = prepare(reader, benchTwinList)
	return t
}

// transaction runs f in a transaction of its own.
func (t *benchTuned) transaction(f func(ctx context.Context) error) (err error) {
	ctx := context.Background() // one that can end would cost at every statement
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.begin.ExecContext(ctx); err != nil {
		return err
	}
	if err = f(ctx); err == nil {
		_, err = t.commit.ExecContext(ctx)
	}
	if err != nil {
		_, rollbackErr := t.rollback.ExecContext(ctx)
		err = errors.Join(err, rollbackErr)
	}
	return err
}

// look reads a factor and finds the step of a code.
func (t *benchTuned) look(ctx context.Context, sid, identity, code string, now time.Time) (f benchTwinFactor, step int64, err error) {
	if err := f.scan(t.read.QueryRowContext(ctx, sid, identity)); err != nil {
		return f, 0, err
	}
	seed, err := t.aead.Open(nil, nil, f.seed, []byte(sid))
	if err != nil {
		return f, 0, err
	}
	step, ok := benchMatch(seed, code, now, f.lastStep)
	if !ok {
		return f, 0, errBenchLate
	}
	return f, step, nil
}

func (t *benchTuned) approvals(b *testing.B, n int) func(i int) error {
	b.Helper()
	guesses := t.turn.next(b, n)
	return func(i int) error { return t.approve(guesses[i]) }
}

func (t *benchTuned) approve(g benchGuess) error {
	now := benchTime(g.step)
	details, err := json.Marshal(benchDetails())
	if err != nil {
		return err
	}
	challenge, factor := t.newSID("YC", now), t.factorSIDs[g.factor]
	return t.transaction(func(ctx context.Context) error {
		f, step, err := t.look(ctx, factor, t.identities[g.factor], g.code, now)
		if err != nil {
			return err
		}
		if err := benchOne(t.spend.ExecContext(ctx, step, now.Unix(), factor, step)); err != nil {
			return err
		}
		if _, err := t.bump.ExecContext(ctx, factor, now.Unix()); err != nil {
			return err
		}
		_, err = t.insert.ExecContext(ctx, challenge, f.entity, factor, verify.Approved, string(details),
			now.Add(5*time.Minute).Unix(), now.Unix(), now.Unix())
		return err
	})
}

// benchOne is an error if an UPDATE that depends on a condition found no row.
func benchOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	if err == nil && rows != 1 {
		err = errBenchLate
	}
	return err
}

func (t *benchTuned) enrolments(b *testing.B, n int) func(i int) error {
	b.Helper()
	sids, identities, codes := t.newcomers(b, t.conn, n)
	now := benchTime(benchFirstStep)
	return func(i int) error {
		return t.transaction(func(ctx context.Context) error {
			_, step, err := t.look(ctx, sids[i], identities[i], codes[i], now)
			if err != nil {
				return err
			}
			return benchOne(t.prove.ExecContext(ctx, step, now.Unix(), sids[i], step))
		})
	}
}

func (t *benchTuned) factors(b *testing.B, n int) func(i int) error {
	b.Helper()
	some := t.turn.some(n)
	return func(i int) error {
		var f benchTwinFactor
		return f.scan(t.readFactor.QueryRowContext(context.Background(), t.factorSIDs[some[i]], t.identities[some[i]]))
	}
}

// opened reads factors and opens their seeds, which the engine does not do until
// there is a code to compare with.
func (t *benchTuned) opened(b *testing.B, n int) func(i int) error {
	b.Helper()
	some := t.turn.some(n)
	return func(i int) error {
		var f benchTwinFactor
		sid := t.factorSIDs[some[i]]
		if err := f.scan(t.readFactor.QueryRowContext(context.Background(), sid, t.identities[some[i]])); err != nil {
			return err
		}
		_, err := t.aead.Open(nil, nil, f.seed, []byte(sid))
		return err
	}
}

func (t *benchTuned) lists(b *testing.B, n int) func(i int) error {
	b.Helper()
	some := t.turn.some(n)
	return func(i int) error {
		found, err := benchChallengesOf(t.list.QueryContext(context.Background(), t.entitySIDs[some[i]]))
		return benchFull(len(found), err)
	}
}

func benchChallengesOf(rows *sql.Rows, err error) (found []benchTwinChallenge, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c benchTwinChallenge
		var details string
		var expires, responded, created int64
		if err := rows.Scan(&c.sid, &c.factor, &c.status, &details, &expires, &responded, &created); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(details), &c.details); err != nil {
			return nil, err
		}
		c.expires, c.responded, c.created = time.Unix(expires, 0), time.Unix(responded, 0), time.Unix(created, 0)
		found = append(found, c)
	}
	return found, rows.Err()
}
