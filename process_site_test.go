//go:build unix

package verify_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
	"github.com/seed4eca3270/verify/verifytest"
)

// A site is a database file and what every process must know to work on it. It
// goes through a pipe.
type site struct {
	Path    string
	Limits  verify.Limits
	Service string
}

// Keys and the secret of all authenticator apps of these tests.
const (
	siteKeys   = "verify-key-1 1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
	siteSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

var siteTime = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// unlimited lets a factor be used as often as a test likes.
func unlimited() verify.Limits {
	return verify.Limits{ChallengesPerHour: -1, ChallengesPerDay: -1, ShortCodeChallengesPerDay: -1, FactorsPerDay: -1}
}

// newSite makes a database with a service.
func newSite(t *testing.T, limits verify.Limits) site {
	t.Helper()
	return newSiteIn(t, t.TempDir(), limits)
}

func newSiteIn(t *testing.T, folder string, limits verify.Limits) site {
	t.Helper()
	s := site{Path: filepath.Join(folder, "mfa.db"), Limits: limits}
	s.visit(t, func(e *siteEngine) error {
		svc, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
		s.Service = svc.SID
		return err
	})
	return s
}

// newFaulty makes a site and stays on it, with every connection under the faults.
// Who makes many of them stops each engine.
func newFaulty(t *testing.T, limits verify.Limits, f *storetest.Faults) *siteEngine {
	t.Helper()
	s := site{Path: filepath.Join(t.TempDir(), "mfa.db"), Limits: limits}
	e := s.startWith(t, store.Options{Connector: f.Connector})
	svc, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	e.site.Service = svc.SID
	return e
}

// visit does something with the site and leaves it closed.
func (s site) visit(t *testing.T, f func(e *siteEngine) error) {
	t.Helper()
	e, err := s.open(t.Context(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f(e), e.stop()); err != nil {
		t.Fatal(err)
	}
}

// A siteEngine is an engine on a site, with a clock of its own.
type siteEngine struct {
	*verify.Engine
	site  site
	clock *verifytest.Clock
	db    *store.DB
}

// open opens the site with a store under faults, or with options of its own.
func (s site) open(ctx context.Context, o store.Options) (*siteEngine, error) {
	keys, err := verify.ParseKeys(siteKeys)
	if err != nil {
		return nil, err
	}
	db, err := store.OpenSQLite(ctx, s.Path, o)
	if err != nil {
		return nil, err
	}
	clock := verifytest.NewClock(siteTime)
	e, err := verify.New(ctx, db, verify.Config{Keys: keys, Clock: clock.Now, Limits: s.Limits})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &siteEngine{e, s, clock, db}, nil
}

func (e *siteEngine) stop() error { return errors.Join(e.Engine.Close(), e.db.Close()) }

// start opens the site for a test and closes it at its end.
func (s site) start(t *testing.T) *siteEngine { return s.startWith(t, store.Options{}) }

func (s site) startWith(t *testing.T, o store.Options) *siteEngine {
	t.Helper()
	e, err := s.open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.stop(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return e
}

// enrol makes a factor for a new identity, its app holding siteSecret.
func (e *siteEngine) enrol(ctx context.Context, identity string) (factor string, err error) {
	f, err := e.CreateFactor(ctx, e.site.Service, identity, verify.FactorParams{
		FriendlyName: "phone", TOTP: &verify.TOTPParams{Secret: siteSecret},
	})
	return f.SID, err
}

// verified is enrol with the proof, which spends the step before the clock's.
func (e *siteEngine) verified(ctx context.Context, identity string) (factor string, err error) {
	if factor, err = e.enrol(ctx, identity); err != nil {
		return "", err
	}
	f, err := e.VerifyFactor(ctx, e.site.Service, identity, factor, codeAt(e.clock.Now().Add(-period)))
	if err == nil && f.Status != verify.Verified {
		err = errors.New("the factor could not be verified")
	}
	return factor, err
}

// pending makes a challenge for a verified factor.
func (e *siteEngine) pending(ctx context.Context, identity, factor string) (challenge string, err error) {
	c, err := e.CreateChallenge(ctx, e.site.Service, identity, verify.ChallengeParams{FactorSID: factor})
	return c.SID, err
}

const period = 30 * time.Second

// codeAt is what the app shows.
func codeAt(at time.Time) string {
	code, err := totp.GenerateCodeCustom(siteSecret, at, totp.ValidateOpts{Period: uint(period.Seconds()), Digits: otp.DigitsSix})
	if err != nil {
		panic(err)
	}
	return code
}

func stepAt(at time.Time) int64 { return at.Unix() / int64(period.Seconds()) }

// wrongAt is well formed and nothing that the app shows for a quarter of an hour
// around. different makes more than one of them.
func wrongAt(at time.Time, different int) string {
	near := map[string]bool{}
	for i := -15; i <= 15; i++ {
		near[codeAt(at.Add(time.Duration(i)*period))] = true
	}
	for n := 111111 + 37*different; ; n++ {
		if code := fmt.Sprintf("%06d", n%1000000); !near[code] {
			return code
		}
	}
}

// identityOf names the n-th user.
func identityOf(n int) string { return fmt.Sprintf("user-%08d", n) }
