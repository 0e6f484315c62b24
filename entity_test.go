package verify_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// An identity is 8 to 64 ASCII letters, digits and dashes.
func TestEntityIdentity(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t))
	for _, good := range []string{
		"12345678", "abcdefgh", "--------", strings.Repeat("x", 64), "0b53e5c4-91d8-4a7c-8d65-c1c5ba3f5a0e",
		"ff483d1ff591898a9942916050d2ca3f", "US0123456789abcdef0123456789ABCDEF",
	} {
		got, err := s.CreateEntity(t.Context(), s.Service, good)
		if err != nil || got.Identity != good {
			t.Errorf("%q: %+v, %v", good, got, err)
		}
	}
	for _, bad := range []string{
		"1234567", strings.Repeat("x", 65), "user 001", "user_0001", "user.0001", "user@example", "user/0001", "user%2F0001",
		"üser0001", "user0001\n", "\x00user0001", "ｕｓｅｒ０００１", "İstanbul", "user-000\u0131", "../../../x", strings.Repeat("é", 32), "user\u200d001",
	} {
		for name, err := range map[string]error{
			"CreateEntity": second(s.CreateEntity(t.Context(), s.Service, bad)),
			"GetEntity":    second(s.GetEntity(t.Context(), s.Service, bad)),
			"CreateFactor": second(s.CreateFactor(t.Context(), s.Service, bad, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}})),
			"CheckCode":    second(s.CheckCode(t.Context(), s.Service, bad, "123456")),
			"DeleteEntity": s.DeleteEntity(t.Context(), s.Service, bad),
		} {
			if got := enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest); got.Param != "Identity" {
				t.Errorf("%s %q: the error is about %q", name, bad, got.Param)
			}
		}
	}
	_, err := s.CreateEntity(t.Context(), s.Service, "")
	enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeMissingParameter)
}

func second[T any](_ T, err error) error { return err }

// Letters that some alphabets fold to ASCII ones, the Kelvin sign and the Turkish
// i's, are no spelling of an identity.
func TestEntityCaseFolding(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t))
	enginetest.Must(s.CreateEntity(t.Context(), s.Service, "kiki-0001"))(t)
	for _, near := range []string{"\u212aiki-0001", "k\u0131ki-0001", "K\u0130KI-0001", "kiki\u20100001"} {
		_, err := s.GetEntity(t.Context(), s.Service, near)
		enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
	}
	enginetest.Must(s.GetEntity(t.Context(), s.Service, "KIKI-0001"))(t)
}

// When randomness fails the call fails, and nothing is stored (TOTP-7).
func TestRandFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	// Randomness that lasts for so many reads: a service is made, then things fail
	// at the first, the second, … read of each call.
	for lasts := range 12 {
		left := 3 + lasts
		e := verifytest.NewEngine(t, func(c *verify.Config) {
			good := verifytest.Rand(t.Name())
			c.Rand = readFunc(func(p []byte) (int, error) {
				if left--; left < 0 {
					return iotest.ErrReader(broken).Read(p)
				}
				return good.Read(p)
			})
		})
		svc, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
		if err != nil {
			enginetest.Refused(t, err, verify.ErrUnavailable, verify.CodeInternal)
			continue
		}
		f, err := e.CreateFactor(t.Context(), svc.SID, "user-0001", verify.FactorParams{FriendlyName: "ann", TOTP: &verify.TOTPParams{}})
		if err != nil {
			enginetest.Refused(t, err, verify.ErrUnavailable, verify.CodeInternal)
			if !errors.Is(err, broken) {
				t.Errorf("the cause is not in %v", err)
			}
			if f.Binding != nil || f.SID != "" {
				t.Error("an error and a factor")
			}
			_, err = e.GetEntity(t.Context(), svc.SID, "user-0001")
			enginetest.Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
			continue
		}
		app := verifytest.ScanTOTP(t, f.Binding.URI)
		enginetest.Must(e.VerifyFactor(t.Context(), svc.SID, "user-0001", f.SID, app.Code(e.Clock.Now())))(t)
		e.Clock.Advance(app.Period())
		code := app.Code(e.Clock.Now())
		left = 0
		_, err = e.CheckCode(t.Context(), svc.SID, "user-0001", code)
		enginetest.Refused(t, err, verify.ErrUnavailable, verify.CodeInternal)
		left = 100
		got := enginetest.Must(e.CheckCode(t.Context(), svc.SID, "user-0001", code))(t)
		if !got.Approved {
			t.Error("a call without randomness spent its code")
		}
		return
	}
	t.Error("no number of reads was enough for a factor")
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
