package verify_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// TestChallengeModel (CHAL-1, OTP-11) runs 20 random histories of 2,000 operations
// against an oracle written from the contract.
func TestChallengeModel(t *testing.T) {
	t.Parallel()
	seeds := 20
	if raceEnabled {
		seeds = 4
	}
	enginetest.Model(t, verifytest.NewEngine, seeds, 2000)
}

// CHAL-5: what a person reads is bounded, and shows as it is stored.
func TestChallengeDetails(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t, enginetest.Unlimited))
	a := s.Verified(verify.TOTPParams{})
	type D = verify.Details
	message := func(m string) D { return D{Message: m} }
	field := func(label, value string) D { return D{Fields: []verify.Field{{Label: label, Value: value}}} }
	fields := func(n int) D { return D{Fields: slices.Repeat([]verify.Field{{Label: "l", Value: "v"}}, n)} }
	for _, good := range []D{
		{}, message("a"), message(strings.Repeat("é", 256)), message(strings.Repeat("\n", 256)), message("two\nlines"), message("👩‍👩‍👧"), message("\"\\</script>&\u2028"),
		field("l", "v"), field(strings.Repeat("é", 36), strings.Repeat("é", 128)), fields(20),
	} {
		c, err := s.CreateChallenge(t.Context(), s.Service, s.Identity, verify.ChallengeParams{FactorSID: a.Factor.SID, Details: good})
		if err != nil || !reflect.DeepEqual(c.Details, good) {
			t.Errorf("%+v: %v, %+v", good, err, c.Details)
			continue
		}
		if got := enginetest.Must(s.GetChallenge(t.Context(), s.Service, s.Identity, c.SID))(t); !reflect.DeepEqual(got.Details, good) {
			t.Errorf("stored %+v, got %+v", good, got.Details)
		}
	}
	bad := map[string][]D{
		"Details.Message": {message(strings.Repeat("é", 257)), message("a\xffb"), message("\xed\xa0\x80")},
		"Details.Fields":  {fields(21), field("", "v"), field("l", ""), field(strings.Repeat("é", 37), "v"), field("l", strings.Repeat("é", 129)), field("a\nb", "v"), field("l", "a\nb"), field("l", "\xff")},
	}
	for _, r := range hostileRunes() {
		bad["Details.Message"] = append(bad["Details.Message"], message("a"+string(r)+"b"))
		bad["Details.Fields"] = append(bad["Details.Fields"], field("a"+string(r), "v"), field("l", string(r)+"b"))
	}
	for param, all := range bad {
		for _, d := range all {
			_, err := s.CreateChallenge(t.Context(), s.Service, s.Identity, verify.ChallengeParams{FactorSID: a.Factor.SID, Details: d})
			if got := enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest); got.Param != param {
				t.Errorf("%+q: the error is about %q, want %q", d, got.Param, param)
			}
		}
	}
}

// hostileRunes are the control characters but the line end, and the marks that
// make text display in another order than it is stored in.
func hostileRunes() (all []rune) {
	for r := range rune(0xa0) {
		if r < 0x20 && r != '\n' || r >= 0x7f {
			all = append(all, r)
		}
	}
	return append(all, '\u061c', '\u200e', '\u200f', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069')
}

func TestChallengeMaps(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t, enginetest.Unlimited))
	a := s.Verified(verify.TOTPParams{})
	of := func(n int, char string) map[string]string {
		return map[string]string{"k": strings.Repeat(char, n-len(`{"k":""}`))}
	}
	hide := func(m map[string]string) (map[string]string, error) {
		c, err := s.CreateChallenge(t.Context(), s.Service, s.Identity, verify.ChallengeParams{FactorSID: a.Factor.SID, HiddenDetails: m})
		return c.HiddenDetails, err
	}
	remember := func(m map[string]string) (map[string]string, error) {
		c, err := s.RespondChallenge(t.Context(), s.Service, s.Identity, a.Challenge().SID, verify.ChallengeResponse{Metadata: m})
		return c.Metadata, err
	}
	for param, call := range map[string]func(map[string]string) (map[string]string, error){"HiddenDetails": hide, "Metadata": remember} {
		for _, good := range []map[string]string{{}, {"": ""}, {"a": "\x00\u202e\n\"\\"}, of(1024, "x"), of(1024, "é"), of(1024, "<")} {
			if got, err := call(good); err != nil || !reflect.DeepEqual(got, good) {
				t.Errorf("%s of %d characters: %v", param, len(fmt.Sprint(good)), err)
			}
		}
		for _, bad := range []map[string]string{of(1025, "x"), of(1025, "é"), {"\xff": ""}, {"": "\xff"}} {
			_, err := call(bad)
			if got := enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest); got.Param != param {
				t.Errorf("the error is about %q, want %q", got.Param, param)
			}
		}
	}
}

// A refused challenge names what is missing before what is wrong, and nothing is
// stored or counted: with a window of one there is still room.
func TestChallengeRefusedLeavesNothing(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t, func(c *verify.Config) { c.Limits.ChallengesPerHour = 1; c.Limits.FactorFailures = 1 }))
	a := s.Verified(verify.TOTPParams{})
	for _, c := range []struct {
		p     verify.ChallengeParams
		code  int
		param string
	}{
		{verify.ChallengeParams{}, verify.CodeMissingParameter, "FactorSid"},
		{verify.ChallengeParams{AuthPayload: a.Shown()}, verify.CodeMissingParameter, "FactorSid"},
		{verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: a.Shown() + "0"}, verify.CodeInvalidRequest, "AuthPayload"},
		{verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: a.Shown(), ExpirationDate: s.Clock.Now()}, verify.CodeInvalidRequest, "ExpirationDate"},
		{verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: a.Shown(), Details: verify.Details{Message: "\x00"}}, verify.CodeInvalidRequest, "Details.Message"},
	} {
		_, err := s.CreateChallenge(t.Context(), s.Service, s.Identity, c.p)
		if got := enginetest.Refused(t, err, verify.ErrInvalid, c.code); got.Param != c.param {
			t.Errorf("the error is about %q, want %q", got.Param, c.param)
		}
	}
	page := enginetest.Must(s.ListChallenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{}, verify.PageParams{}))(t)
	if len(page.Items) != 0 {
		t.Errorf("%d challenges are stored", len(page.Items))
	}
	if !enginetest.Doors()[0].Decide(a, a.Shown()) {
		t.Error("the code was spent")
	}
}

