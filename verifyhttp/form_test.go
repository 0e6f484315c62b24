package verifyhttp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify/verifyhttp"
)

// naiveForm is how one reads parameters at first: whatever net/http has found,
// wherever it was, the first of each.
func naiveForm(next http.Handler, a http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	first := url.Values{}
	for key := range r.Form {
		first.Set(key, r.Form.Get(key))
	}
	text := first.Encode()
	again := parse(r.Method, r.URL.EscapedPath()+"?"+text, strings.NewReader(text))
	next.ServeHTTP(a, again)
}

func TestDottedKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post("/v2/Services", "FriendlyName", "Acme", "Totp.Issuer", "Acme Inc", "Totp.TimeStep", "60", "Totp.CodeLength", "8", "Totp.Skew", "0",
		"Push.IncludeDate", "true", "Push.ApnCredentialSid", "CR"+strings.Repeat("a", 32), "Whatsapp.From", "+15017122661",
		"Passkeys.RelyingParty.Id", "example.com", "Passkeys.RelyingParty.Origins", "https://example.com, https://login.example.com").want(201, 0).
		is("totp.issuer", "Acme Inc").is("totp.time_step", 60).is("totp.code_length", 8).is("totp.skew", 0).
		is("push.include_date", true).is("push.apn_credential_sid", "CR"+strings.Repeat("a", 32)).is("push.fcm_credential_sid", nil).
		is("whatsapp.from", "whatsapp:+15017122661").is("passkeys.relying_party.id", "example.com").
		is("passkeys.relying_party.origins.0", "https://example.com").is("passkeys.relying_party.origins.1", "https://login.example.com").
		is("passkeys.relying_party.origins.2", nil)
	// Keys have one spelling, and what is unknown is ignored.
	for _, key := range []string{"friendlyname", "FriendlyName[]", "FriendlyName.", " FriendlyName", "Friendly_Name"} {
		w.post("/v2/Services", key, "Acme").want(400, 20001)
	}
	w.post("/v2/Services", "FriendlyName", "Acme", "MailerSid", "MD1", "MailerSid", "MD2", "friendlyname", "Other", "totp.issuer", "x", "CodeLength[]", "9").
		want(201, 0).is("friendly_name", "Acme").is("totp.issuer", nil).is("code_length", 6)
}

// checkRepeated: of two values one could be checked and the other used (HTTP-5).
func checkRepeated(w *world) (wrongs []string) {
	service := w.service()
	entity := w.entity(service, ann)
	a := w.enrol(entity)
	for _, c := range []struct{ method, path, base, keys string }{
		{"POST", "/v2/Services", "FriendlyName=Acme", "FriendlyName CodeLength LookupEnabled SkipSmsToLandlines DtmfInputRequired TtsName " +
			"Psd2Enabled DoNotShareWarningEnabled CustomCodeEnabled Push.IncludeDate Push.ApnCredentialSid Push.FcmCredentialSid " +
			"Totp.Issuer Totp.TimeStep Totp.CodeLength Totp.Skew DefaultTemplateSid Whatsapp.MsgServiceSid Whatsapp.From " +
			"Passkeys.RelyingParty.Id Passkeys.RelyingParty.Name Passkeys.RelyingParty.Origins Passkeys.AuthenticatorAttachment " +
			"Passkeys.DiscoverableCredentials Passkeys.UserVerification VerifyEventSubscriptionEnabled"},
		{"POST", service, "", "FriendlyName CodeLength Totp.Issuer Totp.Skew LookupEnabled"},
		{"POST", service + "/Entities", "Identity=" + bob, "Identity"},
		{"POST", entity + "/Factors", "FactorType=totp&FriendlyName=x", "FactorType FriendlyName Binding.Secret Config.Alg Config.TimeStep Config.CodeLength Config.Skew Metadata"},
		{"POST", a.factor, "", "AuthPayload FriendlyName Config.Alg Config.TimeStep Config.CodeLength Config.Skew"},
		{"POST", entity + "/Challenges", "FactorSid=" + a.sid, "FactorSid AuthPayload ExpirationDate Details.Message HiddenDetails"},
		{"GET", "/v2/Services", "", "PageSize Page PageToken pageToken"},
		{"GET", entity + "/Factors", "", "PageSize Page PageToken"},
		{"GET", entity + "/Challenges", "", "PageSize Page PageToken FactorSid Status Order"},
	} {
		for key := range strings.FieldsSeq(c.keys) {
			value := map[string]string{
				"FriendlyName": "Acme", "Identity": bob, "FactorType": "totp", "FactorSid": a.sid, "AuthPayload": a.shown(), "Config.Alg": "sha1",
				"Config.TimeStep": "30", "Config.CodeLength": "6", "Totp.TimeStep": "30", "Totp.CodeLength": "6", "CodeLength": "6", "Totp.Skew": "1", "Config.Skew": "1",
				"HiddenDetails": "{}", "Metadata": "{}", "Status": "pending", "Order": "asc", "PageSize": "1", "Page": "1", "ExpirationDate": "2026-01-01T12:04:00Z",
			}[key]
			text := c.base
			for range 2 { // once more than the base has it already
				text = strings.TrimPrefix(text+"&"+key+"="+url.QueryEscape(value), "&")
			}
			r := w.request(c.method, c.path, text)
			if c.method == "GET" {
				r = w.request("GET", c.path+"?"+text, "")
			}
			if got := w.send(r); !got.got(400, 60306) && !got.got(400, 60200) {
				wrongf(&wrongs, "%s %s: %s twice: got %d %s", c.method, c.path, key, got.status, got.body)
			}
		}
	}
	return wrongs
}

