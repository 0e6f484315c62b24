package enginetest

import (
	"reflect"
	"testing"

	"github.com/seed4eca3270/verify"
)

func checkCodeTests() []test {
	return []test{
		{"makes an approved challenge", checkCodeChallenge},
		{"finds the factor and costs the others nothing", checkCodePicks},
		{"miss counts on every factor it was tried on", checkCodeMiss},
		{"locked factors are passed over", checkCodeLocked},
		{"full windows are passed over", checkCodeFull},
		{"tries the factors of its length only", checkCodeLengths},
		{"without a verified factor", checkCodeNone},
		{"replay is a plain no", checkCodeReplay},
	}
}

func (s *Scene) check(code string) (verify.CodeCheck, error) {
	return s.CheckCode(s.ctx(), s.Service, s.Identity, code)
}

func checkCodeChallenge(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	got := Must(s.check(a.Shown()))(t)
	now := s.Clock.Now()
	want := verify.Challenge{
		SID: got.Challenge.SID, AccountSID: s.AccountSID(), ServiceSID: s.Service, EntitySID: a.Factor.EntitySID, Identity: s.Identity,
		FactorSID: a.Factor.SID, FactorType: verify.TOTP, Status: verify.Approved,
		ExpirationDate: got.Challenge.ExpirationDate, DateCreated: now, DateUpdated: now, DateResponded: now,
	}
	if !got.Approved || !reflect.DeepEqual(got.Challenge, want) {
		t.Errorf("approved: %t\n%+v\nwant\n%+v", got.Approved, got.Challenge, want)
	}
	if read := s.readChallenge(got.Challenge.SID); !reflect.DeepEqual(read, got.Challenge) {
		t.Errorf("answered\n%+v\nread\n%+v", got.Challenge, read)
	}
	if got := Must(s.check(a.Wrong()))(t); !reflect.DeepEqual(got, verify.CodeCheck{}) {
		t.Errorf("a wrong code: %+v", got)
	}
	list := Must(s.ListChallenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{}, verify.PageParams{}))(t)
	if len(list.Items) != 1 {
		t.Errorf("%d challenges are stored, want the approved one", len(list.Items))
	}
}

// With a budget of one, a factor that a right code of another had cost anything
// would be locked.
func checkCodePicks(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited, func(c *verify.Config) { c.Limits.FactorFailures = 1 }))
	apps := []*App{
		s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{Alg: "sha256"}),
		s.Verified(verify.TOTPParams{TimeStep: 60}), s.Verified(verify.TOTPParams{Skew: new(0)}),
	}
	s.Enrol(verify.TOTPParams{}) // is not asked
	for range 3 {
		for i, a := range apps {
			got := Must(s.check(a.Shown()))(t)
			if !got.Approved || got.Challenge.FactorSID != a.Factor.SID {
				t.Errorf("factor %d's code: %+v", i, got)
			}
			for j, other := range apps {
				if other.Get().Locked {
					t.Errorf("the code of factor %d cost factor %d a guess", i, j)
				}
			}
		}
		apps[2].Wait(1)
	}
}

func checkCodeMiss(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 2 }))
	apps := []*App{s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})}
	wrong := unlike(t, apps...)
	for i := range 2 {
		if got := Must(s.check(wrong))(t); got.Approved {
			t.Fatal("a wrong code is accepted")
		}
		for j, a := range apps {
			if got := a.Get().Locked; got != (i == 1) {
				t.Errorf("after %d misses factor %d is locked: %t", i+1, j, got)
			}
		}
	}
	_, err := s.check(apps[0].Shown())
	Refused(t, err, verify.ErrLocked, verify.CodeChallengeAttempts)
	_, again := s.check(wrong)
	if !reflect.DeepEqual(again, err) {
		t.Errorf("right code: %#v, wrong code: %#v", err, again)
	}
}

// unlike is a code that none of the apps shows around now.
func unlike(t *testing.T, apps ...*App) string {
	t.Helper()
	for _, a := range apps {
		code := a.Wrong()
		free := true
		for _, other := range apps {
			for steps := -3; steps <= 3; steps++ {
				free = free && other.At(steps) != code
			}
		}
		if free {
			return code
		}
	}
	t.Fatal("no code is wrong everywhere")
	return ""
}

// RATE-8: who locks one factor has not locked the others.
func checkCodeLocked(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 2 }))
	a, b := s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})
	for range 2 {
		Doors()[0].Decide(a, a.Wrong())
	}
	if !a.Get().Locked || b.Get().Locked {
		t.Fatal("want a locked and b not")
	}
	if got := Must(s.check(a.Shown()))(t); got.Approved {
		t.Error("the code of a locked factor is accepted")
	}
	got := Must(s.check(b.Shown()))(t)
	if !got.Approved || got.Challenge.FactorSID != b.Factor.SID {
		t.Errorf("the other factor's code: %+v", got)
	}
	if !a.Get().Locked {
		t.Error("another factor's success unlocked it")
	}
}

func checkCodeFull(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.ChallengesPerHour = 2 }))
	a, b := s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})
	a.Challenge()
	a.Challenge()
	if got := Must(s.check(b.Shown()))(t); !got.Approved {
		t.Error("one factor's full window closes the other")
	}
	if got := Must(s.check(a.Shown()))(t); got.Approved {
		t.Error("a factor with a full window is asked")
	}
	_, err := s.check(a.Shown()) // by now b's window is full too
	full := Refused(t, err, verify.ErrRateLimited, verify.CodeChallengesCreated)
	s.Clock.Advance(full.RetryAfter)
	if got := Must(s.check(a.Shown()))(t); !got.Approved {
		t.Error("refused after RetryAfter")
	}
}

func checkCodeLengths(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 1 }))
	six, eight := s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{CodeLength: 8})
	for _, a := range []*App{six, eight} {
		if got := Must(s.check(a.Shown()))(t); !got.Approved || got.Challenge.FactorSID != a.Factor.SID {
			t.Errorf("%d digits: %+v", a.Factor.TOTP.CodeLength, got)
		}
	}
	for _, code := range []string{"", "1234567", "123456789", "12345", "12345a", "1234567 "} {
		_, err := s.check(code)
		Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
	}
	if Must(s.check(eight.Wrong()))(t).Approved || six.Get().Locked || !eight.Get().Locked {
		t.Error("a miss of 8 digits must count on the factor with 8 digits, and on no other")
	}
}

func checkCodeNone(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	Must(s.CreateEntity(t.Context(), s.Service, s.Identity))(t)
	_, err := s.check("123456")
	Refused(t, err, verify.ErrForbidden, verify.CodeFactorUnverified)
	a := s.Enrol(verify.TOTPParams{})
	for _, code := range []string{a.Shown(), a.Wrong(), "x"} {
		_, err = s.check(code)
		Refused(t, err, verify.ErrForbidden, verify.CodeFactorUnverified)
	}
	Must(a.verify(a.Shown()))(t)
	if err := s.DeleteFactor(t.Context(), s.Service, s.Identity, a.Factor.SID); err != nil {
		t.Fatal(err)
	}
	_, err = s.check(a.Shown())
	Refused(t, err, verify.ErrForbidden, verify.CodeFactorUnverified)
}

func checkCodeReplay(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	code := a.Shown()
	Must(s.check(code))(t)
	for range 3 {
		if got := Must(s.check(code))(t); !reflect.DeepEqual(got, verify.CodeCheck{}) {
			t.Errorf("replayed: %+v", got)
		}
	}
}
