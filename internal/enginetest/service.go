package enginetest

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func serviceTests() []test {
	return []test{
		{"comes back as it was made", serviceComesBack},
		{"update leaves what is nil", serviceUpdateLeaves},
		{"update that is refused changes nothing", serviceUpdateRefused},
		{"concurrent updates lose nothing", serviceUpdatesMeet},
		{"delete takes everything below", serviceDelete},
	}
}

// fullService has every field away from its zero.
func fullService() verify.ServiceParams {
	return verify.ServiceParams{
		FriendlyName: "Acme 1234", CodeLength: 8, LookupEnabled: true, SkipSMSToLandlines: true, DTMFInputRequired: true,
		TTSName: "Polly", PSD2Enabled: true, DoNotShareWarningEnabled: true, CustomCodeEnabled: true,
		Push: verify.PushSettings{
			IncludeDate: true, APNCredentialSID: "CR00000000000000000000000000000001", FCMCredentialSID: "CR00000000000000000000000000000002",
		},
		TOTP:               verify.TOTPSettings{Issuer: "Acme Login", TimeStep: 60, CodeLength: 8, Skew: new(0)},
		DefaultTemplateSID: "HJ00000000000000000000000000000003",
		WhatsApp:           verify.WhatsAppSettings{MsgServiceSID: "MG00000000000000000000000000000004", From: "whatsapp:+15017122661"},
		Passkeys: verify.PasskeySettings{
			RelyingPartyID: "example.com", RelyingPartyName: "Example", RelyingPartyOrigins: []string{"https://example.com"},
			AuthenticatorAttachment: "platform", DiscoverableCredentials: "required", UserVerification: "preferred",
		},
		VerifyEventSubscriptionEnabled: true,
	}
}

func serviceComesBack(t *testing.T, open Opener) {
	e := open(t)
	for _, p := range []verify.ServiceParams{{FriendlyName: "Acme"}, fullService()} {
		made := Must(e.CreateService(t.Context(), p))(t)
		want := p
		if want.CodeLength == 0 {
			want.CodeLength = 6
		}
		if !reflect.DeepEqual(made.ServiceParams, want) {
			t.Errorf("made with\n%+v\ngot\n%+v", want, made.ServiceParams)
		}
		if !made.DateCreated.Equal(e.Clock.Now()) || !made.DateUpdated.Equal(made.DateCreated) {
			t.Errorf("made at %v, updated at %v, the clock shows %v", made.DateCreated, made.DateUpdated, e.Clock.Now())
		}
		if made.AccountSID != e.AccountSID() {
			t.Errorf("account %q, want %q", made.AccountSID, e.AccountSID())
		}
		if got := Must(e.GetService(t.Context(), made.SID))(t); !reflect.DeepEqual(got, made) {
			t.Errorf("made\n%+v\ngot\n%+v", made, got)
		}
	}
}

// Each field alone, by reflection: an update of it must change it and no other.
func serviceUpdateLeaves(t *testing.T, open Opener) {
	e := open(t)
	full := reflect.ValueOf(fullUpdate())
	for i := range full.NumField() {
		name := full.Type().Field(i).Name
		svc := Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme", LookupEnabled: name == "SkipSMSToLandlines"}))(t)
		e.Clock.Advance(time.Second)
		var u verify.ServiceUpdate
		reflect.ValueOf(&u).Elem().Field(i).Set(full.Field(i))
		got := Must(e.UpdateService(t.Context(), svc.SID, u))(t)
		if n := differences(reflect.ValueOf(svc.ServiceParams), reflect.ValueOf(got.ServiceParams)); n != 1 {
			t.Errorf("%s: %d settings changed, want 1:\n%+v\n%+v", name, n, svc, got)
		}
		if !got.DateUpdated.Equal(e.Clock.Now()) || !got.DateCreated.Equal(svc.DateCreated) {
			t.Errorf("%s: made %v, updated %v, the clock shows %v", name, got.DateCreated, got.DateUpdated, e.Clock.Now())
		}
		if again := Must(e.UpdateService(t.Context(), svc.SID, verify.ServiceUpdate{}))(t); !reflect.DeepEqual(again, got) {
			t.Errorf("%s: the empty update changed\n%+v\nto\n%+v", name, got, again)
		}
	}
	svc := Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"}))(t)
	if got := Must(e.UpdateService(t.Context(), svc.SID, fullUpdate()))(t); !reflect.DeepEqual(got.ServiceParams, fullService()) {
		t.Errorf("all fields at once:\n%+v\nwant\n%+v", got.ServiceParams, fullService())
	}
}

