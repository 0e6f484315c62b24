package verifyhttp_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

// A book keeps log records for a test to read.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *book) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// records are those with a message.
func (b *book) records(tb testing.TB, message string) (all []map[string]any) {
	tb.Helper()
	for line := range strings.Lines(b.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			tb.Fatalf("%v in %s", err, line)
		}
		if record["msg"] == message {
			all = append(all, record)
		}
	}
	return all
}

func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	log := &book{}
	w := newWorld(t, logged(log.logger()))
	service := w.service()
	for _, c := range []struct {
		method, target, route string
		status                int
	}{
		{"GET", "/v2/Services", "/v2/Services", 200},
		{"GET", service, "/v2/Services/{Sid}", 200},
		{"GET", service + "/Entities/" + ann, "/v2/Services/{ServiceSid}/Entities/{Identity}", 404},
		{"PUT", service, "/v2/Services/{Sid}", 405},
		{"POST", service, "/v2/Services/{Sid}", 200},
		{"DELETE", service, "/v2/Services/{Sid}", 204},
		{"GET", "/nothing", "/", 404},
		{"GET", "/v2//Services", "", 404},
		{"GET", "/v2/Services?PageSize=x", "/v2/Services", 400},
	} {
		a := w.send(w.request(c.method, c.target, ""))
		all := log.records(t, "verifyhttp: request")
		last := all[len(all)-1]
		if last["request"] != a.header.Get("Twilio-Request-Id") || last["method"] != c.method || last["route"] != c.route ||
			last["status"] != float64(c.status) || a.status != c.status || last["took"] != float64(0) || last["level"] != "INFO" {
			t.Errorf("%s %s: logged %v, answered %d", c.method, c.target, last, a.status)
		}
	}
}

func TestRequestIDsAreUnique(t *testing.T) {
	t.Parallel()
	log := &book{}
	w := newWorld(t, logged(log.logger()))
	const clients, each = 8, 50
	ids := make(chan string, clients*each)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				ids <- w.get("/v2/Services").header.Get("Twilio-Request-Id")
			}
		})
	}
	wg.Wait()
	close(ids)
	seen := map[any]int{}
	for id := range ids {
		seen[id]++
	}
	for _, record := range log.records(t, "verifyhttp: request") {
		seen[record["request"]]++
	}
	if len(seen) != clients*each {
		t.Errorf("%d request ids of %d requests", len(seen), clients*each)
	}
	for id, n := range seen {
		if n != 2 { // once answered, once logged
			t.Errorf("%v: %d times", id, n)
		}
	}
}

// Request ids come from Config.Rand, so that a test may know them.
func TestRequestIDsComeFromRand(t *testing.T) {
	t.Parallel()
	id := func(seed string) string {
		w := newWorld(t, func(c *verifyhttp.Config) { c.Rand = verifytest.Rand(seed) })
		return w.get("/v2/Services").header.Get("Twilio-Request-Id")
	}
	first, again, other := id("a"), id("a"), id("b")
	if first != again || first == other {
		t.Errorf("request ids %s, %s and %s", first, again, other)
	}
}

// naiveLog writes down what came in.
func naiveLog(l *slog.Logger) func(next http.Handler, a http.ResponseWriter, r *http.Request) {
	return func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		out := httptest.NewRecorder()
		next.ServeHTTP(out, r)
		l.Info("request", "url", r.URL, "answer", out.Body)
		a.WriteHeader(out.Code)
		_, _ = a.Write(out.Body.Bytes())
	}
}

// checkLog sends things that must not end up in a log.
func checkLog(w *world, log *book) (wrongs []string) {
	const (
		identity = "canary-identity-1"
		seed     = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	)
	entity := w.entity(w.service(), identity)
	a := w.enrol(entity, "Binding.Secret", seed, "Metadata", `{"canary-key":"canary-metadata"}`)
	right, wrong := a.shown(), a.wrong()
	a.verify(wrong)
	a.verify(right)
	a.wait(5)
	next := a.shown()
	sid := a.challenge().text("sid")
	w.post(entity+"/Challenges", "FactorSid", a.sid, "AuthPayload", next, "Details.Message", "canary-message", "HiddenDetails", `{"a":"canary-hidden"}`)
	w.post(entity+"/Challenges/"+sid, "Metadata", `{"a":"canary-answer"}`, "AuthPayload", "canary-code")
	w.post(entity+"/Challenges", "FactorSid", "canary-factor", "HiddenDetails", "canary-broken")
	w.post(entity+"/Factors", "FriendlyName", "canary-name\x00", "FactorType", "canary-type")
	w.send(w.request("POST", a.factor+"?AuthPayload=canary-query", "AuthPayload=%zz&canary-raw"))
	w.get("/v2/Services?PageToken=canary-token&FriendlyName=canary-get")
	w.get("/v2/canary-path/" + identity)
	r := w.request("GET", "/v2/Services", "")
	r.Header.Set("Authorization", basic("canary-user", "canary-password"))
	r.Header.Set("User-Agent", "canary-agent")
	w.send(r)
	if err := w.engine.Close(); err != nil {
		w.tb.Fatal(err)
	}
	w.post(a.factor, "AuthPayload", "canary-closed").want(500, verify.CodeInternal)
	text := log.String()
	for _, secret := range []string{"canary", identity, seed, `"` + right, `"` + wrong, `"` + next, "=" + right, "=" + next} {
		if i := strings.Index(text, secret); i >= 0 {
			wrongf(&wrongs, "%q is in the log: %.200s", secret, text[max(i-100, 0):])
		}
	}
	if len(text) < 1000 {
		wrongf(&wrongs, "the log says only %s", text)
	}
	return wrongs
}

func TestLogHoldsNoValues(t *testing.T) {
	t.Parallel()
	log := &book{}
	refusesNone(t, checkLog(newWorld(t, logged(log.logger())), log))
	log = &book{}
	refusesTwin(t, checkLog(newWorld(t).twin(naiveLog(log.logger())), log))
}
