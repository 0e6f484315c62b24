package verify_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// tamper runs SQL on the file as somebody would who has it in their hands: with
// no constraint checked. No engine may have it open.
func (m *mfaFile) tamper(statement string, args ...any) {
	m.tb.Helper()
	db := enginetest.Must(sql.Open("sqlite", "file:"+m.path))(m.tb)
	defer m.close(db)
	conn := enginetest.Must(db.Conn(m.tb.Context()))(m.tb)
	defer m.close(conn)
	for _, pragma := range []string{"PRAGMA ignore_check_constraints = 1", "PRAGMA foreign_keys = 0"} {
		enginetest.Must(conn.ExecContext(m.tb.Context(), pragma))(m.tb)
	}
	result := enginetest.Must(conn.ExecContext(m.tb.Context(), statement, args...))(m.tb)
	if n := enginetest.Must(result.RowsAffected())(m.tb); n == 0 {
		m.tb.Fatalf("%s: no row was changed", statement)
	}
}

// fork copies the file, its keys and its clock.
func (m *mfaFile) fork(tb testing.TB) *mfaFile {
	tb.Helper()
	other := newMFAFile(tb)
	for _, name := range []struct{ from, to string }{{m.path, other.path}, {m.keys, other.keys}} {
		if err := os.WriteFile(name.to, enginetest.Must(os.ReadFile(name.from))(tb), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(m.path), "mfa.db-wal")); err == nil {
		tb.Fatal("the file is open")
	}
	other.clock.Set(m.clock.Now())
	return other
}

// STOR-2: a sealed secret opens in its own row and nowhere else.
func TestTamperSwappedSeeds(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	e := m.open()
	s := enginetest.NewScene(t, e)
	mine, theirs := s.Verified(verify.TOTPParams{}), s.As("user-0002").Verified(verify.TOTPParams{})
	m.close(e)
	m.tamper(`UPDATE factors SET seed = other.seed FROM (SELECT id, seed FROM factors) other WHERE other.id <> factors.id`)
	e = m.open()
	mine, theirs = mine.On(e), theirs.On(e)
	for _, a := range []*enginetest.App{mine, theirs} {
		for _, code := range []string{mine.Shown(), theirs.Shown(), mine.Wrong()} {
			for _, d := range enginetest.Doors() {
				approved, err := d.Try(a, code)
				enginetest.Refused(t, err, verify.ErrCorrupt, verify.CodeInternal)
				if approved {
					t.Errorf("%s: a code of a swapped secret is accepted", d.Name)
				}
			}
		}
	}
	_, err := e.Rekey(t.Context())
	if err != nil {
		enginetest.Refused(t, err, verify.ErrCorrupt, verify.CodeInternal)
	}
	// They can be deleted all the same.
	for _, a := range []*enginetest.App{mine, theirs} {
		if err := e.DeleteFactor(t.Context(), a.Factor.ServiceSID, a.Factor.Identity, a.Factor.SID); err != nil {
			t.Error(err)
		}
	}
}

// A mutation puts an impossible value into one column.
type mutation struct {
	table, column string
	value         any
}

// loud is whether reading the record must tell, because no record can be so. A
// secret is not opened to be read; other records are just out of reach or over.
func (c mutation) loud() bool {
	switch c.column {
	case "tail", "entity_id", "factor_id", "seed", "created_at", "expires_at":
		return false
	case "failures", "attempts":
		return c.value != most
	}
	return true
}

const least, most = -1 << 63, 1<<63 - 1

func mutations() (all []mutation) {
	flipped := make([]byte, 64)
	for column, values := range map[string][]any{
		"factors.tail": {0, least}, "factors.entity_id": {0, -1, most}, "factors.factor_type": {"", "sms", "TOTP", "push", "passkeys"},
		"factors.status":   {"", "VERIFIED", "verified ", "approved", "unverified\x00"},
		"factors.totp_alg": {"", "md5", "SHA1", "sha1 "}, "factors.totp_skew": {-1, 3, least, most, 1 << 40},
		"factors.totp_code_length": {0, -1, 1, 2, 9, least, most}, "factors.totp_time_step": {0, -1, 1, 19, 61, least, most},
		"factors.seed": {[]byte{}, []byte{1}, flipped}, "factor_states.last_step": {-2, least}, "factor_states.failures": {-1, least, most},
		"factor_states.hour_count": {-1, least}, "factor_states.day_count": {-1, least},
		"challenges.tail": {0, least}, "challenges.entity_id": {0, -1, most}, "challenges.factor_id": {0, -1, most},
		"challenges.status": {"", "PENDING", "expired", "pending ", "verified"}, "challenges.attempts": {-1, least, most},
		"challenges.details": {"x", "[]", `{"message":1}`}, "challenges.hidden_details": {"x", "[]"}, "challenges.metadata": {"x", "[]"},
		"challenges.created_at": {most}, "challenges.expires_at": {0, least},
	} {
		for _, v := range values {
			table, name, _ := strings.Cut(column, ".")
			all = append(all, mutation{table, name, v})
		}
	}
	return all
}

