package enginetest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func spellingTests() []test {
	return []test{
		{"a code has one spelling", spellings},
		{"an enrolment's code has one spelling", spellingsEnrolment},
		{"the spellings have teeth", spellingTeeth},
	}
}

// The code of the counter 25193 of RFC 4226's key is 000039, which a number
// parser takes for 39.
const (
	leadingZeros = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	zerosAt      = 25193 * 30
)

// spellingsOf are texts that one or another parser takes for the code.
func spellingsOf(code string) []string {
	digits := func(zero rune) string {
		return strings.Map(func(r rune) rune { return zero + r - '0' }, code)
	}
	twice := strings.ReplaceAll(url.QueryEscape("%"+fmt.Sprintf("%x", code[0])), "+", "%20") + code[1:]
	return []string{
		" " + code, code + " ", code + "\n", "\t" + code, code + "\r\n", code + "\u00a0", code + "\u200b", "\ufeff" + code,
		code[:3] + " " + code[3:], code[:3] + "-" + code[3:],
		digits('０'), digits('٠'), digits('𝟎'), digits('०'), code[:5] + string('０'+rune(code[5]-'0')),
		"+" + code, "-" + code, "0" + code, code + "0", code[:5], code[1:], code + "\x00", "\x00" + code, code + ".0", code + "e0",
		"+" + code[1:], "-" + code[1:], " " + code[1:], code[1:] + " ", code[:5] + "\n", code[:5] + "\x00", "0x0027", "000_39", "0b0039",
		twice, "%30" + code[1:], code + code, strings.Repeat("0", 4096) + code, strings.Repeat("9", 4096),
		"      ", "\u200b\u200b", "１２３４５６", "١٢٣٤٥٦",
	}
}

// TOTP-4: no other spelling is looked at, so none succeeds and none counts.
func spellings(t *testing.T, open Opener) {
	for _, d := range Doors() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			// A budget of one: a spelling that counted would lock the factor.
			s := NewScene(t, open(t, Unlimited, func(c *verify.Config) { c.Limits.FactorFailures = 1 }))
			s.Clock.Set(time.Unix(zerosAt-3600, 0))
			a := s.Verified(verify.TOTPParams{Secret: leadingZeros})
			s.Clock.Set(time.Unix(zerosAt, 0))
			code := a.Shown()
			if code != "000039" {
				t.Fatalf("the code is %s, want 000039", code)
			}
			refuseAll := func(when string) {
				for _, spelled := range spellingsOf(code) {
					approved, err := d.Try(a, spelled)
					if approved {
						t.Errorf("%s its use %q is accepted", when, spelled)
					}
					Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
				}
				if a.Get().Locked {
					t.Fatalf("%s its use a spelling counted", when)
				}
			}
			refuseAll("before")
			if !d.Decide(a, code) {
				t.Error("the code itself is refused")
			}
			refuseAll("after")
			if _, err := s.check(""); err == nil {
				t.Error("the empty code is looked at")
			}
			if d.Decide(a, code) {
				t.Error("the code itself is accepted again")
			}
		})
	}
}

func spellingsEnrolment(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.EnrolmentAttempts = 1 }))
	a := s.Enrol(verify.TOTPParams{Secret: leadingZeros})
	s.Clock.Set(time.Unix(zerosAt, 0))
	for _, spelled := range append(spellingsOf("000039"), "") {
		_, err := a.verify(spelled)
		Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
	}
	if got := Must(a.verify("000039"))(t); got.Status != verify.Verified {
		t.Error("the code itself is refused after its spellings")
	}
}

func spellingTeeth(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{Secret: leadingZeros})
	s.Clock.Set(time.Unix(zerosAt, 0))
	twin := trimming{app: a, used: make(map[string]bool)}
	if !twin.try(a.Shown()) || twin.try(a.Shown()) {
		t.Fatal("the twin must take the code itself once, and refuse what is spelled the same")
	}
	fooled := 0
	for _, spelled := range spellingsOf(a.Shown()) {
		if twin.try(spelled) {
			fooled++
		}
	}
	if fooled < 10 {
		t.Errorf("%d spellings fool an acceptor that trims", fooled)
	}
}
