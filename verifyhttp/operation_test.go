package verifyhttp_test

import (
	"slices"
	"strings"
	"testing"
)

// An operation is one of Verify v2's, with a path that has every part filled in
// with something that does not exist.
type operation struct {
	name, method, path string
	built              bool
}

const (
	noService   = "VA00000000000000000000000000000000"
	noFactor    = "YF00000000000000000000000000000000"
	noChallenge = "YC00000000000000000000000000000000"
	nobody      = "nobody-0000"
)

// operations are all 57, written from the published description of the API.
func operations() []operation {
	var all []operation
	for line := range strings.SplitSeq(strings.TrimSpace(`
ListVerificationAttempt GET /v2/Attempts
FetchVerificationAttemptsSummary GET /v2/Attempts/Summary
FetchVerificationAttempt GET /v2/Attempts/{Sid}
FetchForm GET /v2/Forms/{FormType}
CreateSafelist POST /v2/SafeList/Numbers
FetchSafelist GET /v2/SafeList/Numbers/{PhoneNumber}
DeleteSafelist DELETE /v2/SafeList/Numbers/{PhoneNumber}
CreateService POST /v2/Services built
ListService GET /v2/Services built
FetchService GET /v2/Services/{ServiceSid} built
DeleteService DELETE /v2/Services/{ServiceSid} built
UpdateService POST /v2/Services/{ServiceSid} built
CreateAccessToken POST /v2/Services/{ServiceSid}/AccessTokens
FetchAccessToken GET /v2/Services/{ServiceSid}/AccessTokens/{Sid}
CreateEntity POST /v2/Services/{ServiceSid}/Entities built
ListEntity GET /v2/Services/{ServiceSid}/Entities built
DeleteEntity DELETE /v2/Services/{ServiceSid}/Entities/{Identity} built
FetchEntity GET /v2/Services/{ServiceSid}/Entities/{Identity} built
CreateChallenge POST /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges built
ListChallenge GET /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges built
CreateNotification POST /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{ChallengeSid}/Notifications
FetchChallenge GET /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{ChallengeSid} built
UpdateChallenge POST /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{ChallengeSid} built
ListFactor GET /v2/Services/{ServiceSid}/Entities/{Identity}/Factors built
CreateNewFactor POST /v2/Services/{ServiceSid}/Entities/{Identity}/Factors built
DeleteFactor DELETE /v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{FactorSid} built
FetchFactor GET /v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{FactorSid} built
UpdateFactor POST /v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{FactorSid} built
CreateMessagingConfiguration POST /v2/Services/{ServiceSid}/MessagingConfigurations
ListMessagingConfiguration GET /v2/Services/{ServiceSid}/MessagingConfigurations
UpdateMessagingConfiguration POST /v2/Services/{ServiceSid}/MessagingConfigurations/{Country}
FetchMessagingConfiguration GET /v2/Services/{ServiceSid}/MessagingConfigurations/{Country}
DeleteMessagingConfiguration DELETE /v2/Services/{ServiceSid}/MessagingConfigurations/{Country}
UpdateChallengePasskeys POST /v2/Services/{ServiceSid}/Passkeys/ApproveChallenge
CreateChallengePasskeys POST /v2/Services/{ServiceSid}/Passkeys/Challenges
CreateNewFactorPasskey POST /v2/Services/{ServiceSid}/Passkeys/Factors
UpdatePasskeysFactor POST /v2/Services/{ServiceSid}/Passkeys/VerifyFactor
CreateRateLimit POST /v2/Services/{ServiceSid}/RateLimits
ListRateLimit GET /v2/Services/{ServiceSid}/RateLimits
CreateBucket POST /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets
ListBucket GET /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets
UpdateBucket POST /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}
FetchBucket GET /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}
DeleteBucket DELETE /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}
UpdateRateLimit POST /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}
FetchRateLimit GET /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}
DeleteRateLimit DELETE /v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}
CreateVerificationCheck POST /v2/Services/{ServiceSid}/VerificationCheck
CreateVerification POST /v2/Services/{ServiceSid}/Verifications
UpdateVerification POST /v2/Services/{ServiceSid}/Verifications/{Sid}
FetchVerification GET /v2/Services/{ServiceSid}/Verifications/{Sid}
CreateWebhook POST /v2/Services/{ServiceSid}/Webhooks
ListWebhook GET /v2/Services/{ServiceSid}/Webhooks
UpdateWebhook POST /v2/Services/{ServiceSid}/Webhooks/{Sid}
DeleteWebhook DELETE /v2/Services/{ServiceSid}/Webhooks/{Sid}
FetchWebhook GET /v2/Services/{ServiceSid}/Webhooks/{Sid}
ListVerificationTemplate GET /v2/Templates
`), "\n") {
		f := strings.Fields(line)
		path := strings.NewReplacer("{ServiceSid}", noService, "{Identity}", nobody, "{FactorSid}", noFactor, "{ChallengeSid}", noChallenge,
			"{RateLimitSid}", "RK"+strings.Repeat("0", 32), "{Sid}", "XX"+strings.Repeat("0", 32),
			"{Country}", "DE", "{PhoneNumber}", "+15017122661", "{FormType}", "form-push").Replace(f[2])
		all = append(all, operation{f[0], f[1], path, len(f) == 4})
	}
	return all
}

func TestAllOperationsAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := operations()
	if len(all) != 57 {
		t.Errorf("%d operations, want 57", len(all))
	}
	unknown := func(path string) answer { return w.get(path + "/x/y/z/unknown") }
	built := 0
	for _, o := range all {
		if o.built {
			built++
		}
		bodies := []string{""}
		if strings.Contains(o.path, "/Passkeys/") {
			bodies = append(bodies, `{"friendly_name":"x"}`) // what the SDKs send there
		}
		for _, body := range bodies {
			r := w.request(o.method, o.path, body)
			if body != "" {
				r.Header.Set("Content-Type", "application/json")
			}
			a := w.send(r)
			absent := a.got(404, 20404) && strings.Contains(a.text("message"), o.name)
			switch {
			case a.got(405, 20004), a.bytes(o.path) == unknown(o.path).bytes(o.path+"/x/y/z/unknown") && !o.built:
				t.Errorf("%s: unknown: %d %s", o.name, a.status, a.body)
			case absent == o.built:
				t.Errorf("%s: built: %t, got %d %s", o.name, o.built, a.status, a.body)
			}
		}
	}
	if built != 18 {
		t.Errorf("%d operations are built, want 18", built)
	}
}

// Of every path, each method is either in the table or 405 with the others in
// Allow (HTTP-6).
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paths := map[string][]string{}
	for _, o := range operations() {
		paths[o.path] = append(paths[o.path], o.method)
	}
	if len(paths) != 33 {
		t.Errorf("%d paths, want 33", len(paths))
	}
	for path, allowed := range paths {
		slices.Sort(allowed)
		for _, method := range []string{"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Post", "X"} {
			a := w.send(w.request(method, path, ""))
			if slices.Contains(allowed, method) {
				if a.status == 405 {
					t.Errorf("%s %s: got 405", method, path)
				}
				continue
			}
			if got := a.header.Get("Allow"); !a.got(405, 20004) || got != strings.Join(allowed, ", ") {
				t.Errorf("%s %s: got %d, Allow %q, want 405, %q", method, path, a.status, got, allowed)
			}
		}
	}
	a := w.send(w.request("DELETE", "/nothing", ""))
	if a.want(404, 20404).header.Get("Allow") != "" {
		t.Error("Allow on a path that is unknown")
	}
}

// What a client would rather have had for a method is ignored.
func TestMethodOverridesAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.service()
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		r := w.request("POST", service+"?_method=DELETE", "_method=DELETE")
		r.Header.Set(header, "DELETE")
		w.send(r).want(200, 0)
		w.get(service).want(200, 0)
	}
}
