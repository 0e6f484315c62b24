package verifyhttp

import (
	"net/http"
	"slices"
	"strings"

	"github.com/seed4eca3270/verify"
)

// An operation is one row of Verify v2's table: a method on a path.
type operation struct {
	name    string // Twilio's operation id
	method  string
	pattern string
	status  int // of success
	serve   func(*call) (any, error)
}

// operations is the whole table: each resource adds its rows, and what is not
// built says so.
func operations() []operation {
	return slices.Concat(serviceOperations(), entityOperations(), factorOperations(), challengeOperations(), absentOperations())
}

const (
	inService   = "/v2/Services/{ServiceSid}"
	inEntity    = inService + "/Entities/{Identity}"
	inRateLimit = inService + "/RateLimits/{RateLimitSid}"
)

// absentOperations are those of Verify v2 that this version does not have. They
// answer 404/20404 in words of their own, so that nobody takes them for a typo.
func absentOperations() []operation {
	absent := func(name, method, pattern string) operation {
		return operation{name, method, pattern, 0, func(*call) (any, error) {
			return nil, &verify.Error{Code: verify.CodeNotFound, Param: name, Message: name + " is not built yet", Err: verify.ErrNotFound}
		}}
	}
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	return []operation{
		absent("CreateAccessToken", post, inService+"/AccessTokens"),
		absent("FetchAccessToken", get, inService+"/AccessTokens/{Sid}"),
		absent("ListBucket", get, inRateLimit+"/Buckets"),
		absent("CreateBucket", post, inRateLimit+"/Buckets"),
		absent("FetchBucket", get, inRateLimit+"/Buckets/{Sid}"),
		absent("UpdateBucket", post, inRateLimit+"/Buckets/{Sid}"),
		absent("DeleteBucket", del, inRateLimit+"/Buckets/{Sid}"),
		absent("FetchForm", get, "/v2/Forms/{FormType}"),
		absent("ListMessagingConfiguration", get, inService+"/MessagingConfigurations"),
		absent("CreateMessagingConfiguration", post, inService+"/MessagingConfigurations"),
		absent("FetchMessagingConfiguration", get, inService+"/MessagingConfigurations/{Country}"),
		absent("UpdateMessagingConfiguration", post, inService+"/MessagingConfigurations/{Country}"),
		absent("DeleteMessagingConfiguration", del, inService+"/MessagingConfigurations/{Country}"),
		absent("CreateNotification", post, inEntity+"/Challenges/{ChallengeSid}/Notifications"),
		absent("ListRateLimit", get, inService+"/RateLimits"),
		absent("CreateRateLimit", post, inService+"/RateLimits"),
		absent("FetchRateLimit", get, inService+"/RateLimits/{Sid}"),
		absent("UpdateRateLimit", post, inService+"/RateLimits/{Sid}"),
		absent("DeleteRateLimit", del, inService+"/RateLimits/{Sid}"),
		absent("CreateSafelist", post, "/v2/SafeList/Numbers"),
		absent("FetchSafelist", get, "/v2/SafeList/Numbers/{PhoneNumber}"),
		absent("DeleteSafelist", del, "/v2/SafeList/Numbers/{PhoneNumber}"),
		absent("CreateVerification", post, inService+"/Verifications"),
		absent("FetchVerification", get, inService+"/Verifications/{Sid}"),
		absent("UpdateVerification", post, inService+"/Verifications/{Sid}"),
		absent("ListVerificationAttempt", get, "/v2/Attempts"),
		absent("FetchVerificationAttempt", get, "/v2/Attempts/{Sid}"),
		absent("FetchVerificationAttemptsSummary", get, "/v2/Attempts/Summary"),
		absent("CreateVerificationCheck", post, inService+"/VerificationCheck"),
		absent("ListVerificationTemplate", get, "/v2/Templates"),
		absent("ListWebhook", get, inService+"/Webhooks"),
		absent("CreateWebhook", post, inService+"/Webhooks"),
		absent("FetchWebhook", get, inService+"/Webhooks/{Sid}"),
		absent("UpdateWebhook", post, inService+"/Webhooks/{Sid}"),
		absent("DeleteWebhook", del, inService+"/Webhooks/{Sid}"),
		absent("UpdatePasskeysFactor", post, inService+"/Passkeys/VerifyFactor"),
		absent("CreateNewFactorPasskey", post, inService+"/Passkeys/Factors"),
		absent("CreateChallengePasskeys", post, inService+"/Passkeys/Challenges"),
		absent("UpdateChallengePasskeys", post, inService+"/Passkeys/ApproveChallenge"),
	}
}

// byPattern gathers the methods of each path: the mux would answer a wrong method
// in plain text.
func byPattern(operations []operation) map[string]map[string]operation {
	patterns := make(map[string]map[string]operation)
	for _, o := range operations {
		if patterns[o.pattern] == nil {
			patterns[o.pattern] = make(map[string]operation)
		}
		patterns[o.pattern][o.method] = o
	}
	return patterns
}

// A route is one path with its methods.
type route struct {
	h       *handler
	methods map[string]operation
}

// ServeHTTP implements http.Handler.
func (t route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o, ok := t.methods[r.Method]
	if !ok {
		var allowed []string
		for method := range t.methods {
			allowed = append(allowed, method)
		}
		slices.Sort(allowed)
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		t.h.fail(w, r, refuse(codeMethodNotAllowed, "Method not allowed"))
		return
	}
	c := &call{handler: t.h, w: w, r: r}
	if o.status != 0 { // what is not built reads nothing: passkeys come as JSON
		if err := c.readParameters(); err != nil {
			t.h.fail(w, r, err)
			return
		}
	}
	body, err := o.serve(c)
	if err != nil {
		t.h.fail(w, r, err)
		return
	}
	render(w, o.status, body)
}
