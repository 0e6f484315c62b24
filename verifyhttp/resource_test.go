package verifyhttp_test

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
)

// has compares an object's keys; those of its dates and URLs as well, if any.
func (a answer) has(path, keys string) answer {
	a.tb.Helper()
	want := strings.Fields(keys)
	slices.Sort(want)
	if got := a.keys(path); !slices.Equal(got, want) {
		a.tb.Errorf("%q has keys\n%q, want\n%q", path, got, want)
	}
	return a
}

const (
	serviceKeys = "sid account_sid friendly_name code_length lookup_enabled psd2_enabled skip_sms_to_landlines dtmf_input_required tts_name " +
		"do_not_share_warning_enabled custom_code_enabled push totp whatsapp passkeys default_template_sid verify_event_subscription_enabled " +
		"date_created date_updated url links"
	entityKeys    = "sid identity account_sid service_sid date_created date_updated url links"
	factorKeys    = "sid account_sid service_sid entity_sid identity date_created date_updated friendly_name status factor_type config metadata url"
	challengeKeys = "sid account_sid service_sid entity_sid identity factor_sid date_created date_updated date_responded expiration_date status " +
		"responded_reason details hidden_details metadata factor_type url links"
)

// A Twilio client finds every key it knows, null where there is nothing: some
// make something up for a key that is missing.
func TestEveryKeyIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.post("/v2/Services", "FriendlyName", "Acme").want(201, 0)
	service.has("push", "include_date apn_credential_sid fcm_credential_sid").has("totp", "issuer time_step code_length skew").has("whatsapp", "msg_service_sid from").
		has("passkeys", "relying_party authenticator_attachment discoverable_credentials user_verification").has("passkeys.relying_party", "id name origins").
		has("links", "verification_checks verifications rate_limits messaging_configurations entities webhooks access_tokens")
	for _, key := range strings.Fields("tts_name push.apn_credential_sid push.fcm_credential_sid totp.issuer totp.time_step totp.code_length totp.skew whatsapp.msg_service_sid " +
		"whatsapp.from passkeys.relying_party.id passkeys.relying_party.name passkeys.relying_party.origins passkeys.authenticator_attachment " +
		"passkeys.discoverable_credentials passkeys.user_verification default_template_sid") {
		service.is(key, nil)
	}
	for _, key := range strings.Fields("lookup_enabled psd2_enabled custom_code_enabled push.include_date verify_event_subscription_enabled") {
		service.is(key, false)
	}
	service.is("code_length", 6)

	path := "/v2/Services/" + service.text("sid")
	entity := w.post(path+"/Entities", "Identity", ann).want(201, 0)
	entity.has("links", "factors new_factors challenges")
	created := w.post(path+"/Entities/"+ann+"/Factors", "FriendlyName", "x", "FactorType", "totp").want(201, 0)
	created.has("", factorKeys+" binding options").has("binding", "secret uri").is("options", nil)
	created.has("config", "alg skew code_length time_step").is("config.alg", "sha1").is("config.time_step", 30).is("metadata", nil).is("status", "unverified")
	a := &app{TOTP: w.scan(created), w: w, entity: path + "/Entities/" + ann, sid: created.text("sid"), factor: path + "/Entities/" + ann + "/Factors/" + created.text("sid")}
	factor := a.verify(a.shown()).want(200, 0)
	challenge := a.challenge().want(201, 0)
	challenge.has("details", "message fields").has("links", "notifications").is("date_responded", nil).is("hidden_details", nil).is("metadata", nil).
		is("responded_reason", "none").is("details.message", "").is("factor_type", "totp")
	if fields, ok := challenge.value("details.fields").([]any); !ok || len(fields) != 0 {
		t.Errorf("details.fields is %v", challenge.value("details.fields"))
	}
	a.wait(3)
	approved := a.respond(challenge.text("sid"), a.shown()).want(200, 0).is("status", "approved")
	approved.is("date_responded", w.engine.Clock.Now().Format("2006-01-02T15:04:05Z"))

	for what, as := range map[string][]answer{
		serviceKeys:   {service, w.get(path), w.post(path, "CodeLength", "7"), w.post(path)},
		entityKeys:    {entity, w.get(path + "/Entities/" + ann)},
		factorKeys:    {factor, w.get(a.factor), w.post(a.factor, "FriendlyName", "y"), w.post(a.factor)},
		challengeKeys: {challenge, approved, w.get(a.entity + "/Challenges/" + challenge.text("sid")), a.challenge(a.wrong())},
	} {
		for i, got := range as {
			if got.status >= 300 {
				t.Errorf("answer %d: %d %s", i, got.status, got.body)
			}
			got.has("", what)
		}
	}
	for target, keys := range map[string]string{
		"/v2/Services": serviceKeys, path + "/Entities": entityKeys, a.entity + "/Factors": factorKeys, a.entity + "/Challenges": challengeKeys,
	} {
		key := strings.ToLower(target[strings.LastIndexByte(target, '/')+1:])
		w.get(target).want(200, 0).has("", "meta "+key).has(key+".0", keys)
	}
	empty := w.get(w.service()+"/Entities").want(200, 0)
	if items, ok := empty.value("entities").([]any); !ok || len(items) != 0 {
		t.Errorf("no entities are %s", empty.body)
	}
}

