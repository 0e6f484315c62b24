package verifytest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

// RFC 6238 appendix B, time 59, and its prefixes by length.
func TestTOTPCode(t *testing.T) {
	t.Parallel()
	const uri = "otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=a&algorithm=%s&digits=%d&period=%d"
	for _, c := range []struct {
		alg            string
		digits, period int
		at             int64
		want           string
	}{
		{"SHA1", 8, 30, 59, "94287082"}, {"SHA1", 6, 30, 59, "287082"}, {"SHA1", 3, 30, 59, "082"}, {"SHA1", 8, 60, 119, "94287082"},
		{"SHA1", 8, 20, 20, "94287082"}, {"SHA1", 8, 30, 1111111109, "07081804"}, {"SHA256", 8, 30, 59, "32247374"}, {"SHA512", 8, 30, 59, "69342147"},
	} {
		app := verifytest.ScanTOTP(t, fmt.Sprintf(uri, c.alg, c.digits, c.period))
		if got := app.Code(time.Unix(c.at, 0)); got != c.want {
			t.Errorf("%s, %d digits, %d s, at %d: %s, want %s", c.alg, c.digits, c.period, c.at, got, c.want)
		}
		if got, want := app.Period(), time.Duration(c.period)*time.Second; got != want {
			t.Errorf("period %v, want %v", got, want)
		}
	}
}

// A wrong code has the right form and is not accepted: for no length, at no time,
// with no skew.
func TestTOTPWrongCode(t *testing.T) {
	t.Parallel()
	for digits := 3; digits <= 8; digits++ {
		e, f := enrolled(t, t, verify.TOTPParams{CodeLength: digits, Skew: new(2)})
		app := verifytest.ScanTOTP(t, f.Binding.URI)
		f, err := e.VerifyFactor(t.Context(), f.ServiceSID, identity, f.SID, app.Code(e.Clock.Now()))
		if err != nil || f.Status != verify.Verified {
			t.Fatalf("%v, %s", err, f.Status)
		}
		for i := range 300 {
			at := e.Clock.Now().Add(time.Duration(i) * app.Period())
			code := app.WrongCode(at)
			if len(code) != digits {
				t.Fatalf("%d digits: %q", digits, code)
			}
			for steps := -5; steps <= 5; steps++ {
				if code == app.Code(at.Add(time.Duration(steps)*app.Period())) {
					t.Fatalf("%d digits: shown %d steps from %v", digits, steps, at)
				}
			}
			for _, c := range []byte(code) {
				if c < '0' || c > '9' {
					t.Fatalf("%d digits: %q", digits, code)
				}
			}
		}
		e.Clock.Advance(10 * app.Period())
		got, err := e.CheckCode(t.Context(), f.ServiceSID, identity, app.WrongCode(e.Clock.Now()))
		if err != nil || got.Approved {
			t.Errorf("%d digits: %t, %v", digits, got.Approved, err)
		}
	}
}

// What cannot be scanned ends the test that scans it.
func TestScanTOTPRefuses(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"%", "otpauth://totp/a:b?secret=1&issuer=a"} {
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			verifytest.ScanTOTP(r, uri).Code(time.Unix(0, 0))
		}()
		<-done
		if !r.failed {
			t.Errorf("%q was scanned", uri)
		}
	}
}