// An interloper is randomness that does something else first. An engine reads it
// after it has looked at a code and before it writes.
type interloper struct {
	io.Reader
	do func()
}

func (i *interloper) Read(p []byte) (int, error) {
	if do := i.do; do != nil {
		i.do = nil
		do()
	}
	return i.Reader.Read(p)
}

// overtaking are what another engine may do between the two.
var overtaking = []struct {
	name string
	do   func(t *testing.T, s *enginetest.Scene, a *enginetest.App)
	want error // what the call is refused with; nil: it is decided
	ok   bool  // and the code is right
}{
	{"nothing", func(*testing.T, *enginetest.Scene, *enginetest.App) {}, nil, true},
	{"the same code", func(t *testing.T, s *enginetest.Scene, a *enginetest.App) {
		if !enginetest.Doors()[0].Decide(a, a.Shown()) {
			t.Error("the first use is refused")
		}
	}, nil, false},
	{"a later code", func(t *testing.T, s *enginetest.Scene, a *enginetest.App) {
		enginetest.Doors()[0].Decide(a, a.At(1))
	}, nil, false},
	{"an earlier code", func(t *testing.T, s *enginetest.Scene, a *enginetest.App) {
		enginetest.Doors()[0].Decide(a, a.At(-1))
	}, nil, true},
	{"deletion of the factor", func(t *testing.T, s *enginetest.Scene, a *enginetest.App) {
		if err := s.DeleteFactor(t.Context(), s.Service, s.Identity, a.Factor.SID); err != nil {
			t.Error(err)
		}
	}, verify.ErrNotFound, false},
	{"deletion of the service", func(t *testing.T, s *enginetest.Scene, a *enginetest.App) {
		if err := s.DeleteService(t.Context(), s.Service); err != nil {
			t.Error(err)
		}
	}, verify.ErrNotFound, false},
	{"the lock", func(t *testing.T, s *enginetest.Scene, a *enginetest.App) {
		for range 3 {
			enginetest.Doors()[0].Decide(a, a.Wrong())
		}
	}, verify.ErrLocked, false},
	{"a longer step", func(t *testing.T, s *enginetest.Scene, a *enginetest.App) {
		enginetest.Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, verify.FactorUpdate{TimeStep: new(60)}))(t)
	}, nil, false},
}

// Whatever another engine does between the look at a code and the write, the code
// is right at most once, and what was done holds.
func TestChallengeOvertaken(t *testing.T) {
	t.Parallel()
	for _, c := range overtaking {
		for _, d := range []enginetest.Door{enginetest.Doors()[0], enginetest.Doors()[2]} {
			t.Run(c.name+", "+d.Name, func(t *testing.T) {
				t.Parallel()
				m := newMFAFile(t)
				limit := func(cfg *verify.Config) { cfg.Limits.FactorFailures = 3 }
				s := enginetest.NewScene(t, m.open(limit))
				a := s.Verified(verify.TOTPParams{})
				random := &interloper{Reader: verifytest.Rand(t.Name())}
				slow := m.open(limit, func(cfg *verify.Config) { cfg.Rand = random })
				random.do = func() { c.do(t, s, a) }
				got, err := d.Try(a.On(slow), a.Shown())
				if c.want != nil && !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if got != c.ok {
					t.Errorf("approved: %t, want %t", got, c.ok)
				}
				if c.want != nil {
					return
				}
				// Nothing that happened in between may cost the factor its life.
				a = a.Follow(a.Get())
				a.Wait(5)
				if !enginetest.Doors()[0].Decide(a, a.Shown()) {
					t.Error("the factor is dead")
				}
			})
		}
	}
}

// Two engines can draw the same SID. The second starts over, and what it has
// found out about the code by then must be forgotten: here the code is used up
// between its two tries.
func TestChallengeStartsOver(t *testing.T) {
	t.Parallel()
	for _, d := range []enginetest.Door{enginetest.Doors()[0], enginetest.Doors()[2]} {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			m := newMFAFile(t)
			one := m.open(func(cfg *verify.Config) { cfg.Rand = lowest{} })
			a := enginetest.NewScene(t, one).Verified(verify.TOTPParams{})
			random := &interloper{Reader: lowest{}}
			other := a.On(m.open(func(cfg *verify.Config) { cfg.Rand = random }))
			tries := 0
			random.do = func() {
				tries++
				enginetest.Doors()[0].Decide(a, a.Wrong()) // takes the key that is drawn next
				random.do = func() {
					tries++
					if !enginetest.Doors()[0].Decide(a, a.Shown()) {
						t.Error("the first use is refused")
					}
				}
			}
			if d.Decide(other, a.Shown()) {
				t.Error("a code is accepted twice")
			}
			if tries != 2 {
				t.Errorf("the engine drew %d times: no SID was drawn twice", tries)
			}
		})
	}
}

// lowest is randomness whose every SID is the first of its millisecond.
type lowest struct{}

func (lowest) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
