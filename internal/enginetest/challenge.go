package enginetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func challengeTests() []test {
	return []test{
		{"comes back as it was made", challengeComesBack},
		{"with its code is answered at once", challengeAtOnce},
		{"right answer approves", challengeRight},
		{"wrong answers are no errors, five are the end", challengeWrong},
		{"metadata alone leaves it pending", challengeMetadata},
		{"answered is answered", challengeResponded},
		{"expires at its time", challengeExpires},
		{"limit of the expiry", challengeExpiryBounds},
		{"one factor's code is no answer for another", challengeBound},
	}
}

func (s *Scene) challenge(p verify.ChallengeParams) (verify.Challenge, error) {
	return s.CreateChallenge(s.ctx(), s.Service, s.Identity, p)
}

func (s *Scene) readChallenge(sid string) verify.Challenge {
	s.TB.Helper()
	return Must(s.GetChallenge(s.ctx(), s.Service, s.Identity, sid))(s.TB)
}

func challengeComesBack(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	p := verify.ChallengeParams{
		FactorSID: a.Factor.SID, ExpirationDate: s.Clock.Now().Add(time.Hour).In(time.FixedZone("UTC+5", 5*3600)),
		Details:       verify.Details{Message: "Pay\n10 €?", Fields: []verify.Field{{Label: "To", Value: "<Bob & Sons>"}, {Label: "To", Value: "twice"}}},
		HiddenDetails: map[string]string{"ip": "172.16.1.2", "quote": `"\`},
	}
	made := Must(s.challenge(p))(t)
	want := verify.Challenge{
		SID: made.SID, AccountSID: s.AccountSID(), ServiceSID: s.Service, EntitySID: a.Factor.EntitySID, Identity: s.Identity,
		FactorSID: a.Factor.SID, FactorType: verify.TOTP, Status: verify.Pending, Details: p.Details, HiddenDetails: p.HiddenDetails,
		ExpirationDate: s.Clock.Now().Add(time.Hour), DateCreated: s.Clock.Now(), DateUpdated: s.Clock.Now(),
	}
	if !reflect.DeepEqual(made, want) {
		t.Errorf("made\n%+v\nwant\n%+v", made, want)
	}
	if got := s.readChallenge(made.SID); !reflect.DeepEqual(got, made) {
		t.Errorf("made\n%+v\ngot\n%+v", made, got)
	}
	bare := a.Challenge()
	if !reflect.DeepEqual(bare.Details, verify.Details{}) || bare.HiddenDetails != nil || bare.Metadata != nil {
		t.Errorf("details that nobody gave: %+v", bare)
	}
	if want := s.Clock.Now().Add(5 * time.Minute); !bare.ExpirationDate.Equal(want) {
		t.Errorf("expires %v, want %v", bare.ExpirationDate, want)
	}
}

func challengeAtOnce(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	right := Must(s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: a.Shown()}))(t)
	if right.Status != verify.Approved || right.WrongCodes != 0 || !right.DateResponded.Equal(s.Clock.Now()) {
		t.Errorf("right code: %+v", right)
	}
	wrong := Must(s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: a.Wrong()}))(t)
	if wrong.Status != verify.Pending || wrong.WrongCodes != 1 || !wrong.DateResponded.IsZero() {
		t.Errorf("wrong code: %+v", wrong)
	}
	for _, c := range []verify.Challenge{right, wrong} {
		if got := s.readChallenge(c.SID); !reflect.DeepEqual(got, c) {
			t.Errorf("made\n%+v\ngot\n%+v", c, got)
		}
	}
	a.Wait(1)
	if got := Must(a.Respond(wrong.SID, a.Shown()))(t); got.Status != verify.Approved || got.WrongCodes != 1 {
		t.Errorf("then the right one: %+v", got)
	}
}

func challengeRight(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	made := a.Challenge()
	s.Clock.Advance(time.Second)
	got := Must(s.RespondChallenge(t.Context(), s.Service, s.Identity, made.SID, verify.ChallengeResponse{
		AuthPayload: a.Shown(), Metadata: map[string]string{"from": "phone"},
	}))(t)
	want := made
	want.Status, want.Metadata = verify.Approved, map[string]string{"from": "phone"}
	want.DateUpdated, want.DateResponded = s.Clock.Now(), s.Clock.Now()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if read := s.readChallenge(made.SID); !reflect.DeepEqual(read, want) {
		t.Errorf("read\n%+v\nwant\n%+v", read, want)
	}
}

func challengeWrong(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	made := a.Challenge()
	for i := range 5 {
		got := Must(a.Respond(made.SID, a.Wrong()))(t)
		if got.Status != verify.Pending || got.WrongCodes != i+1 || !got.DateResponded.IsZero() {
			t.Errorf("wrong code %d: %+v", i+1, got)
		}
	}
	full := s.readChallenge(made.SID)
	_, wrong := a.Respond(made.SID, a.Wrong())
	Refused(t, wrong, verify.ErrRateLimited, verify.CodeChallengeAttempts)
	_, right := a.Respond(made.SID, a.Shown())
	if !reflect.DeepEqual(right, wrong) {
		t.Errorf("right code: %#v, wrong code: %#v", right, wrong)
	}
	_, err := s.RespondChallenge(t.Context(), s.Service, s.Identity, made.SID, verify.ChallengeResponse{Metadata: map[string]string{"a": "b"}})
	Refused(t, err, verify.ErrRateLimited, verify.CodeChallengeAttempts)
	if got := s.readChallenge(made.SID); !reflect.DeepEqual(got, full) {
		t.Errorf("was\n%+v\nis\n%+v", full, got)
	}
	// The code that came too late is not spent: another challenge takes it.
	if got := Must(a.Respond(a.Challenge().SID, a.Shown()))(t); got.Status != verify.Approved {
		t.Error("a refused answer spent its code")
	}
}

func challengeMetadata(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	want := a.Challenge()
	respond := func(r verify.ChallengeResponse) (verify.Challenge, error) {
		return s.RespondChallenge(t.Context(), s.Service, s.Identity, want.SID, r)
	}
	for _, m := range []map[string]string{{"a": "b"}, {}, {"c": "d"}} {
		s.Clock.Advance(time.Second)
		want.Metadata, want.DateUpdated = m, s.Clock.Now()
		if got := Must(respond(verify.ChallengeResponse{Metadata: m}))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%+v\nwant\n%+v", got, want)
		}
	}
	_, err := respond(verify.ChallengeResponse{})
	Refused(t, err, verify.ErrInvalid, verify.CodeMissingParameter)
	// A wrong code keeps what there is unless it brings its own.
	if got := Must(respond(verify.ChallengeResponse{AuthPayload: a.Wrong()}))(t); !reflect.DeepEqual(got.Metadata, want.Metadata) {
		t.Errorf("after a wrong code: %v", got.Metadata)
	}
	got := Must(respond(verify.ChallengeResponse{AuthPayload: a.Wrong(), Metadata: map[string]string{"e": "f"}}))(t)
	if !reflect.DeepEqual(got.Metadata, map[string]string{"e": "f"}) || got.WrongCodes != 2 {
		t.Errorf("after a wrong code with metadata: %+v", got)
	}
	if got := Must(respond(verify.ChallengeResponse{AuthPayload: a.Shown()}))(t); got.Status != verify.Approved || got.Metadata["e"] != "f" {
		t.Errorf("after the right code: %+v", got)
	}
}

// In no closed state does the answer depend on the code, and nothing changes.
func challengeResponded(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	made := a.Challenge()
	Must(a.Respond(made.SID, a.Shown()))(t)
	a.Wait(1)
	want := s.readChallenge(made.SID)
	for _, expired := range []bool{false, true} {
		for _, r := range []verify.ChallengeResponse{
			{AuthPayload: a.Shown()}, {AuthPayload: a.Wrong()}, {AuthPayload: "x"}, {Metadata: map[string]string{"a": "b"}},
		} {
			_, err := s.RespondChallenge(t.Context(), s.Service, s.Identity, made.SID, r)
			Refused(t, err, verify.ErrForbidden, verify.CodeChallengeResponded)
		}
		if got := s.readChallenge(made.SID); !reflect.DeepEqual(got, want) {
			t.Errorf("past its time: %t: was\n%+v\nis\n%+v", expired, want, got)
		}
		s.Clock.Advance(time.Hour)
	}
	s.Clock.Advance(-2 * time.Hour)
	if !Doors()[0].Decide(a, a.Shown()) {
		t.Error("a refused answer spent its code, or was counted")
	}
}

// CHAL-2, OTP-2: valid strictly before its time only, at the precision stored.
func challengeExpires(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	for _, c := range []struct {
		before time.Duration // the challenge's time
		open   bool
	}{{time.Second, true}, {time.Microsecond, true}, {time.Nanosecond, true}, {0, false}, {-time.Nanosecond, false}, {-time.Hour, false}} {
		a.Wait(10)
		made := a.Challenge()
		s.Clock.Set(made.ExpirationDate.Add(-c.before))
		if got := s.readChallenge(made.SID).Status; (got == verify.Pending) != c.open || (got == verify.Expired) == c.open {
			t.Errorf("%v before its time it is %s", c.before, got)
		}
		if !c.open {
			for _, code := range []string{a.Shown(), a.Wrong()} {
				_, err := a.Respond(made.SID, code)
				Refused(t, err, verify.ErrForbidden, verify.CodeChallengeExpired)
			}
			if got := s.readChallenge(made.SID); got.Status != verify.Expired || got.WrongCodes != 0 {
				t.Errorf("after an answer that came too late: %+v", got)
			}
		}
		if got, err := a.Respond(made.SID, a.Shown()); c.open && (err != nil || got.Status != verify.Approved) {
			t.Errorf("%v before its time: %s, %v", c.before, got.Status, err)
		}
	}
}

func challengeExpiryBounds(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited))
	a := s.Verified(verify.TOTPParams{})
	now := s.Clock.Now()
	for _, c := range []struct {
		at time.Time
		ok bool
	}{
		{now.Add(-time.Hour), false}, {now.Add(-1), false}, {now, false}, {now.Add(time.Microsecond), true},
		{now.Add(time.Hour), true}, {now.Add(time.Hour + time.Microsecond), false}, {now.Add(24 * time.Hour), false},
		{time.Unix(0, 0), false}, {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), false}, {time.Unix(1<<40, 0), false},
	} {
		made, err := s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, ExpirationDate: c.at})
		if !c.ok {
			e := Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
			if e.Param != "ExpirationDate" {
				t.Errorf("%v: the error is about %q", c.at, e.Param)
			}
			continue
		}
		if err != nil || made.Status != verify.Pending || !made.ExpirationDate.Equal(c.at) {
			t.Errorf("%v: %v, %+v", c.at, err, made)
		}
	}
	// A nanosecond is below what is stored: it must not make a challenge that has
	// expired before it is answered, nor one that lives for longer than an hour.
	_, err := s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, ExpirationDate: now.Add(1)})
	Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
	made, err := s.challenge(verify.ChallengeParams{FactorSID: a.Factor.SID, ExpirationDate: now.Add(time.Hour + 1)})
	if err == nil && made.ExpirationDate.After(now.Add(time.Hour)) {
		t.Errorf("made until %v, more than an hour ahead", made.ExpirationDate)
	}
}

// CHAL-3, OTP-7: the code of one factor, user or service is wrong for another.
func challengeBound(t *testing.T, open Opener) {
	e := open(t)
	s := NewScene(t, e)
	a := s.Verified(verify.TOTPParams{})
	for name, other := range map[string]*App{
		"another factor": s.Verified(verify.TOTPParams{}), "another user": s.As("user-0002").Verified(verify.TOTPParams{}),
		"another service": NewScene(t, e).Verified(verify.TOTPParams{}),
	} {
		made := a.Challenge()
		if got := Must(a.Respond(made.SID, other.Shown()))(t); got.Status != verify.Pending || got.WrongCodes != 1 {
			t.Errorf("%s's code: %+v", name, got)
		}
		if got := Must(other.Respond(other.Challenge().SID, other.Shown()))(t); got.Status != verify.Approved {
			t.Errorf("%s's code was spent by showing it to the wrong challenge", name)
		}
		if got := Must(a.Respond(made.SID, a.Shown()))(t); got.Status != verify.Approved {
			t.Errorf("the right code after %s's: %s", name, got.Status)
		}
		a.Wait(1)
	}
}
