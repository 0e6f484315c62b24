package verify_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// RATE-9 with several factors: which of them a code is right for must not show in
// the refusal, although each has reasons of its own to refuse.
func TestCheckCodeRefusalTellsNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		ruin func(t *testing.T, a, b *enginetest.App)
	}{
		{"both locked", func(t *testing.T, a, b *enginetest.App) { lock(t, a); lock(t, b) }},
		{"one locked, one full", func(t *testing.T, a, b *enginetest.App) { lock(t, a); fill(b) }},
		{"one full, one locked", func(t *testing.T, a, b *enginetest.App) { fill(a); lock(t, b) }},
		{"full for different times", func(t *testing.T, a, b *enginetest.App) { fill(a); a.Wait(7); fill(b) }},
		{"full for different times, the other way round", func(t *testing.T, a, b *enginetest.App) { fill(b); a.Wait(7); fill(a) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := verifytest.NewEngine(t, func(cfg *verify.Config) { cfg.Limits.FactorFailures = 2; cfg.Limits.ChallengesPerHour = 3 })
			s := enginetest.NewScene(t, e)
			a, b := s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})
			c.ruin(t, a, b)
			_, want := s.CheckCode(t.Context(), s.Service, s.Identity, a.Wrong())
			if want == nil {
				t.Fatal("a code is looked at")
			}
			for _, code := range []string{a.Shown(), a.At(-1), b.Shown(), b.At(1), b.Wrong(), a.Shown()} {
				if _, err := s.CheckCode(t.Context(), s.Service, s.Identity, code); !reflect.DeepEqual(err, want) {
					t.Errorf("%s: %#v, another code: %#v", code, err, want)
				}
			}
		})
	}
}

func lock(t *testing.T, a *enginetest.App) {
	t.Helper()
	for range 2 {
		enginetest.Doors()[0].Decide(a, a.Wrong())
	}
	if !a.Get().Locked {
		t.Fatal("the factor is not locked")
	}
}

func fill(a *enginetest.App) {
	for range 3 {
		a.Challenge()
	}
}

// OBS-2: a lock and an unlock are told once each, when they happen, by the name of
// the factor; neither guesses nor refusals are.
func TestLocksAreLoggedOnce(t *testing.T) {
	t.Parallel()
	for _, d := range enginetest.Doors() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			e := verifytest.NewEngine(t, func(c *verify.Config) {
				c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				c.Limits.FactorFailures, c.Limits.EnrolmentAttempts = 3, 2
			})
			s := enginetest.NewScene(t, e)
			enrolment := s.Enrol(verify.TOTPParams{})
			for range 2 {
				enginetest.Must(s.VerifyFactor(t.Context(), s.Service, s.Identity, enrolment.Factor.SID, enrolment.Wrong()))(t)
			}
			wantRecords(t, &log, "WARN", enrolment.Factor.SID)
			a := s.Verified(verify.TOTPParams{})
			for range 2 {
				for range 2 {
					d.Decide(a, a.Wrong())
				}
				wantRecords(t, &log, "", "")
				d.Decide(a, a.Wrong())
				wantRecords(t, &log, "WARN", a.Factor.SID)
				for range 3 {
					if _, err := d.Try(a, a.Shown()); err == nil {
						t.Fatal("the factor is not locked")
					}
				}
				wantRecords(t, &log, "", "")
				enginetest.Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
				wantRecords(t, &log, "INFO", a.Factor.SID)
			}
		})
	}
}

// wantRecords takes the records that were written since the last call: one of the
// given level about the factor, or none if level is empty.
func wantRecords(t *testing.T, log *bytes.Buffer, level, factor string) {
	t.Helper()
	var records []map[string]any
	for dec := json.NewDecoder(log); dec.More(); {
		var r map[string]any
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if level == "" && len(records) == 0 {
		return
	}
	if len(records) != 1 || records[0]["level"] != level || records[0]["factor"] != factor {
		t.Errorf("records %v, want one of level %q about %q", records, level, factor)
	}
	log.Reset()
}

// An approval by CheckCode is a challenge like others: it is in the list, and a
// second answer to it is refused.
func TestCheckCodeApprovalIsAChallenge(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t))
	a := s.Verified(verify.TOTPParams{})
	got := enginetest.Must(s.CheckCode(t.Context(), s.Service, s.Identity, a.Shown()))(t)
	a.Wait(1)
	_, err := a.Respond(got.Challenge.SID, a.Shown())
	enginetest.Refused(t, err, verify.ErrForbidden, verify.CodeChallengeResponded)
	s.Clock.Advance(time.Hour)
	list := enginetest.Must(s.ListChallenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{Status: verify.Approved}, verify.PageParams{}))(t)
	if len(list.Items) != 1 || !reflect.DeepEqual(list.Items[0], got.Challenge) {
		t.Errorf("listed %+v, want %+v", list.Items, got.Challenge)
	}
}
