package verifyhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

// leaks is what no answer may hold (HTTP-7).
var leaks = regexp.MustCompile(`(?i:sqlite|SQL|goroutine|panic|storetest|runtime error)|\.go:|/tmp|0x[0-9a-f]{6}`)

// naiveErrors tells whoever asks what went wrong.
func naiveErrors(next http.Handler, a http.ResponseWriter, r *http.Request) {
	defer func() {
		if value := recover(); value != nil {
			http.Error(a, fmt.Sprintf("panic: %v\n%s", value, debug.Stack()), http.StatusInternalServerError)
		}
	}()
	out := httptest.NewRecorder()
	if next.ServeHTTP(out, r); out.Code >= 500 {
		panic("SELECT * FROM factors: I/O error")
	}
	a.WriteHeader(out.Code)
	_, _ = a.Write(out.Body.Bytes())
}

// everything is one request for each operation that is built, all of which
// succeed, in this order.
func everything(w *world) (requests []func() *http.Request) {
	service := w.service()
	a := w.verified(w.entity(service, ann))
	b := w.verified(a.entity)
	challenge := a.entity + "/Challenges/" + a.challenge().text("sid")
	add := func(method, target string, pairs ...string) {
		body := encode(pairs...)
		requests = append(requests, func() *http.Request { return w.request(method, target, body) })
	}
	add("POST", "/v2/Services", "FriendlyName", "Other")
	add("GET", "/v2/Services")
	add("GET", service)
	add("POST", service, "CodeLength", "7")
	add("POST", service+"/Entities", "Identity", bob)
	add("GET", service+"/Entities")
	add("GET", a.entity)
	add("POST", a.entity+"/Factors", "FriendlyName", "x", "FactorType", "totp")
	add("GET", a.entity+"/Factors")
	add("GET", a.factor)
	add("POST", a.factor, "FriendlyName", "y")
	add("POST", a.factor, "AuthPayload", a.shown())
	add("POST", a.entity+"/Challenges", "FactorSid", a.sid, "AuthPayload", a.shown())
	add("GET", a.entity+"/Challenges")
	add("GET", challenge)
	add("POST", challenge, "AuthPayload", a.wrong())
	add("POST", challenge, "Metadata", "{}")
	add("DELETE", b.factor)
	add("DELETE", a.entity)
	add("DELETE", service)
	return requests
}

// checkFault sends everything, each time after the fault has been made ready.
func checkFault(w *world, requests []func() *http.Request, ready func(*http.Request) *http.Request) (wrongs []string) {
	for _, request := range requests {
		r := ready(request())
		a := w.send(r)
		if !a.got(500, verify.CodeInternal) {
			wrongf(&wrongs, "%s %s: got %d %s, want 500", r.Method, r.URL, a.status, a.body)
		}
		if found := leaks.FindString(a.bytes(r.URL.EscapedPath())); found != "" {
			wrongf(&wrongs, "%s %s: tells %q: %.500s", r.Method, r.URL, found, a.body)
		}
	}
	return wrongs
}

func same(r *http.Request) *http.Request { return r }

func TestClosedEngine(t *testing.T) {
	t.Parallel()
	check := func(w *world) []string {
		requests := everything(w)
		if err := w.engine.Close(); err != nil {
			t.Fatal(err)
		}
		return checkFault(w, requests, same)
	}
	refusesNone(t, check(newWorld(t)))
	refusesTwin(t, check(newWorld(t).twin(naiveErrors)))
}

func TestContextsThatEnded(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"cancelled": func(c context.Context) (context.Context, context.CancelFunc) {
			c, cancel := context.WithCancelCause(c)
			cancel(errors.New("SQL logic error in /tmp/a.db"))
			return c, func() {}
		},
		"late": func(c context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(c, time.Unix(0, 0))
		},
	} {
		log := &book{}
		w := newWorld(t, logged(log.logger()))
		wrongs := checkFault(w, everything(w), func(r *http.Request) *http.Request {
			ctx, cancel := end(r.Context())
			t.Cleanup(cancel)
			return r.WithContext(ctx)
		})
		for _, wrong := range wrongs {
			t.Errorf("%s: %s", name, wrong)
		}
		// And nothing has happened, whoever asks now.
		requests := everything(w)
		for _, request := range requests {
			if a := w.send(request()); a.status >= 300 {
				t.Errorf("%s: afterwards: %d %s", name, a.status, a.body)
			}
		}
	}
}

