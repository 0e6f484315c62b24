package verifyhttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

// naiveLock looks at the code first and then says that it does not matter.
func naiveLock(right *string) func(next http.Handler, a http.ResponseWriter, r *http.Request) {
	return func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		body := make([]byte, 4096)
		n, _ := r.Body.Read(body)
		form := string(body[:n])
		if *right != "" && len(form) >= 6 && form[len(form)-6:] == *right {
			a.Header().Set("Connection", "close")
		}
		again := parse(r.Method, r.URL.Path, nil)
		again.Body = io.NopCloser(strings.NewReader(form))
		next.ServeHTTP(a, again)
	}
}

// A closed thing is one that takes no code any more.
type closed struct {
	name         string
	status, code int
	path         string
	of           *app
}

// closedThings are one of each kind (RATE-9, OTP-3). Each is tried with codes
// that would have been right.
func closedThings(w *world) []closed {
	service := w.service()
	with := func(identity string) *app { return w.verified(w.entity(service, identity)) }
	path := func(a *app, sid string) string { return a.entity + "/Challenges/" + sid }

	locked := with(ann)
	late := w.engine.Clock.Now().Add(time.Hour).Format(time.RFC3339)
	before := w.post(locked.entity+"/Challenges", "FactorSid", locked.sid, "ExpirationDate", late).want(201, 0).text("sid")
	for range 10 {
		locked.challenge(locked.wrong()).want(201, 0)
	}
	enrolment := w.enrol(w.entity(service, "enrolling-1"))
	for range 5 {
		enrolment.verify(enrolment.wrong()).want(200, 0)
	}
	tried := with(bob)
	used := w.post(tried.entity+"/Challenges", "FactorSid", tried.sid, "ExpirationDate", late).want(201, 0).text("sid")
	for range 5 {
		tried.respond(used, tried.wrong()).want(200, 0)
	}
	answered := with("answered-1")
	done := answered.challenge(answered.shown()).want(201, 0).is("status", "approved").text("sid")
	expired := with("expired-01")
	over := expired.challenge().want(201, 0).text("sid")
	w.engine.Clock.Advance(6 * time.Minute)
	w.get(path(expired, over)).is("status", "expired")
	unverified := w.enrol(w.entity(service, "unverified1"))
	return []closed{
		{"locked factor, new challenge", 429, verify.CodeChallengeAttempts, locked.entity + "/Challenges", locked},
		{"locked factor, old challenge", 429, verify.CodeChallengeAttempts, path(locked, before), locked},
		{"locked enrolment", 429, verify.CodeFactorAttempts, enrolment.factor, enrolment},
		{"tried challenge", 429, verify.CodeChallengeAttempts, path(tried, used), tried},
		{"answered challenge", 403, verify.CodeChallengeResponded, path(answered, done), answered},
		{"expired challenge", 403, verify.CodeChallengeExpired, path(expired, over), expired},
		{"unverified factor", 403, verify.CodeFactorUnverified, unverified.entity + "/Challenges", unverified},
	}
}

// checkLocks compares what right and wrong codes are answered, byte by byte.
func checkLocks(w *world, right *string) (wrongs []string) {
	for _, c := range closedThings(w) {
		before := w.state()
		for round := range 40 {
			*right = c.of.at(round%3 - 1)
			good := w.post(c.path, "FactorSid", c.of.sid, "AuthPayload", *right)
			bad := w.post(c.path, "FactorSid", c.of.sid, "AuthPayload", c.of.wrong())
			if !good.got(c.status, c.code) || good.bytes() != bad.bytes() {
				wrongf(&wrongs, "%s: right\n%s\nwrong\n%s", c.name, good.bytes(), bad.bytes())
			}
		}
		*right = ""
		if after := w.state(); after != before {
			wrongf(&wrongs, "%s: before\n%s\nafter\n%s", c.name, before, after)
		}
	}
	return wrongs
}

func TestClosedThingsTellNothing(t *testing.T) {
	t.Parallel()
	world := func() *world {
		return worldOver(t, verifytest.NewEngine(t, func(c *verify.Config) {
			c.Limits = verify.Limits{FactorFailures: 10, ChallengesPerHour: -1, ChallengesPerDay: -1}
		}))
	}
	right := ""
	refusesNone(t, checkLocks(world(), &right))
	refusesTwin(t, checkLocks(world().twin(naiveLock(&right)), &right))
}

// A lock lasts until the program lifts it, and its end is its owner's alone.
func TestLockOverHTTP(t *testing.T) {
	t.Parallel()
	w := worldOver(t, verifytest.NewEngine(t, func(c *verify.Config) {
		c.Limits = verify.Limits{FactorFailures: 4, ChallengesPerHour: -1, ChallengesPerDay: -1}
	}))
	service := w.service()
	a, other := w.verified(w.entity(service, ann)), w.verified(service+"/Entities/"+ann)
	for range 4 {
		a.challenge(a.wrong()).want(201, 0).is("status", "pending")
	}
	for range 3 {
		a.challenge(a.shown()).want(429, verify.CodeChallengeAttempts)
		a.challenge().want(429, verify.CodeChallengeAttempts)
		w.engine.Clock.Advance(24 * time.Hour)
	}
	other.challenge(other.shown()).want(201, 0).is("status", "approved") // RATE-7, RATE-8
	a.challenge(a.shown()).want(429, verify.CodeChallengeAttempts)
	w.post(a.factor, "AuthPayload", a.shown()).want(200, 0) // a verified factor takes any payload and does nothing
	a.challenge(a.shown()).want(429, verify.CodeChallengeAttempts)
	if _, err := w.engine.UnlockFactor(t.Context(), service[len("/v2/Services/"):], ann, a.sid); err != nil {
		t.Fatal(err)
	}
	a.challenge(a.shown()).want(201, 0).is("status", "approved")
}
