//go:build unix

package verify_test

import (
	"database/sql"
	"fmt"
	"testing"
)

// A fact is something that a call has returned, told before anything else was
// done.
type fact struct {
	User      int
	Factor    string
	What      string // one of the constants
	Step      int64  // that was spent
	Challenge string // that was approved
}

const (
	factEnrolled = "enrolled"
	factVerified = "verified"
	factApproved = "approved"
	factFailed   = "failed"
	factUnlocked = "unlocked"
	factDeleted  = "deleted"
)

// A ledger is what is known of one user's factor. What follows the last fact may
// have happened or not.
type ledger struct {
	factor     string
	verified   bool
	deleted    bool
	step       int64 // the last one known to be spent
	failures   int64 // known since then
	challenges []string
}

// ledgers are kept by user.
type ledgers map[int]*ledger

func (l ledgers) note(f fact) {
	k := l[f.User]
	if k == nil {
		k = &ledger{factor: f.Factor, step: -1}
		l[f.User] = k
	}
	switch f.What {
	case factVerified:
		k.verified, k.step = true, f.Step
	case factApproved:
		k.step, k.failures = f.Step, 0
		k.challenges = append(k.challenges, f.Challenge)
	case factFailed:
		k.failures++
	case factUnlocked:
		k.failures = 0
	case factDeleted:
		k.deleted = true
	}
}

// audit compares what is in the database with what is known. mayBeAhead is true
// for users whose process was killed: one more thing may have happened to them
// than anybody knows. Rows are found by identity, as nothing below is trusted.
func (l ledgers) audit(raw *sql.DB, mayBeAhead bool) (wrongs []string) {
	for user, k := range l {
		var status string
		var step, failures, challenges int64
		err := raw.QueryRow(`SELECT f.status, st.last_step, st.failures,
				(SELECT COUNT(*) FROM challenges c WHERE c.factor_id = f.id AND c.status = 'approved' AND c.responded_at > 0)
			FROM factors f JOIN factor_states st ON st.factor_id = f.id JOIN entities e ON e.id = f.entity_id
			WHERE e.identity = ?`, identityOf(user)).Scan(&status, &step, &failures, &challenges)
		wrong := func(format string, args ...any) {
			wrongs = append(wrongs, fmt.Sprintf("user %d: ", user)+fmt.Sprintf(format, args...)+fmt.Sprintf(" (known: %+v)", *k))
		}
		switch {
		case err == sql.ErrNoRows && !k.deleted && !mayBeAhead:
			wrong("the factor is gone")
		case err == sql.ErrNoRows:
			// Deleted, or on the way to it: the fact may be missing.
		case err != nil:
			wrong("%v", err)
		case k.deleted:
			wrong("the deleted factor is there")
		case k.verified && status != "verified":
			wrong("status %s", status)
		case step < k.step:
			wrong("step %d is not spent", k.step)
		case step == k.step && failures < k.failures && !(mayBeAhead && failures == 0): // 0: by an unlocking
			wrong("%d failures", failures)
		case challenges < int64(len(k.challenges)):
			wrong("%d approved challenges", challenges)
		}
	}
	return wrongs
}

// learn brings the ledgers up to the database, once nobody is ahead of them any
// more.
func (l ledgers) learn(t *testing.T, raw *sql.DB) {
	t.Helper()
	for user, k := range l {
		err := raw.QueryRow(`SELECT f.status = 'verified', st.last_step, st.failures
			FROM factors f JOIN factor_states st ON st.factor_id = f.id JOIN entities e ON e.id = f.entity_id
			WHERE e.identity = ?`, identityOf(user)).Scan(&k.verified, &k.step, &k.failures)
		if k.deleted = err == sql.ErrNoRows; err != nil && !k.deleted {
			t.Fatal(err)
		}
	}
}

// sound tells what is wrong with a database as such, whatever was done to it:
// SQLite's own checks, and records that no call can have left half-made.
func sound(t *testing.T, raw *sql.DB) (wrongs []string) {
	t.Helper()
	var ok string
	if err := raw.QueryRow("PRAGMA integrity_check").Scan(&ok); err != nil || ok != "ok" {
		wrongs = append(wrongs, fmt.Sprintf("integrity_check: %s, %v", ok, err))
	}
	for what, query := range map[string]string{
		"a broken reference":               "SELECT COUNT(*) FROM pragma_foreign_key_check",
		"a factor without state":           "SELECT COUNT(*) FROM factors WHERE id NOT IN (SELECT factor_id FROM factor_states)",
		"a state without factor":           "SELECT COUNT(*) FROM factor_states WHERE factor_id NOT IN (SELECT id FROM factors)",
		"a factor without entity":          "SELECT COUNT(*) FROM factors WHERE entity_id NOT IN (SELECT id FROM entities)",
		"an entity without service":        "SELECT COUNT(*) FROM entities WHERE service_id NOT IN (SELECT id FROM services)",
		"a verified factor, nothing spent": "SELECT COUNT(*) FROM factors JOIN factor_states ON factor_id = id WHERE status = 'verified' AND last_step < 0",
		"an unverified factor that spent":  "SELECT COUNT(*) FROM factors JOIN factor_states ON factor_id = id WHERE status = 'unverified' AND last_step >= 0",
		"an approval without time":         "SELECT COUNT(*) FROM challenges WHERE (status = 'approved') <> (responded_at > 0)",
		"a future that is over":            "SELECT COUNT(*) FROM challenges WHERE expires_at <= created_at",
	} {
		var n int
		if err := raw.QueryRow(query).Scan(&n); err != nil || n > 0 {
			wrongs = append(wrongs, fmt.Sprintf("%s: %d times, %v", what, n, err))
		}
	}
	return wrongs
}
