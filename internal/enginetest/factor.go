package enginetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func factorTests() []test {
	return []test{
		{"comes back as it was made", factorComesBack},
		{"starts from the service's settings and keeps them", factorDefaults},
		{"shows its binding once", factorBinding},
		{"update changes what is given", factorUpdate},
		{"new time step makes the codes of the moment useless", factorTimeStep},
		{"no way round through its settings brings a spent code back", factorRoundTrip},
		{"a narrower window and UnlockFactor bring no spent code back", factorNarrowed},
		{"deletion takes its challenges along", factorDelete},
	}
}

func factorComesBack(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	entity := Must(s.CreateEntity(t.Context(), s.Service, s.Identity))(t)
	s.Clock.Advance(time.Minute)
	p := verify.FactorParams{
		FriendlyName: "Ann’s phone", Metadata: map[string]string{"os": "plan9", "": "<&>"},
		TOTP: &verify.TOTPParams{Alg: "sha256", TimeStep: 20, CodeLength: 8, Skew: new(2)},
	}
	made := Must(s.CreateFactor(t.Context(), s.Service, s.Identity, p))(t)
	want := verify.Factor{
		SID: made.SID, AccountSID: s.AccountSID(), ServiceSID: s.Service, EntitySID: entity.SID, Identity: s.Identity,
		FriendlyName: p.FriendlyName, FactorType: verify.TOTP, Status: verify.Unverified, Metadata: p.Metadata,
		TOTP:        &verify.TOTPConfig{Alg: "sha256", TimeStep: 20, CodeLength: 8, Skew: 2},
		DateCreated: s.Clock.Now(), DateUpdated: s.Clock.Now(),
	}
	made.Binding = nil
	if !reflect.DeepEqual(made, want) {
		t.Errorf("made\n%+v\nwant\n%+v", made, want)
	}
	s.Clock.Advance(time.Hour)
	if got := Must(s.GetFactor(t.Context(), s.Service, s.Identity, made.SID))(t); !reflect.DeepEqual(got, made) {
		t.Errorf("made\n%+v\ngot\n%+v", made, got)
	}
	bare := s.Enrol(verify.TOTPParams{}).Factor
	if bare.Metadata != nil {
		t.Errorf("metadata that nobody gave: %v", bare.Metadata)
	}
}

func factorDefaults(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	standard := verify.TOTPConfig{Alg: "sha1", TimeStep: 30, CodeLength: 6, Skew: 1}
	before := s.Enrol(verify.TOTPParams{})
	if *before.Factor.TOTP != standard {
		t.Errorf("got %+v, want %+v", *before.Factor.TOTP, standard)
	}
	Must(s.UpdateService(t.Context(), s.Service, verify.ServiceUpdate{
		TOTPTimeStep: new(60), TOTPCodeLength: new(8), TOTPSkew: new(0), TOTPIssuer: new("later"),
	}))(t)
	for _, c := range []struct {
		name   string
		params verify.TOTPParams
		want   verify.TOTPConfig
	}{
		{"all the service's", verify.TOTPParams{}, verify.TOTPConfig{Alg: "sha1", TimeStep: 60, CodeLength: 8, Skew: 0}},
		{"all its own", verify.TOTPParams{Alg: "sha512", TimeStep: 20, CodeLength: 3, Skew: new(2)}, verify.TOTPConfig{Alg: "sha512", TimeStep: 20, CodeLength: 3, Skew: 2}},
		{"own skew", verify.TOTPParams{Skew: new(1)}, verify.TOTPConfig{Alg: "sha1", TimeStep: 60, CodeLength: 8, Skew: 1}},
	} {
		if got := *s.Enrol(c.params).Factor.TOTP; got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := *before.Get().TOTP; got != standard {
		t.Errorf("the service's update reached an existing factor: %+v", got)
	}
	got := Must(s.VerifyFactor(t.Context(), s.Service, s.Identity, before.Factor.SID, before.Shown()))(t)
	if got.Status != verify.Verified {
		t.Error("a factor made before the update does not verify by what it was made with")
	}
	// The service's skew of nothing said and of zero are two things.
	Must(s.UpdateService(t.Context(), s.Service, verify.ServiceUpdate{TOTPTimeStep: new(0), TOTPCodeLength: new(0)}))(t)
	if got := *s.Enrol(verify.TOTPParams{}).Factor.TOTP; got != (verify.TOTPConfig{Alg: "sha1", TimeStep: 30, CodeLength: 6, Skew: 0}) {
		t.Errorf("after taking two settings back: %+v", got)
	}
}

// TOTP-10: only the answer to the creation holds the secret.
func factorBinding(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Enrol(verify.TOTPParams{})
	if a.Factor.Binding == nil || a.Factor.Binding.Secret == "" {
		t.Fatal("no binding at creation")
	}
	binding := a.Factor.Binding
	f := Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, verify.FactorUpdate{FriendlyName: new("b")}))(t)
	factors := []verify.Factor{
		f, a.Get(),
		Must(s.VerifyFactor(t.Context(), s.Service, s.Identity, f.SID, a.Wrong()))(t),
		Must(s.VerifyFactor(t.Context(), s.Service, s.Identity, f.SID, a.Shown()))(t),
		Must(s.VerifyFactor(t.Context(), s.Service, s.Identity, f.SID, a.Shown()))(t),
		Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, f.SID))(t),
	}
	factors = append(factors, Must(s.ListFactors(t.Context(), s.Service, s.Identity, verify.PageParams{}))(t).Items...)
	for f, err := range s.Factors(t.Context(), s.Service, s.Identity) {
		factors = append(factors, Must(f, err)(t))
	}
	for i, f := range factors {
		if f.Binding != nil {
			t.Errorf("answer %d holds a binding", i)
		}
	}
	if binding != a.Factor.Binding {
		t.Error("the test lost its binding")
	}
}

