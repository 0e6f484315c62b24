package enginetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

// A Scene is an engine with a service and the name of a user.
type Scene struct {
	*verifytest.Engine
	TB       testing.TB
	Service  string
	Identity string
}

// NewScene makes the service. The user is made with the first factor.
func NewScene(tb testing.TB, e *verifytest.Engine) *Scene {
	tb.Helper()
	svc := Must(e.CreateService(tb.Context(), verify.ServiceParams{FriendlyName: "Acme"}))(tb)
	return &Scene{Engine: e, TB: tb, Service: svc.SID, Identity: "user-0001"}
}

// As is the same scene with another user.
func (s *Scene) As(identity string) *Scene {
	other := *s
	other.Identity = identity
	return &other
}

func (s *Scene) ctx() context.Context { return s.TB.Context() }

// An App is an authenticator app that holds one of the user's factors.
type App struct {
	*verifytest.TOTP
	Factor verify.Factor
	uri    string
	scene  *Scene
}

// Enrol makes a factor and leaves it unverified.
func (s *Scene) Enrol(p verify.TOTPParams) *App {
	s.TB.Helper()
	f := Must(s.CreateFactor(s.ctx(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "ann", TOTP: &p}))(s.TB)
	return &App{TOTP: verifytest.ScanTOTP(s.TB, f.Binding.URI), Factor: f, uri: f.Binding.URI, scene: s}
}

// Verified makes a factor, verifies it and waits until the codes of its window
// are unspent.
func (s *Scene) Verified(p verify.TOTPParams) *App {
	s.TB.Helper()
	a := s.Enrol(p)
	a.Factor = Must(s.VerifyFactor(s.ctx(), s.Service, s.Identity, a.Factor.SID, a.Shown()))(s.TB)
	if a.Factor.Status != verify.Verified {
		s.TB.Fatalf("factor is %s after the right code", a.Factor.Status)
	}
	a.Wait(10)
	return a
}

// Follow is the app after somebody has told it how the factor is now.
func (a *App) Follow(f verify.Factor) *App {
	a.scene.TB.Helper()
	u := Must(url.Parse(a.uri))(a.scene.TB)
	q := u.Query()
	q.Set("algorithm", strings.ToUpper(f.TOTP.Alg))
	q.Set("digits", strconv.Itoa(f.TOTP.CodeLength))
	q.Set("period", strconv.Itoa(f.TOTP.TimeStep))
	u.RawQuery = q.Encode()
	return &App{TOTP: verifytest.ScanTOTP(a.scene.TB, u.String()), Factor: f, uri: u.String(), scene: a.scene}
}

// On is the app of a user who meets another engine over the same store.
func (a *App) On(e *verifytest.Engine) *App {
	other, scene := *a, *a.scene
	scene.Engine = e
	other.scene = &scene
	return &other
}

// Scene is where the app's user is.
func (a *App) Scene() *Scene { return a.scene }

// Shown is what the app shows now.
func (a *App) Shown() string { return a.At(0) }

// At is what the app shows that many steps from now.
func (a *App) At(steps int) string {
	a.scene.TB.Helper()
	return a.Code(a.scene.Clock.Now().Add(time.Duration(steps) * a.Period()))
}

// Wrong is a code that the app does not show around now.
func (a *App) Wrong() string {
	a.scene.TB.Helper()
	return a.WrongCode(a.scene.Clock.Now())
}

// Wait moves the clock by that many steps.
func (a *App) Wait(steps int) { a.scene.Clock.Advance(time.Duration(steps) * a.Period()) }

// Get reads the factor again.
func (a *App) Get() verify.Factor {
	a.scene.TB.Helper()
	s := a.scene
	return Must(s.GetFactor(s.ctx(), s.Service, s.Identity, a.Factor.SID))(s.TB)
}

// Challenge makes a pending challenge.
func (a *App) Challenge() verify.Challenge {
	a.scene.TB.Helper()
	s := a.scene
	return Must(s.CreateChallenge(s.ctx(), s.Service, s.Identity, verify.ChallengeParams{FactorSID: a.Factor.SID}))(s.TB)
}

// Respond answers a challenge with a code.
func (a *App) Respond(challenge, code string) (verify.Challenge, error) {
	s := a.scene
	return s.RespondChallenge(s.ctx(), s.Service, s.Identity, challenge, verify.ChallengeResponse{AuthPayload: code})
}

// A Door is a way to have a code of a verified factor checked.
type Door struct {
	Name string
	Try  func(a *App, code string) (approved bool, err error)
}

// Doors are all there are. A code is wrong when neither approved nor an error.
func Doors() []Door {
	return []Door{
		{"create", func(a *App, code string) (bool, error) {
			s := a.scene
			c, err := s.CreateChallenge(s.ctx(), s.Service, s.Identity, verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: code})
			return c.Status == verify.Approved, err
		}},
		{"respond", func(a *App, code string) (bool, error) {
			s := a.scene
			c, err := s.CreateChallenge(s.ctx(), s.Service, s.Identity, verify.ChallengeParams{FactorSID: a.Factor.SID})
			if err != nil {
				return false, err
			}
			c, err = a.Respond(c.SID, code)
			return c.Status == verify.Approved, err
		}},
		{"check", func(a *App, code string) (bool, error) {
			s := a.scene
			c, err := s.CheckCode(s.ctx(), s.Service, s.Identity, code)
			return c.Approved, err
		}},
	}
}

// Decide tries a code and fails the test unless it was decided upon.
func (d Door) Decide(a *App, code string) (approved bool) {
	a.scene.TB.Helper()
	approved, err := d.Try(a, code)
	if err != nil {
		a.scene.TB.Fatalf("%s: %v", d.Name, err)
	}
	return approved
}

// Unlimited switches off every limit; the budget that the length of a code sets
// stays, as it cannot be switched off.
func Unlimited(c *verify.Config) {
	c.Limits = verify.Limits{
		ChallengeAttempts: -1, EnrolmentAttempts: -1, FactorFailures: -1, ChallengesPerHour: -1, ChallengesPerDay: -1,
		ShortCodeChallengesPerDay: -1, TOTPFactors: -1, FactorsPerDay: -1,
	}
}

// Must takes a call's results and fails the test if one of them is an error.
func Must[T any](value T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatalf("unexpected error: %v", err)
		}
		return value
	}
}

// Refused fails the test unless err is of the given class, of no other, and has
// the given code. It returns what it found, or a zero Error.
func Refused(tb testing.TB, err error, class error, code int) *verify.Error {
	tb.Helper()
	got, ok := errors.AsType[*verify.Error](err)
	if !ok {
		tb.Errorf("got %v (%T), want a verify.Error of class %q and code %d", err, err, class, code)
		return &verify.Error{}
	}
	if problem := misfit(err, got, class, code); problem != "" {
		tb.Errorf("got %v, %s", err, problem)
	}
	return got
}

func misfit(err error, got *verify.Error, class error, code int) string {
	if got.Code != code {
		return fmt.Sprintf("code %d, want %d", got.Code, code)
	}
	for _, c := range []error{
		verify.ErrNotFound, verify.ErrConflict, verify.ErrInvalid, verify.ErrForbidden,
		verify.ErrRateLimited, verify.ErrLocked, verify.ErrUnavailable, verify.ErrClosed, verify.ErrCorrupt,
	} {
		if errors.Is(err, c) != errors.Is(class, c) {
			return fmt.Sprintf("it is of class %q: %t", c, errors.Is(err, c))
		}
	}
	return ""
}
