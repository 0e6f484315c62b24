package interop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What Twilio's file itself shows passes; each change of it below is a violation.
// A validator that cannot fail would prove nothing.
func TestViolations(t *testing.T) {
	t.Parallel()
	c := loadContract(t)
	const service = "/v2/Services/VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	const entity = service + "/Entities/ff483d1ff591898a9942916050d2ca3f"
	const challenge = entity + "/Challenges/YC02aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	refusal := `{"code":20404,"message":"gone","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`
	for _, tc := range []struct {
		name, method, path string
		status             int
		body               string
		old, new           string // what is changed in body
		at                 string // where the violation is
	}{
		{"a number as text", "GET", service, 200, "fetchRecord", `"code_length":4`, `"code_length":"4"`, "FetchService, status 200, /code_length"},
		{"a SID of another kind", "GET", service, 200, "fetchRecord", `"sid":"VA`, `"sid":"VB`, "FetchService, status 200, /sid"},
		{"a short SID", "GET", service, 200, "fetchRecord", `"account_sid":"ACa`, `"account_sid":"AC`, "FetchService, status 200, /account_sid"},
		{"a truth as text", "GET", service, 200, "fetchRecord", `"lookup_enabled":false`, `"lookup_enabled":"false"`, "FetchService, status 200, /lookup_enabled"},
		{"a date of mail", "GET", service, 200, "fetchRecord", `"date_created":"2015-07-30T20:00:00Z"`, `"date_created":"Thu, 30 Jul 2015 20:00:00 +0000"`, "FetchService, status 200, /date_created"},
		{"fractions of seconds", "GET", service, 200, "fetchRecord", `"date_created":"2015-07-30T20:00:00Z"`, `"date_created":"2015-07-30T20:00:00.5Z"`, "FetchService, status 200, /date_created"},
		{"a relative URL", "GET", service, 200, "fetchRecord", `"url":"https://verify.twilio.com`, `"url":"`, "FetchService, status 200, /url"},
		{"a missing key", "GET", service, 200, "fetchRecord", `"tts_name":"name",`, ``, "FetchService, status 200, /tts_name"},
		{"an unknown key", "GET", service, 200, "fetchRecord", `"tts_name":"name"`, `"tts_name":"name","token":"t"`, "FetchService, status 200, /token"},
		{"a missing key within", "GET", service, 200, "fetchRecord", `"issuer":null,`, ``, "FetchService, status 200, /totp"},
		{"a number as text within", "POST", "/v2/Services", 201, "createRecord", `"time_step":30`, `"time_step":"30"`, "CreateService, status 201, /totp/time_step"},
		{"a missing link", "GET", service, 200, "fetchRecord", `"entities":"https://verify.twilio.com` + service + `/Entities",`, ``, "FetchService, status 200, /links"},
		{"another status", "POST", "/v2/Services", 200, "createRecord", "", "", "CreateService, status 200, /"},
		{"a body without content", "DELETE", service, 204, "{}", "", "", "DeleteService, status 204, /"},
		{"an unheard-of status of a factor", "GET", entity + "/Factors/YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 200, "fetchTotp", `"status":"unverified"`, `"status":"fresh"`, "FetchFactor, status 200, /status"},
		{"no status of a factor", "GET", entity + "/Factors/YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 200, "fetchTotp", `"status":"unverified"`, `"status":null`, "FetchFactor, status 200, /status"},
		{"a secret shown again", "GET", entity + "/Factors/YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 200, "fetchTotp", `"status"`, `"binding":{"secret":"S"},"status"`, "FetchFactor, status 200, /binding"},
		{"metadata that is no text", "GET", entity + "/Factors/YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 200, "fetchTotp", `"metadata":null`, `"metadata":{"n":1}`, "FetchFactor, status 200, /metadata/n"},
		{"a wrong item of a list", "GET", entity + "/Challenges", 200, "readFull", `"sid":"YC02`, `"sid":"YD02`, "ListChallenge, status 200, /challenges/1/sid"},
		{"no page", "GET", entity + "/Challenges", 200, "readFull", `"page":0,`, ``, "ListChallenge, status 200, /meta/page"},
		{"details of another shape", "GET", challenge, 200, "fetchSid", `"fields":`, `"lines":`, "FetchChallenge, status 200, /details"},
		{"an error's code as text", "GET", service, 404, refusal, `20404,`, `"20404",`, "FetchService, status 404, /code"},
		{"an error's other status", "GET", service, 404, refusal, `404}`, `400}`, "FetchService, status 404, /status"},
		{"an error with a fifth key", "GET", service, 404, refusal, `{`, `{"title":"gone",`, "FetchService, status 404, /"},
		{"success of nothing", "GET", "/v2/Nothing", 200, "{}", "", "", "no operation, status 200, /"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequest(tc.method, tc.path, nil)
			a := answer{operation: c.find(request), request: request, status: tc.status, header: http.Header{
				"Content-Type":      {"application/json; charset=utf-8"},
				"Twilio-Request-Id": {"RQ" + strings.Repeat("0", 32)},
			}}
			body := tc.body
			if !strings.HasPrefix(body, "{") {
				body = exampleOf(t, a.operation, body)
			}
			if tc.old != "" {
				a.body = []byte(body)
				if got := c.check(a); got != nil {
					t.Errorf("unchanged: got %q", got)
				}
				if !strings.Contains(body, tc.old) {
					t.Fatalf("%q is not in %s", tc.old, body)
				}
				body = strings.Replace(body, tc.old, tc.new, 1)
			}
			a.body = []byte(body)
			got := c.check(a)
			if len(got) == 0 || !strings.HasPrefix(got[0], tc.at+":") {
				t.Errorf("got %q, want a violation at %s", got, tc.at)
			}
		})
	}
}

// Where the file contradicts itself: SIDs in the examples of these operations are
// too short for their patterns.
var shortSIDs = []string{"CreateChallengePasskeys", "UpdateChallengePasskeys"}

// Twilio's own answers are no violations, or these checks would ask for more than
// Twilio gives.
func TestExamples(t *testing.T) {
	t.Parallel()
	c := loadContract(t)
	count := 0
	for _, o := range c.operations {
		for status, response := range o.Responses.Map() {
			code, err := strconv.Atoi(status)
			if err != nil {
				t.Fatal(err)
			}
			for _, content := range response.Value.Content {
				for name, example := range content.Examples {
					count++
					body, err := json.Marshal(example.Value.Value)
					if err != nil {
						t.Fatal(err)
					}
					a := answer{operation: &o, request: httptest.NewRequest(o.method, o.path, nil), status: code, header: http.Header{
						"Content-Type":      {"application/json"},
						"Twilio-Request-Id": {"RQ" + strings.Repeat("0", 32)},
					}, body: body}
					for _, violation := range c.check(a) {
						if !slices.Contains(shortSIDs, o.id) || !strings.Contains(violation, "_sid: ") {
							t.Errorf("example %s: %s", name, violation)
						}
					}
				}
			}
		}
	}
	if count < 57 {
		t.Errorf("%d examples seen, want some for every operation", count)
	}
}

// exampleOf is an answer that Twilio's file shows, as compact JSON.
func exampleOf(t *testing.T, o *operation, name string) string {
	t.Helper()
	for _, response := range o.Responses.Map() {
		for _, content := range response.Value.Content {
			if example := content.Examples[name]; example != nil {
				text, err := json.Marshal(example.Value.Value)
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
		}
	}
	t.Fatalf("%s has no example %s", o.id, name)
	return ""
}
