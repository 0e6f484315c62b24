package enginetest

import (
	"encoding/base32"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func secretTests() []test {
	return []test{
		{"is the entity's own only once", secretDuplicate},
		{"is never that of two verified factors", secretStale},
		{"is never that of two verified factors, whatever the clock does", secretStaleClock},
		{"stale enrolments do not make a factor too many", secretStaleLimit},
		{"generated ones differ", secretGenerated},
	}
}

func secretDuplicate(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA"
	first := s.Enrol(verify.TOTPParams{Secret: secret})
	for name, p := range map[string]verify.TOTPParams{
		"same":             {Secret: secret},
		"padded":           {Secret: secret + "===="},
		"other parameters": {Secret: secret, Alg: "sha256", CodeLength: 8, TimeStep: 60},
	} {
		_, err := s.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: name, TOTP: &p})
		Refused(t, err, verify.ErrConflict, verify.CodeFactorExists)
	}
	s.As("user-0002").Enrol(verify.TOTPParams{Secret: secret}) // another user's is another factor
	NewScene(t, s.Engine).Enrol(verify.TOTPParams{Secret: secret})
	s.Enrol(verify.TOTPParams{Secret: secret[:26]}) // so is a part of it
	if err := s.DeleteFactor(t.Context(), s.Service, s.Identity, first.Factor.SID); err != nil {
		t.Fatal(err)
	}
	s.Enrol(verify.TOTPParams{Secret: secret})
}

// An enrolment past its retention is gone, swept or not. It must not come back:
// with two verified factors of one secret every code works twice.
func secretStale(t *testing.T, open Opener) { secretTwice(t, open, 0) }

// A clock that ran ahead and is set right makes it young again.
func secretStaleClock(t *testing.T, open Opener) { secretTwice(t, open, 25*time.Hour) }

func secretTwice(t *testing.T, open Opener, back time.Duration) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	s := NewScene(t, open(t))
	stale := s.Enrol(verify.TOTPParams{Secret: secret})
	s.Clock.Advance(25 * time.Hour)
	fresh := s.Enrol(verify.TOTPParams{Secret: secret})
	s.Clock.Advance(-back)
	for _, a := range []*App{stale, fresh} {
		_, _ = a.verify(a.Shown()) // the stale one may be refused in any way
		a.Wait(3)
	}
	if got := fresh.Get(); got.Status != verify.Verified {
		t.Fatalf("the fresh enrolment is %s", got.Status)
	}
	code := fresh.Shown()
	for use := range 2 {
		if got := Must(s.check(code))(t).Approved; got != (use == 0) {
			t.Errorf("use %d of one code: approved: %t", use+1, got)
		}
	}
}

func secretStaleLimit(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.TOTPFactors = 2 }))
	stale := []*App{s.Enrol(verify.TOTPParams{}), s.Enrol(verify.TOTPParams{})}
	s.Clock.Advance(24 * time.Hour)
	_, err := s.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}})
	Refused(t, err, verify.ErrInvalid, verify.CodeFactorsPerEntity)
	s.Clock.Advance(time.Millisecond)
	fresh := []*App{s.Enrol(verify.TOTPParams{}), s.Enrol(verify.TOTPParams{})}
	verified := 0
	for _, a := range append(fresh, stale...) {
		if got, err := a.verify(a.Shown()); err == nil && got.Status == verify.Verified {
			verified++
		}
	}
	if verified != 2 {
		t.Errorf("%d factors are verified, want 2: the limit", verified)
	}
}

// TOTP-7: as long as the hash is wide, and never the same twice.
func secretGenerated(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited))
	seen := make(map[string]bool)
	for alg, size := range map[string]int{"": 20, "sha1": 20, "sha256": 32, "sha512": 64} {
		for range 50 {
			secret := s.Enrol(verify.TOTPParams{Alg: alg}).Factor.Binding.Secret
			raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
			if err != nil || len(raw) != size {
				t.Fatalf("%q: a secret of %d bytes (%v), want %d", alg, len(raw), err, size)
			}
			if seen[secret] {
				t.Fatal("a secret came twice")
			}
			seen[secret] = true
		}
	}
}