// faulty is a world whose database fails on demand.
func faulty(t *testing.T, log *book) (*world, *storetest.Faults) {
	t.Helper()
	faults := &storetest.Faults{}
	clock := verifytest.NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	keys, err := verify.KeyFile(t.TempDir() + "/mfa.key")
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, t.TempDir()+"/mfa.db", faults, store.Options{BusyTimeout: time.Millisecond})
	engine, err := verify.New(t.Context(), db, verify.Config{Clock: clock.Now, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return worldOver(t, &verifytest.Engine{Engine: engine, Clock: clock}, logged(log.logger())), faults
}

// The database fails at the first thing it is asked, in every way it knows.
func TestFaultsOfTheDatabase(t *testing.T) {
	t.Parallel()
	for name, code := range storetest.Codes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &book{}
			w, faults := faulty(t, log)
			requests := everything(w)
			wrongs := checkFault(w, requests, func(r *http.Request) *http.Request {
				faults.Clear()
				faults.Arm(storetest.Fault{Code: code, Sticky: true})
				return r
			})
			faults.Clear()
			refusesNone(t, wrongs)
			if n := len(log.records(t, "verifyhttp: failed")); n != len(requests) {
				t.Errorf("%d of %d failures were logged", n, len(requests))
			}
			for _, request := range requests { // no harm done
				r := request()
				if a := w.send(r); a.status >= 300 {
					t.Errorf("%s %s afterwards: %d %s", r.Method, r.URL, a.status, a.body)
				}
			}
		})
	}
}

// secretPanic is a value nobody may see but the log.
const secretPanic = "panic: SQLite at /tmp/mfa.db: goroutine 1"

func TestPanics(t *testing.T) {
	t.Parallel()
	log := &book{}
	var value any = secretPanic
	w := newWorld(t, logged(log.logger()), withAuth(func(r *http.Request) (string, bool) {
		if r.Header.Get("Authorization") != "" {
			panic(value)
		}
		return "", true
	}))
	fall := func(r *http.Request) *http.Request {
		r.Header.Set("Authorization", "fall")
		return r
	}
	requests := everything(w)
	for _, value = range []any{secretPanic, errors.New(secretPanic), 1, struct{ a string }{secretPanic}, new(int)} {
		refusesNone(t, checkFault(w, requests, fall))
	}
	refusesTwin(t, checkFault(w.twin(naiveErrors), requests, fall))
	for _, record := range log.records(t, "verifyhttp: panic") {
		stack, _ := record["stack"].(string)
		if !strings.Contains(stack, "fault_test.go:") || record["level"] != "ERROR" || !requestID.MatchString(fmt.Sprint(record["request"])) {
			t.Fatalf("logged %v", record)
		}
	}
	if panics, all := len(log.records(t, "verifyhttp: panic")), len(log.records(t, "verifyhttp: request")); panics != 6*len(requests) || all < panics {
		t.Errorf("%d panics and %d requests logged, want %d panics", panics, all, 6*len(requests))
	}
	for _, request := range requests { // the process lives, and nothing has happened
		if a := w.send(request()); a.status >= 300 {
			t.Errorf("afterwards: %d %s", a.status, a.body)
		}
	}
}

// The host's way to end a connection without a word is left alone.
func TestAbortHandlerPasses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withAuth(func(*http.Request) (string, bool) { panic(http.ErrAbortHandler) }))
	defer func() {
		if value := recover(); value != http.ErrAbortHandler {
			t.Errorf("got %v", value)
		}
	}()
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, w.request("GET", "/v2/Services", ""))
	t.Errorf("answered %d", out.Code)
}

// Without chance there is no request id, and no service either; but an answer.
func TestRandFails(t *testing.T) {
	t.Parallel()
	log := &book{}
	w := newWorld(t, logged(log.logger()), func(c *verifyhttp.Config) { c.Rand = broken{errors.New(secretPanic)} })
	out := httptest.NewRecorder()
	func() {
		defer func() {
			if value := recover(); value != nil {
				t.Errorf("panics into the host: %v", value)
			}
		}()
		w.handler.ServeHTTP(out, w.request("POST", "/v2/Services", "FriendlyName=Acme"))
	}()
	if out.Code != http.StatusInternalServerError || leaks.MatchString(out.Body.String()) {
		t.Errorf("got %d %s", out.Code, out.Body)
	}
	page, err := w.engine.ListServices(t.Context(), verify.PageParams{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("got %v, %v", page, err)
	}
}
