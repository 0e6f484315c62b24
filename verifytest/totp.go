package verifytest

import (
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/seed4eca3270/verify"
)

// A TOTP is an authenticator app that has scanned one factor's QR code.
type TOTP struct {
	tb  testing.TB
	key *otp.Key
}

// ScanTOTP reads the URI of a new factor's Binding, as an app reads the QR code.
func ScanTOTP(tb testing.TB, uri string) *TOTP {
	tb.Helper()
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		tb.Fatalf("verifytest: scanning %q: %v", uri, err)
	}
	return &TOTP{tb: tb, key: key}
}

// EnrolTOTP gives an entity a verified TOTP factor, and the app that holds it. It
// moves the clock to the app's next code, because the one it verified with is
// spent.
func (e *Engine) EnrolTOTP(tb testing.TB, serviceSID, identity string) (verify.Factor, *TOTP) {
	tb.Helper()
	f, err := e.CreateFactor(tb.Context(), serviceSID, identity, verify.FactorParams{
		FriendlyName: "verifytest", TOTP: &verify.TOTPParams{},
	})
	if err != nil {
		tb.Fatalf("verifytest: enrolling: %v", err)
	}
	app := ScanTOTP(tb, f.Binding.URI)
	f, err = e.VerifyFactor(tb.Context(), serviceSID, identity, f.SID, app.Code(e.Clock.Now()))
	if err != nil || f.Status != verify.Verified {
		tb.Fatalf("verifytest: verifying the factor: %v, %v", f.Status, err)
	}
	e.Clock.Advance(app.Period())
	return f, app
}

// Code is what the app shows at the given time.
func (t *TOTP) Code(at time.Time) string {
	t.tb.Helper()
	code, err := totp.GenerateCodeCustom(t.key.Secret(), at, totp.ValidateOpts{
		Period: uint(t.key.Period()), Digits: t.key.Digits(), Algorithm: t.key.Algorithm(),
	})
	if err != nil {
		t.tb.Fatalf("verifytest: generating a code: %v", err)
	}
	return code
}

// Period is how long the app shows a code.
func (t *TOTP) Period() time.Duration { return time.Duration(t.key.Period()) * time.Second }

// WrongCode is a code of the right length that the app shows neither at the given
// time nor within five steps of it.
func (t *TOTP) WrongCode(at time.Time) string {
	t.tb.Helper()
	near := make(map[string]bool)
	for i := -5; i <= 5; i++ {
		near[t.Code(at.Add(time.Duration(i)*t.Period()))] = true
	}
	for last := byte('0'); ; last++ {
		code := []byte(t.Code(at))
		code[len(code)-1] = last
		if !near[string(code)] {
			return string(code)
		}
	}
}