func factorUpdate(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	want := a.Get()
	for _, c := range []struct {
		name   string
		update verify.FactorUpdate
		change func(*verify.Factor)
	}{
		{"nothing", verify.FactorUpdate{}, func(f *verify.Factor) {}},
		{"name", verify.FactorUpdate{FriendlyName: new("tablet")}, func(f *verify.Factor) { f.FriendlyName = "tablet" }},
		{"skew", verify.FactorUpdate{Skew: new(0)}, func(f *verify.Factor) { f.TOTP.Skew = 0 }},
		{"length", verify.FactorUpdate{CodeLength: new(8)}, func(f *verify.Factor) { f.TOTP.CodeLength = 8 }},
		{"hash", verify.FactorUpdate{Alg: new("sha512")}, func(f *verify.Factor) { f.TOTP.Alg = "sha512" }},
		{"step", verify.FactorUpdate{TimeStep: new(60)}, func(f *verify.Factor) { f.TOTP.TimeStep = 60 }},
	} {
		s.Clock.Advance(time.Minute)
		got := Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, c.update))(t)
		c.change(&want)
		want.DateUpdated = s.Clock.Now()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got\n%+v %+v\nwant\n%+v %+v", c.name, got, got.TOTP, want, want.TOTP)
		}
		if read := a.Get(); !reflect.DeepEqual(read, got) {
			t.Errorf("%s: answered\n%+v\nread\n%+v", c.name, got, read)
		}
	}
	for _, c := range []struct {
		update verify.FactorUpdate
		code   int
	}{
		{verify.FactorUpdate{FriendlyName: new("")}, verify.CodeMissingParameter},
		{verify.FactorUpdate{FriendlyName: new("x"), Skew: new(3)}, verify.CodeInvalidRequest},
		{verify.FactorUpdate{Alg: new("md5")}, verify.CodeInvalidRequest},
		{verify.FactorUpdate{TimeStep: new(0)}, verify.CodeInvalidRequest},
		{verify.FactorUpdate{CodeLength: new(9)}, verify.CodeInvalidRequest},
	} {
		_, err := s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, c.update)
		Refused(t, err, verify.ErrInvalid, c.code)
	}
	if got := a.Get(); !reflect.DeepEqual(got, want) {
		t.Errorf("refused updates changed\n%+v\nto\n%+v", want, got)
	}
}

