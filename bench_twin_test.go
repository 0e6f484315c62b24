package verify_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"fmt"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"modernc.org/sqlite"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/sid"
)

// The twins do what the engine does as hand-written code would, on the same
// driver: records keyed by their SIDs, a factor one row with all it has, the
// window of the creation limit in a table beside it.
const (
	benchTwinSchema = `
CREATE TABLE factors (
  sid           TEXT PRIMARY KEY,
  service_sid   TEXT    NOT NULL,
  entity_sid    TEXT    NOT NULL,
  identity      TEXT    NOT NULL,
  friendly_name TEXT    NOT NULL,
  status        TEXT    NOT NULL,
  metadata      TEXT    NOT NULL,
  seed          BLOB    NOT NULL,
  last_step     INTEGER NOT NULL,
  failures      INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
);
CREATE INDEX factors_of_entity ON factors (entity_sid);
CREATE TABLE challenges (
  sid          TEXT PRIMARY KEY,
  entity_sid   TEXT    NOT NULL,
  factor_sid   TEXT    NOT NULL,
  status       TEXT    NOT NULL,
  details      TEXT    NOT NULL,
  expires_at   INTEGER NOT NULL,
  responded_at INTEGER NOT NULL,
  created_at   INTEGER NOT NULL
);
CREATE INDEX challenges_of_entity ON challenges (entity_sid, created_at);
CREATE TABLE windows (
  factor_sid TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  count      INTEGER NOT NULL
);`

	benchTwinRead = `SELECT service_sid, entity_sid, friendly_name, status, metadata, seed, last_step, failures, created_at, updated_at
FROM factors WHERE sid = ? AND identity = ?`
	benchTwinSpend = `UPDATE factors SET last_step = ?, failures = 0, updated_at = ? WHERE sid = ? AND last_step < ?`
	benchTwinProve = `UPDATE factors SET status = 'verified', last_step = ?, updated_at = ? WHERE sid = ? AND status = 'unverified' AND last_step < ?`
	benchTwinBump  = `INSERT INTO windows (factor_sid, started_at, count) VALUES (?, ?, 1)
ON CONFLICT (factor_sid) DO UPDATE SET
  count = CASE WHEN started_at + 3600 <= excluded.started_at THEN 1 ELSE count + 1 END,
  started_at = CASE WHEN started_at + 3600 <= excluded.started_at THEN excluded.started_at ELSE started_at END`
	benchTwinInsert = `INSERT INTO challenges (sid, entity_sid, factor_sid, status, details, expires_at, responded_at, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	benchTwinEnrol = `INSERT INTO factors (sid, service_sid, entity_sid, identity, friendly_name, status, metadata, seed, last_step, failures, created_at, updated_at)
VALUES (?, 'VA00000000000000000000000000000001', ?, ?, ?, ?, '', ?, ?, 0, ?, ?)`
	benchTwinList = `SELECT sid, factor_sid, status, details, expires_at, responded_at, created_at
FROM challenges WHERE entity_sid = ? ORDER BY created_at DESC LIMIT 20`
)

// A benchTwin is what both twins know of their data.
type benchTwin struct {
	key        []byte
	newSID     func(prefix string, at time.Time) string
	identities []string
	entitySIDs []string
	factorSIDs []string
	turn       *benchTurn
	enrolled   int
}

func newBenchTwin(d benchData, newSID func(prefix string, at time.Time) string) benchTwin {
	return benchTwin{key: benchKeyMaterial(), newSID: newSID, turn: newBenchTurn(d.factors)}
}

// benchOrderedSID rises with time, benchRandomSID is chance alone.
func benchOrderedSID() func(prefix string, at time.Time) string {
	g := sid.NewGenerator(rand.Reader)
	return func(prefix string, at time.Time) string {
		id, err := g.New(at)
		if err != nil {
			panic(err) // rand.Reader never fails
		}
		return id.String(prefix)
	}
}

func benchRandomSID(prefix string, _ time.Time) string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	return fmt.Sprintf("%s%x", prefix, raw)
}

func benchAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// fill makes the schema and the data.
func (t *benchTwin) fill(b *testing.B, db *sql.DB, d benchData) {
	b.Helper()
	ctx := b.Context()
	conn, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer benchClose(b, conn)
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = OFF; "+benchTwinSchema); err != nil {
		b.Fatal(err)
	}
	now := benchTime(benchFirstStep)
	for i := range d.factors {
		t.identities = append(t.identities, benchIdentity(i))
		t.entitySIDs = append(t.entitySIDs, t.newSID("YE", now.Add(-24*time.Hour)))
		t.factorSIDs = append(t.factorSIDs, t.newSID("YF", now.Add(-24*time.Hour)))
	}
	t.enrol(b, conn, d.factors, func(i int) benchEnrolment {
		return benchEnrolment{t.factorSIDs[i], t.entitySIDs[i], t.identities[i], "verified", benchSeed(i)}
	})
	insert, err := conn.PrepareContext(ctx, benchTwinInsert)
	if err != nil {
		b.Fatal(err)
	}
	defer benchClose(b, insert)
	details, at := benchDetailsText(), now.Add(-time.Hour)
	benchFill(b, conn, d.challenges, func(i int) error {
		f := t.turn.order[i%d.factors]
		_, err := insert.ExecContext(ctx, t.newSID("YC", at), t.entitySIDs[f], t.factorSIDs[f], verify.Approved,
			details, at.Add(5*time.Minute).Unix(), at.Unix(), at.Unix())
		return err
	})
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = FULL"); err != nil {
		b.Fatal(err)
	}
}

type benchEnrolment struct {
	sid, entity, identity, status string
	seed                          []byte
}

// enrol stores factors, many in a transaction.
func (t *benchTwin) enrol(b *testing.B, conn *sql.Conn, n int, of func(i int) benchEnrolment) {
	b.Helper()
	aead, err := benchAEAD(t.key)
	if err != nil {
		b.Fatal(err)
	}
	insert, err := conn.PrepareContext(b.Context(), benchTwinEnrol)
	if err != nil {
		b.Fatal(err)
	}
	defer benchClose(b, insert)
	at := benchTime(benchFirstStep).Unix()
	benchFill(b, conn, n, func(i int) error {
		f := of(i)
		sealed := aead.Seal(nil, nil, f.seed, []byte(f.sid))
		_, err := insert.ExecContext(b.Context(), f.sid, f.entity, f.identity, f.identity, f.status, sealed, benchFirstStep-1, at, at)
		return err
	})
}

// newcomers enrols n unverified factors, whose codes are those of one step.
func (t *benchTwin) newcomers(b *testing.B, conn *sql.Conn, n int) (sids, identities, codes []string) {
	b.Helper()
	at := benchTime(benchFirstStep)
	for i := range n {
		sids = append(sids, t.newSID("YF", at))
		identities = append(identities, fmt.Sprintf("new-%08d", t.enrolled+i))
		codes = append(codes, benchCode(b, t.enrolled+i, benchFirstStep))
	}
	t.enrol(b, conn, n, func(i int) benchEnrolment {
		return benchEnrolment{sids[i], t.newSID("YE", at), identities[i], "unverified", benchSeed(t.enrolled + i)}
	})
	t.enrolled += n
	return sids, identities, codes
}

// A benchTwinFactor is a row of factors.
type benchTwinFactor struct {
	service, entity, name, status, metadata string
	seed                                    []byte
	lastStep, failures                      int64
	created, updated                        time.Time
}

func (f *benchTwinFactor) scan(row *sql.Row) error {
	var created, updated int64
	err := row.Scan(&f.service, &f.entity, &f.name, &f.status, &f.metadata, &f.seed, &f.lastStep, &f.failures, &created, &updated)
	f.created, f.updated = time.Unix(created, 0), time.Unix(updated, 0)
	return err
}

// A benchTwinChallenge is a row of challenges.
type benchTwinChallenge struct {
	sid, factor, status         string
	details                     verify.Details
	expires, responded, created time.Time
}

// benchMatch is pquerna's check, step by step because a step must be spent.
func benchMatch(seed []byte, code string, now time.Time, lastStep int64) (step int64, ok bool) {
	secret := base32.StdEncoding.EncodeToString(seed)
	current := now.Unix() / benchPeriod
	for step := current - 1; step <= current+1; step++ {
		valid, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix})
		if err == nil && valid && step > lastStep {
			return step, true
		}
	}
	return 0, false
}

// benchPool opens a pool of connections to the file at path.
func benchPool(b *testing.B, path string, pragmas ...string) *sql.DB {
	b.Helper()
	connector, err := sqlite.NewConnector("file:" + path)
	if err != nil {
		b.Fatal(err)
	}
	return sql.OpenDB(benchPragmas{connector, pragmas})
}
