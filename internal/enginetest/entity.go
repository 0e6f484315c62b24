package enginetest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func entityTests() []test {
	return []test{
		{"comes back as it was made", entityComesBack},
		{"is unique whatever the case", entityUnique},
		{"is made by its first factor", entityByFactor},
		{"is another one after its deletion", entityAgain},
		{"is not touched by a namesake's deletion", entityNamesake},
	}
}

func entityComesBack(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	made := Must(s.CreateEntity(t.Context(), s.Service, "Ann-0001"))(t)
	want := verify.Entity{
		SID: made.SID, AccountSID: s.AccountSID(), ServiceSID: s.Service, Identity: "Ann-0001",
		DateCreated: s.Clock.Now(), DateUpdated: s.Clock.Now(),
	}
	if made != want {
		t.Errorf("made\n%+v\nwant\n%+v", made, want)
	}
	s.Clock.Advance(time.Hour)
	if got := Must(s.GetEntity(t.Context(), s.Service, "ann-0001"))(t); got != made {
		t.Errorf("made\n%+v\ngot\n%+v", made, got)
	}
}

func entityUnique(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	made := Must(s.CreateEntity(t.Context(), s.Service, "Ann-0001"))(t)
	for _, spelled := range []string{"Ann-0001", "ann-0001", "ANN-0001", "aNN-0001"} {
		_, err := s.CreateEntity(t.Context(), s.Service, spelled)
		Refused(t, err, verify.ErrConflict, verify.CodeEntityExists)
		if got := Must(s.GetEntity(t.Context(), s.Service, spelled))(t); got.Identity != "Ann-0001" || got.SID != made.SID {
			t.Errorf("%s: got %+v", spelled, got)
		}
		f := s.As(spelled).Enrol(verify.TOTPParams{}).Factor
		if f.Identity != "Ann-0001" || f.EntitySID != made.SID {
			t.Errorf("%s: the factor is %s's, of %s", spelled, f.Identity, f.EntitySID)
		}
	}
	// Dashes do tell identities apart, and so do services.
	Must(s.CreateEntity(t.Context(), s.Service, "Ann0001-"))(t)
	Must(s.CreateEntity(t.Context(), NewScene(t, s.Engine).Service, "Ann-0001"))(t)
}

func entityByFactor(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	// A factor that is refused makes none.
	for _, p := range []verify.FactorParams{
		{TOTP: &verify.TOTPParams{}},
		{FriendlyName: "ann"},
		{FriendlyName: "ann", TOTP: &verify.TOTPParams{Secret: "AAAA"}},
	} {
		if _, err := s.CreateFactor(t.Context(), s.Service, s.Identity, p); err == nil {
			t.Fatalf("made with %+v", p)
		}
		_, err := s.GetEntity(t.Context(), s.Service, s.Identity)
		Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	}
	f := s.Enrol(verify.TOTPParams{}).Factor
	got := Must(s.GetEntity(t.Context(), s.Service, s.Identity))(t)
	if got.SID != f.EntitySID || got.Identity != s.Identity || got.SID[2:] == f.SID[2:] {
		t.Errorf("made %+v with factor %+v", got, f)
	}
	_, err := s.CreateEntity(t.Context(), s.Service, s.Identity)
	Refused(t, err, verify.ErrConflict, verify.CodeEntityExists)
	if again := s.Enrol(verify.TOTPParams{}).Factor; again.EntitySID != f.EntitySID {
		t.Errorf("the second factor is of %s, the first of %s", again.EntitySID, f.EntitySID)
	}
}

// Nothing of a deleted entity comes back with its name: no factor, no challenge,
// no spent step, no lock, no window.
func entityAgain(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorsPerDay = 2; c.Limits.FactorFailures = 1 }))
	secret := "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	old := s.Verified(verify.TOTPParams{Secret: secret})
	challenge := old.Challenge()
	Doors()[0].Decide(old, old.Wrong()) // locks it
	s.Enrol(verify.TOTPParams{})        // fills the window
	before := Must(s.GetEntity(t.Context(), s.Service, s.Identity))(t)

	if err := s.DeleteEntity(t.Context(), s.Service, strings.ToUpper(s.Identity)); err != nil {
		t.Fatal(err)
	}
	Refused(t, s.DeleteEntity(t.Context(), s.Service, s.Identity), verify.ErrNotFound, verify.CodeNotFound)
	_, err := old.Respond(challenge.SID, old.Shown())
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)

	code := old.Shown()
	now := s.Enrol(verify.TOTPParams{Secret: secret})
	if now.Factor.EntitySID == before.SID || now.Factor.SID == old.Factor.SID {
		t.Error("SIDs are used again")
	}
	got := Must(s.VerifyFactor(t.Context(), s.Service, s.Identity, now.Factor.SID, code))(t)
	if got.Status != verify.Verified || got.Locked {
		t.Errorf("the new factor is %s, locked: %t", got.Status, got.Locked)
	}
	_, err = s.GetFactor(t.Context(), s.Service, s.Identity, old.Factor.SID)
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	_, err = s.GetChallenge(t.Context(), s.Service, s.Identity, challenge.SID)
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	factors := Must(s.ListFactors(t.Context(), s.Service, s.Identity, verify.PageParams{}))(t)
	challenges := Must(s.ListChallenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{}, verify.PageParams{}))(t)
	if len(factors.Items) != 1 || len(challenges.Items) != 0 {
		t.Errorf("the new user has %d factors and %d challenges", len(factors.Items), len(challenges.Items))
	}
}

func entityNamesake(t *testing.T, open Opener) {
	e := open(t)
	gone, kept := NewScene(t, e), NewScene(t, e)
	gone.Verified(verify.TOTPParams{})
	app := kept.Verified(verify.TOTPParams{})
	before := Must(kept.GetEntity(t.Context(), kept.Service, kept.Identity))(t)
	if err := e.DeleteEntity(t.Context(), gone.Service, gone.Identity); err != nil {
		t.Fatal(err)
	}
	for _, d := range Doors() {
		if !d.Decide(app, app.Shown()) {
			t.Errorf("%s: the namesake is refused", d.Name)
		}
		app.Wait(1)
	}
	if got := Must(kept.GetEntity(t.Context(), kept.Service, kept.Identity))(t); !reflect.DeepEqual(got, before) {
		t.Errorf("was\n%+v\nis\n%+v", before, got)
	}
}