func TestRepeatedScalarsAreRefused(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkRepeated(newWorld(t)))
	refusesTwin(t, checkRepeated(newWorld(t).twin(naiveForm)))
}

// checkQuery: queries end up in logs, so that of a POST says nothing (HTTP-5).
func checkQuery(w *world) (wrongs []string) {
	if a := w.send(w.request("POST", "/v2/Services?FriendlyName=Acme", "")); !a.got(400, 20001) {
		wrongf(&wrongs, "a service was made of a query: %d", a.status)
	}
	entity := w.entity(w.service(), ann)
	a := w.enrol(entity)
	if got := w.send(w.request("POST", a.factor+"?AuthPayload="+a.shown(), "FriendlyName=x")); got.text("status") != "unverified" {
		wrongf(&wrongs, "verified by a query: %d %s", got.status, got.body)
	}
	a.verify(a.shown())
	a.wait(2)
	if got := w.send(w.request("POST", entity+"/Challenges?AuthPayload="+a.shown(), "FactorSid="+a.sid)); got.text("status") != "pending" {
		wrongf(&wrongs, "approved by a query: %d %s", got.status, got.body)
	}
	sid := a.challenge().text("sid")
	if got := w.send(w.request("POST", entity+"/Challenges/"+sid+"?AuthPayload="+a.shown(), "")); !got.got(400, 20001) {
		wrongf(&wrongs, "answered by a query: %d %s", got.status, got.body)
	}
	// Nor does a query spoil what the body says.
	for _, query := range []string{"%zz", "FriendlyName=Evil", "CodeLength=x", "%00", strings.Repeat("a&", 600)} {
		if got := w.send(w.request("POST", "/v2/Services?"+query, "FriendlyName=Acme")); !got.got(201, 0) || got.text("friendly_name") != "Acme" {
			wrongf(&wrongs, "spoilt by ?%.20s: %d %s", query, got.status, got.body)
		}
	}
	return wrongs
}

func TestQueryOfPostIsIgnored(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkQuery(newWorld(t)))
	refusesTwin(t, checkQuery(newWorld(t).twin(naiveForm)))
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	factors := w.entity(w.service(), ann) + "/Factors"
	for i, c := range []struct{ text, name string }{
		{"FriendlyName=a+b", "a b"},
		{"FriendlyName=a%20b", "a b"},
		{"FriendlyName=a%2Bb", "a+b"},
		{"FriendlyName=a;b", "a;b"}, // raw, as the iOS SDK sends it
		{"FriendlyName=a%3Bb", "a;b"},
		{"FriendlyName=;&", ";"},
		{"FriendlyName=a;FriendlyName=b", "a;FriendlyName=b"},
		{"FriendlyName=a=b", "a=b"},
		{"FriendlyName=J%C3%BCrgen", "Jürgen"},
		{"FriendlyName=Jürgen", "Jürgen"},
		{"%46riendlyName=x", "x"},
		{"FriendlyName=%2525", "%25"}, // once
		{"&&FriendlyName=a&&", "a"},
	} {
		got := w.send(w.request("POST", factors, c.text+"&FactorType=totp"))
		if !got.got(201, 0) || got.text("friendly_name") != c.name {
			t.Errorf("%d: %s: got %d %s", i, c.text, got.status, got.body)
		}
	}
	for _, bad := range []string{
		"%zz", "%", "a%", "a=%f", "a=%zz", "%00=a", "a=%00", "a=x\x00y", "a=\xff", "a=%ff", "%c0%af=a", "a=%c0%af", "a=%ed%a0%80", "\xe9=1", "a=%f4%90%80%80", "a=%FE",
	} {
		if got := w.send(w.request("POST", factors, "FactorType=totp&FriendlyName=x&"+bad)); !got.got(400, 20400) {
			t.Errorf("%q: got %d %s", bad, got.status, got.body)
		}
		r := w.request("GET", "/v2/Services", "")
		r.URL.RawQuery = bad
		if got := w.send(r); !got.got(400, 20400) {
			t.Errorf("?%q: got %d %s", bad, got.status, got.body)
		}
	}
}

// twilio-go writes a backslash before the dots of keys in queries.
func TestBackslashedQueryKeys(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]url.Values{
		"ChannelData%5C.To=%2B15017122661&Page=1": {"ChannelData.To": {"+15017122661"}, "Page": {"1"}},
		"ChannelData.To=a;b":                      {"ChannelData.To": {"a;b"}},
		"A%5C.B%5C.C=1":                           {"A.B.C": {"1"}},
		"A%5CB=1":                                 {`A\B`: {"1"}},
	} {
		got, err := verifyhttp.Parameters(parse("GET", "/v2/Attempts?"+query, nil))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, %v, want %v", query, got, err, want)
		}
	}
}

func TestManyParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	most := slices.Repeat([]string{"a=1"}, verifyhttp.MaxParameters-1)
	body := strings.Join(append(most, "FriendlyName=Acme"), "&")
	w.send(w.request("POST", "/v2/Services", body)).want(201, 0)
	w.send(w.request("POST", "/v2/Services", body+"&a")).want(400, 20400)
	w.send(w.request("POST", "/v2/Services", "FriendlyName=Acme"+strings.Repeat("&a", 20000))).want(400, 20400)
	w.send(w.request("GET", "/v2/Services?"+strings.Repeat("a=1&", 20000), "")).want(400, 20400)
	if got := len(w.get("/v2/Services").value("services").([]any)); got != 1 {
		t.Errorf("%d services, want the one", got)
	}
}
