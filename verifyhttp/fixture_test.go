package verifyhttp_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

const (
	host   = "mfa.example.com"
	origin = "http://" + host
	ann    = "user-0001"
	bob    = "user-0002"
)

// A world is a handler, and the engine behind it.
type world struct {
	tb      testing.TB
	engine  *verifytest.Engine
	handler http.Handler
	naive   bool // a twin that is wrong on purpose: its answers may be anything
}

// newWorld has an engine in memory. Its handler lets everybody in, limits
// nothing and shares the engine's clock, unless configured otherwise.
func newWorld(tb testing.TB, configure ...func(*verifyhttp.Config)) *world {
	tb.Helper()
	return worldOver(tb, verifytest.NewEngine(tb), configure...)
}

func worldOver(tb testing.TB, engine *verifytest.Engine, configure ...func(*verifyhttp.Config)) *world {
	tb.Helper()
	cfg := verifyhttp.Config{Authenticate: verifyhttp.AllowAll, EntitiesPerSecond: -1, Clock: engine.Clock.Now}
	for _, f := range configure {
		f(&cfg)
	}
	h, err := verifyhttp.New(engine.Engine, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return &world{tb: tb, engine: engine, handler: h}
}

// unlimited is an engine that counts no challenges.
func unlimited(tb testing.TB, configure ...func(*verify.Config)) *verifytest.Engine {
	tb.Helper()
	return verifytest.NewEngine(tb, append([]func(*verify.Config){func(c *verify.Config) {
		c.Limits.ChallengesPerHour, c.Limits.ChallengesPerDay = -1, -1
	}}, configure...)...)
}

// under is the same world behind a middleware, as it has to be.
func (w *world) under(middleware func(http.Handler) http.Handler) *world {
	other := *w
	other.handler = middleware(w.handler)
	return &other
}

// twin is the same world behind a middleware that makes it wrong.
func (w *world) twin(middleware func(next http.Handler, a http.ResponseWriter, r *http.Request)) *world {
	other := w.under(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) { middleware(next, a, r) })
	})
	other.naive = true
	return other
}

func logged(l *slog.Logger) func(*verifyhttp.Config) {
	return func(c *verifyhttp.Config) { c.Logger = l }
}

// parse makes a request of what a client writes on its first line, as a server
// does; nil if a server would not take it.
func parse(method, target string, body io.Reader) *http.Request {
	line := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line)))
	if err != nil {
		return nil
	}
	r.Body = http.NoBody
	if body != nil {
		r.Body, r.ContentLength = io.NopCloser(body), -1
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (w *world) request(method, target, body string) *http.Request {
	w.tb.Helper()
	r := parse(method, target, strings.NewReader(body))
	if r == nil {
		w.tb.Fatalf("no request: %s %s", method, target)
	}
	return r
}

// send has the handler serve a request, and looks whether the answer is one.
func (w *world) send(r *http.Request) answer {
	w.tb.Helper()
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	a := answer{tb: w.tb, status: out.Code, header: out.Result().Header, body: out.Body.Bytes()}
	if !w.naive {
		a.check(r)
	}
	return a
}

func (w *world) get(target string) answer {
	w.tb.Helper()
	return w.send(w.request(http.MethodGet, target, ""))
}

func (w *world) delete(target string) answer {
	w.tb.Helper()
	return w.send(w.request(http.MethodDelete, target, ""))
}

// post sends parameters by key and value.
func (w *world) post(target string, pairs ...string) answer {
	w.tb.Helper()
	return w.send(w.request(http.MethodPost, target, encode(pairs...)))
}

// encode writes parameters in the order given.
func encode(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

// service makes a service and returns its path.
func (w *world) service() string {
	w.tb.Helper()
	return "/v2/Services/" + w.post("/v2/Services", "FriendlyName", "Acme").want(201, 0).text("sid")
}

// entity makes an entity and returns its path.
func (w *world) entity(service, identity string) string {
	w.tb.Helper()
	w.post(service+"/Entities", "Identity", identity).want(201, 0)
	return service + "/Entities/" + identity
}

// An app is an authenticator app that holds a factor.
type app struct {
	*verifytest.TOTP
	w       *world
	entity  string // its path
	factor  string
	sid     string
	created answer
}

// enrol makes a factor and leaves it unverified.
func (w *world) enrol(entity string, pairs ...string) *app {
	w.tb.Helper()
	a := w.post(entity+"/Factors", append([]string{"FriendlyName", "ann", "FactorType", "totp"}, pairs...)...).want(201, 0)
	return &app{
		TOTP: w.scan(a), w: w, created: a,
		entity: entity, sid: a.text("sid"), factor: entity + "/Factors/" + a.text("sid"),
	}
}

// scan reads the QR code in the answer to an enrolment.
func (w *world) scan(a answer) *verifytest.TOTP {
	w.tb.Helper()
	return verifytest.ScanTOTP(w.tb, a.text("binding.uri"))
}

// verified makes a factor, verifies it and waits until every code of its window
// is unspent.
func (w *world) verified(entity string, pairs ...string) *app {
	w.tb.Helper()
	a := w.enrol(entity, pairs...)
	a.verify(a.shown()).want(200, 0).is("status", "verified")
	a.wait(10)
	return a
}

// at is what the app shows that many steps from now.
func (a *app) at(steps int) string {
	a.w.tb.Helper()
	return a.Code(a.w.engine.Clock.Now().Add(time.Duration(steps) * a.Period()))
}

func (a *app) shown() string { return a.at(0) }
func (a *app) wrong() string { return a.WrongCode(a.w.engine.Clock.Now()) }
func (a *app) wait(steps int) {
	a.w.engine.Clock.Advance(time.Duration(steps) * a.Period())
}

func (a *app) verify(code string) answer {
	a.w.tb.Helper()
	return a.w.post(a.factor, "AuthPayload", code)
}

// challenge makes a challenge, answered at once with codes that follow.
func (a *app) challenge(code ...string) answer {
	a.w.tb.Helper()
	pairs := []string{"FactorSid", a.sid}
	for _, c := range code {
		pairs = append(pairs, "AuthPayload", c)
	}
	return a.w.post(a.entity+"/Challenges", pairs...)
}

func (a *app) respond(challenge, code string) answer {
	a.w.tb.Helper()
	return a.w.post(a.entity+"/Challenges/"+challenge, "AuthPayload", code)
}

// refusesTwin is told what a check found wrong with a twin that is wrong on
// purpose. A check that finds nothing there would find nothing in the handler.
func refusesTwin(tb testing.TB, wrongs []string) {
	tb.Helper()
	if len(wrongs) == 0 {
		tb.Error("the naive twin passes: this test has no teeth")
		return
	}
	tb.Logf("naive twin: %d wrongs, the first: %.200s", len(wrongs), wrongs[0])
}

func refusesNone(tb testing.TB, wrongs []string) {
	tb.Helper()
	for _, wrong := range wrongs {
		tb.Error(wrong)
	}
}

// seeded is chance that a failing test can be given again.
func seeded(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := uint64(time.Now().UnixNano())
	tb.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func wrongf(wrongs *[]string, format string, args ...any) {
	*wrongs = append(*wrongs, fmt.Sprintf(format, args...))
}