// STOR-6: whatever a column is changed to, no code is approved through the record
// that was changed, and nothing panics; a code is approved through the untouched
// ones beside it.
func TestTamperColumns(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	e := m.open(enginetest.Unlimited)
	s := enginetest.NewScene(t, e)
	a := s.Verified(verify.TOTPParams{})
	challenge := a.Challenge()
	bystander := s.As("user-0002").Verified(verify.TOTPParams{})
	m.clock.Set(challenge.DateCreated)
	m.close(e)
	all := mutations()
	if len(all) < 70 {
		t.Fatalf("%d mutations", len(all))
	}
	for _, c := range all {
		t.Run(fmt.Sprintf("%s.%s = %.20q", c.table, c.column, fmt.Sprint(c.value)), func(t *testing.T) {
			t.Parallel()
			m := m.fork(t)
			key := map[string]string{"factors": "id", "factor_states": "factor_id", "challenges": "id"}[c.table]
			m.tamper(fmt.Sprintf(`UPDATE %s SET %s = ? WHERE %s = (SELECT MIN(%s) FROM %s)`, c.table, c.column, key, key, c.table), c.value)
			e := m.open(enginetest.Unlimited)
			a := a.On(e)
			if c.table == "challenges" {
				_, readErr := e.GetChallenge(t.Context(), a.Factor.ServiceSID, a.Factor.Identity, challenge.SID)
				if c.loud() {
					enginetest.Refused(t, readErr, verify.ErrCorrupt, verify.CodeInternal)
				}
				got, err := a.Respond(challenge.SID, a.Shown())
				if err == nil {
					t.Errorf("answered: %+v", got)
				}
				wantOurs(t, "RespondChallenge", err)
			} else {
				read, readErr := e.GetFactor(t.Context(), a.Factor.ServiceSID, a.Factor.Identity, a.Factor.SID)
				if c.loud() {
					enginetest.Refused(t, readErr, verify.ErrCorrupt, verify.CodeInternal)
				}
				enrolled, err := e.VerifyFactor(t.Context(), a.Factor.ServiceSID, a.Factor.Identity, a.Factor.SID, a.Shown())
				if err == nil && enrolled.Status != read.Status {
					t.Errorf("a code made a factor that is %q %q", read.Status, enrolled.Status)
				}
				for _, d := range enginetest.Doors() {
					approved, err := d.Try(a, a.Shown())
					if approved {
						t.Errorf("%s approves", d.Name)
					}
					wantOurs(t, d.Name, err)
				}
			}
			useAll(t, e, a, challenge.SID)
			if !enginetest.Doors()[0].Decide(bystander.On(e), bystander.At(1)) {
				t.Error("the damage reaches another user")
			}
		})
	}
}

// wantOurs wants no error, or one of the package's own.
func wantOurs(t *testing.T, what string, err error) {
	t.Helper()
	var ours *verify.Error
	if err != nil && !errors.As(err, &ours) {
		t.Errorf("%s: %v (%T) is none of the package's errors", what, err, err)
	}
}

// useAll makes every call that reaches the damaged records, ending with those that
// remove them.
func useAll(t *testing.T, e *verifytest.Engine, a *enginetest.App, challenge string) {
	t.Helper()
	f, ctx := a.Factor, t.Context()
	for _, c := range []struct {
		name string
		call func(context.Context) error
	}{
		{"GetFactor", func(ctx context.Context) error { return second(e.GetFactor(ctx, f.ServiceSID, f.Identity, f.SID)) }},
		{"ListFactors", func(ctx context.Context) error {
			return second(e.ListFactors(ctx, f.ServiceSID, f.Identity, verify.PageParams{}))
		}},
		{"GetChallenge", func(ctx context.Context) error {
			return second(e.GetChallenge(ctx, f.ServiceSID, f.Identity, challenge))
		}},
		{"ListChallenges", func(ctx context.Context) error {
			return second(e.ListChallenges(ctx, f.ServiceSID, f.Identity, verify.ChallengeFilter{}, verify.PageParams{}))
		}},
		{"VerifyFactor", func(ctx context.Context) error {
			return second(e.VerifyFactor(ctx, f.ServiceSID, f.Identity, f.SID, a.Shown()))
		}},
		{"UpdateFactor", func(ctx context.Context) error {
			return second(e.UpdateFactor(ctx, f.ServiceSID, f.Identity, f.SID, verify.FactorUpdate{FriendlyName: new("x")}))
		}},
		{"UnlockFactor", func(ctx context.Context) error {
			return second(e.UnlockFactor(ctx, f.ServiceSID, f.Identity, f.SID))
		}},
		{"RespondChallenge", func(ctx context.Context) error {
			return second(e.RespondChallenge(ctx, f.ServiceSID, f.Identity, challenge, verify.ChallengeResponse{Metadata: map[string]string{}}))
		}},
		{"Sweep", func(ctx context.Context) error { return second(e.Sweep(ctx)) }},
		{"Rekey", func(ctx context.Context) error { return second(e.Rekey(ctx)) }},
		{"DeleteFactor", func(ctx context.Context) error { return e.DeleteFactor(ctx, f.ServiceSID, f.Identity, f.SID) }},
		{"DeleteEntity", func(ctx context.Context) error { return e.DeleteEntity(ctx, f.ServiceSID, f.Identity) }},
	} {
		wantOurs(t, c.name, c.call(ctx))
	}
}