// Step numbers count something else after the change; whatever could be accepted
// at that moment must count as spent, in both directions.
func factorTimeStep(t *testing.T, open Opener) {
	e := open(t, Unlimited)
	for _, c := range []struct{ from, to int }{{30, 60}, {60, 30}, {30, 20}, {20, 45}} {
		for _, d := range Doors() {
			s := NewScene(t, e)
			a := s.Verified(verify.TOTPParams{TimeStep: c.from, Skew: new(1)})
			updated := Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, verify.FactorUpdate{TimeStep: new(c.to)}))(t)
			b := a.Follow(updated)
			for steps := -1; steps <= 1; steps++ {
				if d.Decide(b, b.At(steps)) {
					t.Errorf("%d to %d, %s: a code %d steps from the update is accepted", c.from, c.to, d.Name, steps)
				}
			}
			b.Wait(1) // the newest step acceptable at the update is now the current one
			if d.Decide(b, b.Shown()) {
				t.Errorf("%d to %d, %s: the last code that counts as spent is accepted", c.from, c.to, d.Name)
			}
			if !d.Decide(b, b.At(1)) {
				t.Errorf("%d to %d, %s: the first later code is refused", c.from, c.to, d.Name)
			}
			b.Wait(5)
			if !d.Decide(b, b.Shown()) {
				t.Errorf("%d to %d, %s: the factor is dead", c.from, c.to, d.Name)
			}
		}
	}
}

// TOTP-2: steps never fall, also when they are counted anew. The code that was
// used may be that of the newest step that any skew accepts, and the clock may be
// back when the settings change.
func factorRoundTrip(t *testing.T, open Opener) {
	e := open(t, Unlimited)
	for _, back := range []time.Duration{0, time.Hour} {
		for skew := range 3 {
			s := NewScene(t, e)
			a := s.Verified(verify.TOTPParams{Skew: &skew})
			code := a.At(skew)
			if !Doors()[0].Decide(a, code) {
				t.Fatalf("the newest code with skew %d is refused", skew)
			}
			s.Clock.Advance(-back)
			for _, u := range []verify.FactorUpdate{
				{TimeStep: new(60), Skew: new(0)}, {TimeStep: new(20)}, {Alg: new("sha256")}, {TimeStep: new(30), Alg: new("sha1")}, {Skew: &skew},
			} {
				Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, u))(t)
			}
			s.Clock.Advance(back)
			for _, d := range Doors() {
				if d.Decide(a, code) {
					t.Errorf("%s: skew %d, %v back: a spent code is accepted after changes of the step", d.Name, skew, back)
				}
			}
		}
	}
}

// The newest code of a wide window is ahead of a narrow one; UnlockFactor must not
// take that for the work of a wrong clock.
func factorNarrowed(t *testing.T, open Opener) {
	e := open(t, Unlimited)
	for skew := 1; skew <= 2; skew++ {
		s := NewScene(t, e)
		a := s.Verified(verify.TOTPParams{Skew: &skew})
		code := a.At(skew)
		if !Doors()[0].Decide(a, code) {
			t.Fatalf("the newest code with skew %d is refused", skew)
		}
		Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, verify.FactorUpdate{Skew: new(0)}))(t)
		Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
		a.Wait(skew)
		if Doors()[0].Decide(a, code) {
			t.Errorf("skew %d to 0, unlocked: the spent code is accepted at its own time", skew)
		}
	}
}

func factorDelete(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	gone, kept := s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})
	lost, stays := gone.Challenge(), kept.Challenge()
	if err := s.DeleteFactor(t.Context(), s.Service, s.Identity, gone.Factor.SID); err != nil {
		t.Fatal(err)
	}
	_, err := s.GetChallenge(t.Context(), s.Service, s.Identity, lost.SID)
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	_, err = gone.Respond(lost.SID, gone.Shown())
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	if check := Must(s.CheckCode(t.Context(), s.Service, s.Identity, gone.Shown()))(t); check.Approved {
		t.Error("a deleted factor's code is accepted")
	}
	list := Must(s.ListChallenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{}, verify.PageParams{}))(t)
	if len(list.Items) != 1 || list.Items[0].SID != stays.SID {
		t.Errorf("left are %+v, want only %s", list.Items, stays.SID)
	}
	if got := Must(kept.Respond(stays.SID, kept.Shown()))(t); got.Status != verify.Approved {
		t.Errorf("the other factor's challenge is %s", got.Status)
	}
}