// fullUpdate changes every field of a plain service into fullService's.
func fullUpdate() verify.ServiceUpdate {
	p := fullService()
	return verify.ServiceUpdate{
		FriendlyName: &p.FriendlyName, CodeLength: &p.CodeLength, LookupEnabled: &p.LookupEnabled,
		SkipSMSToLandlines: &p.SkipSMSToLandlines, DTMFInputRequired: &p.DTMFInputRequired, TTSName: &p.TTSName,
		PSD2Enabled: &p.PSD2Enabled, DoNotShareWarningEnabled: &p.DoNotShareWarningEnabled, CustomCodeEnabled: &p.CustomCodeEnabled,
		PushIncludeDate: &p.Push.IncludeDate, PushAPNCredentialSID: &p.Push.APNCredentialSID, PushFCMCredentialSID: &p.Push.FCMCredentialSID,
		TOTPIssuer: &p.TOTP.Issuer, TOTPTimeStep: &p.TOTP.TimeStep, TOTPCodeLength: &p.TOTP.CodeLength, TOTPSkew: p.TOTP.Skew,
		DefaultTemplateSID: &p.DefaultTemplateSID, WhatsAppMsgServiceSID: &p.WhatsApp.MsgServiceSID, WhatsAppFrom: &p.WhatsApp.From,
		RelyingPartyID: &p.Passkeys.RelyingPartyID, RelyingPartyName: &p.Passkeys.RelyingPartyName,
		RelyingPartyOrigins: &p.Passkeys.RelyingPartyOrigins, AuthenticatorAttachment: &p.Passkeys.AuthenticatorAttachment,
		DiscoverableCredentials: &p.Passkeys.DiscoverableCredentials, UserVerification: &p.Passkeys.UserVerification,
		VerifyEventSubscriptionEnabled: &p.VerifyEventSubscriptionEnabled,
	}
}

// differences counts the settings, however deep, in which two structs differ.
func differences(a, b reflect.Value) (n int) {
	for i := range a.NumField() {
		switch x, y := a.Field(i), b.Field(i); {
		case x.Kind() == reflect.Struct:
			n += differences(x, y)
		case !reflect.DeepEqual(x.Interface(), y.Interface()):
			n++
		}
	}
	return n
}

func serviceUpdateRefused(t *testing.T, open Opener) {
	e := open(t)
	svc := Must(e.CreateService(t.Context(), fullService()))(t)
	for _, u := range []verify.ServiceUpdate{
		{CodeLength: new(11), TTSName: new("other")},
		{LookupEnabled: new(false)}, // SkipSMSToLandlines needs it
		{FriendlyName: new("a name with 12345")},
	} {
		_, err := e.UpdateService(t.Context(), svc.SID, u)
		Refused(t, err, verify.ErrInvalid, verify.CodeInvalidParameter)
	}
	_, err := e.UpdateService(t.Context(), svc.SID, verify.ServiceUpdate{FriendlyName: new("")})
	Refused(t, err, verify.ErrInvalid, verify.CodeMissingParameter)
	if got := Must(e.GetService(t.Context(), svc.SID))(t); !reflect.DeepEqual(got, svc) {
		t.Errorf("was\n%+v\nis\n%+v", svc, got)
	}
}

// Eight goroutines set a field each. An update may be told that others kept
// changing the service; then it has changed nothing and starts over.
func serviceUpdatesMeet(t *testing.T, open Opener) {
	e := open(t)
	svc := Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"}))(t)
	full := reflect.ValueOf(fullUpdate())
	names := []string{"FriendlyName", "CodeLength", "LookupEnabled", "TTSName", "PSD2Enabled", "TOTPIssuer", "RelyingPartyID", "UserVerification"}
	const rounds = 10
	for range rounds {
		Must(e.UpdateService(t.Context(), svc.SID, verify.ServiceUpdate{
			FriendlyName: new("Acme"), CodeLength: new(6), LookupEnabled: new(false), TTSName: new(""), PSD2Enabled: new(false),
			TOTPIssuer: new(""), RelyingPartyID: new(""), UserVerification: new(""),
		}))(t)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for _, name := range names {
			wg.Go(func() {
				var u verify.ServiceUpdate
				reflect.ValueOf(&u).Elem().FieldByName(name).Set(full.FieldByName(name))
				<-start
				for {
					_, err := e.UpdateService(t.Context(), svc.SID, u)
					if err == nil {
						return
					}
					if !errors.Is(err, verify.ErrConflict) {
						t.Errorf("%s: %v", name, err)
						return
					}
				}
			})
		}
		close(start)
		wg.Wait()
		got := Must(e.GetService(t.Context(), svc.SID))(t)
		if n := differences(reflect.ValueOf(svc.ServiceParams), reflect.ValueOf(got.ServiceParams)); n != len(names) {
			t.Fatalf("%d of %d updates are there: %+v", n, len(names), got.ServiceParams)
		}
	}
}

func serviceDelete(t *testing.T, open Opener) {
	e := open(t)
	gone, kept := NewScene(t, e), NewScene(t, e)
	lost, app := gone.Verified(verify.TOTPParams{}), kept.Verified(verify.TOTPParams{})
	challenge := lost.Challenge()
	if err := e.DeleteService(t.Context(), gone.Service); err != nil {
		t.Fatal(err)
	}
	_, err := e.GetService(t.Context(), gone.Service)
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	_, err = gone.GetEntity(t.Context(), gone.Service, gone.Identity)
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	_, err = gone.GetFactor(t.Context(), gone.Service, gone.Identity, lost.Factor.SID)
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	_, err = lost.Respond(challenge.SID, lost.Shown())
	Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
	for _, d := range Doors() {
		_, err := d.Try(lost, lost.Shown())
		Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
		if !d.Decide(app, app.Shown()) {
			t.Errorf("%s: the same user of another service is refused", d.Name)
		}
		app.Wait(1)
	}
	Refused(t, e.DeleteService(t.Context(), gone.Service), verify.ErrNotFound, verify.CodeNotFound)
	for svc, err := range e.Services(t.Context()) {
		if err != nil || svc.SID != kept.Service {
			t.Errorf("listed %s (%v), want only %s", svc.SID, err, kept.Service)
		}
	}
}