var anyDate = regexp.MustCompile(`"(?:date_\w+|expiration_date)":("[^"]*"|null)`)

// Clients read dates in whole seconds of UTC, whatever the clock says.
func TestDatesAreWholeSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Clock.Advance(123456789)
	a := w.verified(w.entity(w.service(), ann))
	a.challenge(a.shown()).want(201, 0)
	a.challenge().want(201, 0)
	n := 0
	for _, target := range []string{"/v2/Services", a.entity[:strings.LastIndexByte(a.entity, '/')], a.entity, a.factor, a.entity + "/Factors", a.entity + "/Challenges"} {
		for _, m := range anyDate.FindAllStringSubmatch(string(w.get(target).want(200, 0).body), -1) {
			n++
			if m[1] != "null" && !regexp.MustCompile(`^"2026-01-01T12:\d\d:\d\dZ"$`).MatchString(m[1]) {
				t.Errorf("%s: %s", target, m[0])
			}
		}
	}
	if n < 16 {
		t.Errorf("%d dates seen", n)
	}
}

// naiveBinding keeps the secret at hand for who lost the QR code.
func naiveBinding() func(next http.Handler, a http.ResponseWriter, r *http.Request) {
	shown := ""
	return func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		out := httptest.NewRecorder()
		next.ServeHTTP(out, r)
		body := out.Body.String()
		if i := strings.Index(body, `"binding":`); i > 0 {
			shown = body[i : i+strings.IndexByte(body[i:], '}')+1]
		} else if shown != "" && out.Code == 200 {
			body = strings.Replace(body, "{", "{"+shown+",", 1)
		}
		a.WriteHeader(out.Code)
		_, _ = a.Write([]byte(body))
	}
}

// checkBinding looks for the seed, in every way to write it, in all that there is
// to get (TOTP-10).
func checkBinding(w *world) (wrongs []string) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	seed, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		w.tb.Fatal(err)
	}
	ways := []string{secret, strings.ToLower(secret), string(seed), hex.EncodeToString(seed), base64.StdEncoding.EncodeToString(seed)[:24], `"binding"`, `"secret"`, "otpauth"}
	entity := w.entity(w.service(), ann)
	a := w.enrol(entity, "Binding.Secret", secret)
	if got := a.created.text("binding.secret"); got != secret {
		wrongf(&wrongs, "at creation the secret is %q", got)
	}
	look := func(what string, got answer) answer {
		for _, way := range ways {
			if strings.Contains(string(got.body), way) || strings.Contains(fmt.Sprint(got.header), way) {
				wrongf(&wrongs, "%s: shows %q: %s", what, way, got.body)
			}
		}
		return got
	}
	look("fetched", w.get(a.factor))
	look("wrong code", a.verify(a.wrong()))
	look("right code", a.verify(a.shown()))
	look("updated", w.post(a.factor, "FriendlyName", "y"))
	look("listed", w.get(entity+"/Factors"))
	look("made again", w.post(entity+"/Factors", "FriendlyName", "x", "FactorType", "totp", "Binding.Secret", secret))
	look("malformed", w.post(entity+"/Factors", "FriendlyName", "x", "FactorType", "totp", "Binding.Secret", secret+"1"))
	look("with a bad parameter", w.post(entity+"/Factors", "FriendlyName", "x", "FactorType", "totp", "Binding.Secret", secret, "Config.Alg", "md5"))
	look("in a wrong place", w.post(a.factor, "FriendlyName", "x", "Binding.Secret", secret))
	a.wait(3)
	look("challenge", a.challenge(a.shown()))
	look("challenges", w.get(entity+"/Challenges"))
	look("entity", w.get(entity))
	look("entities", w.get(entity[:strings.LastIndexByte(entity, '/')]))
	look("deleted", w.delete(a.factor))
	look("fetched after that", w.get(a.factor))
	return wrongs
}

func TestSecretIsShownOnce(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkBinding(newWorld(t)))
	refusesTwin(t, checkBinding(newWorld(t).twin(naiveBinding())))
}

// What is deleted is gone, and says so with nothing at all.
func TestDeletions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.service()
	entity := w.entity(service, ann)
	a := w.verified(entity)
	challenge := entity + "/Challenges/" + a.challenge().text("sid")
	for _, c := range []struct{ path, with string }{{a.factor, challenge}, {entity, entity + "/Factors"}, {service, service + "/Entities"}} {
		w.get(c.with).want(200, 0)
		w.delete(c.path).want(204, 0)
		w.get(c.path).want(404, verify.CodeNotFound)
		w.get(c.with).want(404, verify.CodeNotFound)
		w.delete(c.path).want(404, verify.CodeNotFound)
	}
}
