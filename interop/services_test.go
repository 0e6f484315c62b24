package interop

import (
	"testing"
	"time"

	api "github.com/twilio/twilio-go/rest/verify/v2"
)

func createService(t *testing.T, w *world, name string) string {
	t.Helper()
	s, err := w.CreateService(new(api.CreateServiceParams).SetFriendlyName(name))
	ok(t, err)
	return *s.Sid
}

// Every parameter of a service comes back as Twilio would send it.
func testServiceSettings(t *testing.T, w *world) {
	params := new(api.CreateServiceParams).
		SetFriendlyName("Acme 2-factor").
		SetCodeLength(8).
		SetLookupEnabled(true).
		SetSkipSmsToLandlines(true).
		SetDtmfInputRequired(true).
		SetTtsName("voice").
		SetPsd2Enabled(true).
		SetDoNotShareWarningEnabled(true).
		SetCustomCodeEnabled(true).
		SetPushIncludeDate(true).
		SetPushApnCredentialSid("CRaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").
		SetPushFcmCredentialSid("CRbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb").
		SetTotpIssuer("Acme Ltd").
		SetTotpTimeStep(60).
		SetTotpCodeLength(8).
		SetTotpSkew(0).
		SetDefaultTemplateSid("HJaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").
		SetWhatsappMsgServiceSid("MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").
		SetWhatsappFrom("+15017122661").
		SetPasskeysRelyingPartyId("example.com").
		SetPasskeysRelyingPartyName("Acme").
		SetPasskeysRelyingPartyOrigins("https://example.com,https://login.example.com").
		SetPasskeysAuthenticatorAttachment("platform").
		SetPasskeysDiscoverableCredentials("preferred").
		SetPasskeysUserVerification("required").
		SetVerifyEventSubscriptionEnabled(true)
	s, err := w.CreateService(params)
	ok(t, err)
	is(t, "AccountSid", s.AccountSid, accountSID)
	is(t, "FriendlyName", s.FriendlyName, "Acme 2-factor")
	is(t, "CodeLength", &s.CodeLength, 8)
	is(t, "LookupEnabled", s.LookupEnabled, true)
	is(t, "SkipSmsToLandlines", s.SkipSmsToLandlines, true)
	is(t, "DtmfInputRequired", s.DtmfInputRequired, true)
	is(t, "TtsName", s.TtsName, "voice")
	is(t, "Psd2Enabled", s.Psd2Enabled, true)
	is(t, "DoNotShareWarningEnabled", s.DoNotShareWarningEnabled, true)
	is(t, "CustomCodeEnabled", s.CustomCodeEnabled, true)
	isJSON(t, "Push", s.Push, `{"apn_credential_sid":"CRaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","fcm_credential_sid":"CRbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","include_date":true}`)
	isJSON(t, "Totp", s.Totp, `{"code_length":8,"issuer":"Acme Ltd","skew":0,"time_step":60}`)
	is(t, "DefaultTemplateSid", s.DefaultTemplateSid, "HJaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	isJSON(t, "Whatsapp", s.Whatsapp, `{"from":"whatsapp:+15017122661","msg_service_sid":"MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`)
	isJSON(t, "Passkeys", s.Passkeys, `{"authenticator_attachment":"platform","discoverable_credentials":"preferred",`+
		`"relying_party":{"id":"example.com","name":"Acme","origins":["https://example.com","https://login.example.com"]},"user_verification":"required"}`)
	is(t, "VerifyEventSubscriptionEnabled", s.VerifyEventSubscriptionEnabled, true)
	isTime(t, "DateCreated", s.DateCreated, w.Clock.Now())
	isTime(t, "DateUpdated", s.DateUpdated, w.Clock.Now())
	url := w.origin + "/v2/Services/" + *s.Sid
	is(t, "Url", s.Url, url)
	isJSON(t, "Links", s.Links, `{"access_tokens":"`+url+`/AccessTokens","entities":"`+url+`/Entities","messaging_configurations":"`+url+`/MessagingConfigurations",`+
		`"rate_limits":"`+url+`/RateLimits","verification_checks":"`+url+`/VerificationCheck","verifications":"`+url+`/Verifications","webhooks":"`+url+`/Webhooks"}`)
}

// What was not given is null or Twilio's default.
func testServiceDefaults(t *testing.T, w *world) {
	s, err := w.CreateService(new(api.CreateServiceParams).SetFriendlyName("Ärzte-Praxis"))
	ok(t, err)
	is(t, "FriendlyName", s.FriendlyName, "Ärzte-Praxis")
	is(t, "CodeLength", &s.CodeLength, 6)
	is(t, "LookupEnabled", s.LookupEnabled, false)
	is(t, "DtmfInputRequired", s.DtmfInputRequired, false)
	isNull(t, "TtsName", s.TtsName)
	isNull(t, "DefaultTemplateSid", s.DefaultTemplateSid)
	isJSON(t, "Push", s.Push, `{"apn_credential_sid":null,"fcm_credential_sid":null,"include_date":false}`)
	isJSON(t, "Totp", s.Totp, `{"code_length":null,"issuer":null,"skew":null,"time_step":null}`)
	isJSON(t, "Whatsapp", s.Whatsapp, `{"from":null,"msg_service_sid":null}`)
	isJSON(t, "Passkeys", s.Passkeys, `{"authenticator_attachment":null,"discoverable_credentials":null,`+
		`"relying_party":{"id":null,"name":null,"origins":null},"user_verification":null}`)
}

func testServiceLife(t *testing.T, w *world) {
	created, err := w.CreateService(new(api.CreateServiceParams).SetFriendlyName("Acme").SetTtsName("voice").SetTotpSkew(2))
	ok(t, err)
	fetched, err := w.FetchService(*created.Sid)
	ok(t, err)
	isJSON(t, "fetched", fetched, text(t, created))

	w.Clock.Advance(time.Minute)
	updated, err := w.UpdateService(*created.Sid, new(api.UpdateServiceParams).SetFriendlyName("Acme Two").SetCodeLength(4).SetTtsName(""))
	ok(t, err)
	is(t, "FriendlyName", updated.FriendlyName, "Acme Two")
	is(t, "CodeLength", &updated.CodeLength, 4)
	isNull(t, "TtsName", updated.TtsName)
	isJSON(t, "Totp, which was left alone", updated.Totp, `{"code_length":null,"issuer":null,"skew":2,"time_step":null}`)
	isTime(t, "DateCreated", updated.DateCreated, *created.DateCreated)
	isTime(t, "DateUpdated", updated.DateUpdated, w.Clock.Now())
	again, err := w.FetchService(*created.Sid)
	ok(t, err)
	isJSON(t, "fetched after the update", again, text(t, updated))

	// What is below a service goes with it.
	_, err = w.CreateEntity(*created.Sid, new(api.CreateEntityParams).SetIdentity("user-0001"))
	ok(t, err)
	ok(t, w.DeleteService(*created.Sid))
	_, err = w.FetchService(*created.Sid)
	refused(t, err, 404, 20404)
	_, err = w.UpdateService(*created.Sid, new(api.UpdateServiceParams).SetFriendlyName("Acme"))
	refused(t, err, 404, 20404)
	_, err = w.FetchEntity(*created.Sid, "user-0001")
	refused(t, err, 404, 20404)
	refused(t, w.DeleteService(*created.Sid), 404, 20404)
}

func testServiceRefusals(t *testing.T, w *world) {
	sid := createService(t, w, "Acme")
	for name, params := range map[string]*api.CreateServiceParams{
		"five digits":     new(api.CreateServiceParams).SetFriendlyName("Acme 12345"),
		"too long":        new(api.CreateServiceParams).SetFriendlyName("a name of thirty-three characters"),
		"odd character":   new(api.CreateServiceParams).SetFriendlyName("Acme!"),
		"long code":       new(api.CreateServiceParams).SetFriendlyName("Acme").SetCodeLength(11),
		"short time step": new(api.CreateServiceParams).SetFriendlyName("Acme").SetTotpTimeStep(19),
		"wide skew":       new(api.CreateServiceParams).SetFriendlyName("Acme").SetTotpSkew(3),
		"no lookup":       new(api.CreateServiceParams).SetFriendlyName("Acme").SetSkipSmsToLandlines(true),
		"foreign SID":     new(api.CreateServiceParams).SetFriendlyName("Acme").SetPushApnCredentialSid("CR1"),
		"no origin":       new(api.CreateServiceParams).SetFriendlyName("Acme").SetPasskeysRelyingPartyOrigins("example.com"),
		"no wish":         new(api.CreateServiceParams).SetFriendlyName("Acme").SetPasskeysUserVerification("always"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.CreateService(params)
			refused(t, err, 400, 60200)
		})
	}
	_, err := w.CreateService(new(api.CreateServiceParams).SetCodeLength(6))
	refused(t, err, 400, 20001)
	_, err = w.UpdateService(sid, new(api.UpdateServiceParams).SetCodeLength(3))
	refused(t, err, 400, 60200)
	_, err = w.UpdateService(sid, new(api.UpdateServiceParams).SetFriendlyName(""))
	refused(t, err, 400, 20001)
	_, err = w.FetchService("VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	refused(t, err, 404, 20404)
}
