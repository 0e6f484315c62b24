package verifyhttp_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

// Every code that a client can get, with the status that goes with it.
func TestCodesAndStatuses(t *testing.T) {
	t.Parallel()
	w := worldOver(t, verifytest.NewEngine(t, func(c *verify.Config) {
		c.Limits.TOTPFactors, c.Limits.ChallengesPerHour, c.Limits.FactorFailures = 3, 8, 20
	}))
	service := w.service()
	entity := w.entity(service, ann)
	factors, challenges := entity+"/Factors", entity+"/Challenges"
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

	w.post("/v2/Services").want(400, verify.CodeMissingParameter)
	w.post("/v2/Services", "FriendlyName", "12345").want(400, verify.CodeInvalidParameter)
	w.post(service+"/Entities").want(400, verify.CodeMissingParameter)
	w.post(service+"/Entities", "Identity", "short").want(400, verify.CodeInvalidRequest)
	w.post(service+"/Entities", "Identity", "USER-0001").want(409, verify.CodeEntityExists)
	w.post(factors, "FriendlyName", "x").want(400, verify.CodeMissingParameter)
	w.post(factors, "FactorType", "totp").want(400, verify.CodeMissingParameter)
	for _, kind := range []string{"sms", "TOTP ", "passkeys", "totp,push"} {
		w.post(factors, "FriendlyName", "x", "FactorType", kind).want(400, verify.CodeInvalidRequest)
	}
	w.post(factors, "FriendlyName", "x", "FactorType", "push").want(404, verify.CodeNotFound) // not built yet
	for _, binding := range []string{"AAAA", secret[:30] + "18", secret + "=", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq", secret[:16] + " " + secret[16:]} {
		w.post(factors, "FriendlyName", "x", "FactorType", "totp", "Binding.Secret", binding).want(400, verify.CodeBindingInvalid)
	}
	a := w.enrol(entity, "Binding.Secret", secret)
	w.post(factors, "FriendlyName", "x", "FactorType", "totp", "Binding.Secret", secret).want(409, verify.CodeFactorExists)
	a.challenge().want(403, verify.CodeFactorUnverified)
	for range 5 {
		a.verify(a.wrong()).want(200, 0).is("status", "unverified")
	}
	a.verify(a.wrong()).want(429, verify.CodeFactorAttempts)

	b := w.verified(entity)
	w.enrol(entity)
	w.post(factors, "FriendlyName", "x", "FactorType", "totp").want(400, verify.CodeFactorsPerEntity)
	w.post(challenges).want(400, verify.CodeMissingParameter)
	b.challenge("12345").want(400, verify.CodeInvalidRequest)
	w.post(challenges+"/"+noChallenge, "AuthPayload", "123456").want(404, verify.CodeNotFound)
	first := b.challenge().want(201, 0).text("sid")
	w.post(challenges+"/"+first).want(400, verify.CodeMissingParameter)
	b.respond(first, "12345").want(400, verify.CodeInvalidRequest)
	for range 5 {
		b.respond(first, b.wrong()).want(200, 0).is("status", "pending")
	}
	b.respond(first, b.wrong()).want(429, verify.CodeChallengeAttempts)
	second := b.challenge(b.shown()).want(201, 0).is("status", "approved").text("sid")
	b.respond(second, b.wrong()).want(403, verify.CodeChallengeResponded)
	third := b.challenge().want(201, 0).text("sid")
	w.engine.Clock.Advance(6 * time.Minute)
	w.get(challenges+"/"+third).want(200, 0).is("status", "expired")
	b.respond(third, b.shown()).want(403, verify.CodeChallengeExpired)
	for range 5 {
		b.challenge().want(201, 0)
	}
	if got := b.challenge().want(429, verify.CodeChallengesCreated).header.Get("Retry-After"); got != "3240" { // of an hour 6 minutes are over
		t.Errorf("Retry-After %q, want 3240", got)
	}
}

// Who waits for as long as Retry-After says is served, and a second earlier not.
func TestRetryAfterIsExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		limits verify.Limits
		code   int
		window time.Duration
	}{
		{"challenges an hour", verify.Limits{ChallengesPerHour: 2}, verify.CodeChallengesCreated, time.Hour},
		{"challenges a day", verify.Limits{ChallengesPerHour: -1, ChallengesPerDay: 2}, verify.CodeChallengesCreated, 24 * time.Hour},
		{"factors a day", verify.Limits{FactorsPerDay: 3}, verify.CodeFactorsCreatedToday, 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := worldOver(t, verifytest.NewEngine(t, func(cfg *verify.Config) { cfg.Limits = c.limits }))
			a := w.verified(w.entity(w.service(), ann))
			opened := w.engine.Clock.Now()
			try := a.challenge
			if c.code == verify.CodeFactorsCreatedToday {
				opened = opened.Add(-10 * a.Period()) // the first was a's own
				try = func(...string) answer { return w.post(a.entity+"/Factors", "FriendlyName", "x", "FactorType", "totp") }
			}
			try().want(201, 0)
			try().want(201, 0)
			for _, late := range []time.Duration{0, time.Nanosecond, time.Millisecond, 1500 * time.Millisecond, 20 * time.Minute} {
				w.engine.Clock.Advance(late)
				left := opened.Add(c.window).Sub(w.engine.Clock.Now().Truncate(time.Microsecond))
				want := strconv.Itoa(int(math.Ceil(left.Seconds())))
				if got := try().want(429, c.code).header.Get("Retry-After"); got != want {
					t.Errorf("Retry-After %q, want %q", got, want)
				}
			}
			seconds, err := strconv.Atoi(try().header.Get("Retry-After"))
			if err != nil {
				t.Fatal(err)
			}
			w.engine.Clock.Advance(time.Duration(seconds-1) * time.Second)
			try().want(429, c.code)
			w.engine.Clock.Advance(time.Second)
			try().want(201, 0)
		})
	}
}

// The two guards of the process have codes of their own, as has what never
// reaches an operation.
func TestCodesOfTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withAuth(verifyhttp.BasicAuth(tokens())))
	w.get("/v2/Services").want(401, 20003)
	w = newWorld(t, func(c *verifyhttp.Config) { c.RequestsPerSecond = 1 })
	w.get("/v2/Services").want(200, 0)
	w.get("/v2/Services").want(429, 20429)
	w = newWorld(t, func(c *verifyhttp.Config) { c.EntitiesPerSecond = 1 })
	service := w.service()
	w.entity(service, ann)
	w.post(service+"/Entities", "Identity", bob).want(429, 60328)
	w.get("/v2").want(404, 20404)
	w.send(w.request("PUT", "/v2/Services", "")).want(405, 20004)
	w.send(w.request("POST", "/v2/Services", "%")).want(400, 20400)
	if err := w.engine.Close(); err != nil {
		t.Fatal(err)
	}
	w.get("/v2/Services").want(500, verify.CodeInternal)
}
