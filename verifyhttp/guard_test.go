package verifyhttp_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

func perSecond(n int) func(*verifyhttp.Config) {
	return func(c *verifyhttp.Config) { c.RequestsPerSecond = n }
}

// as sends a request of a credential.
func (w *world) as(header, target string) answer {
	w.tb.Helper()
	r := w.request(http.MethodGet, target, "")
	r.Header.Set("Authorization", header)
	return w.send(r)
}

func TestRequestsPerSecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withAuth(verifyhttp.BasicAuth(tokens())), perSecond(5))
	one, two := basic(account, token), basic(apiKey, secret)
	for range 5 {
		w.as(one, "/v2/Services").want(200, 0)
	}
	for range 20 { // refused requests do not count
		if got := w.as(one, "/v2/Services").want(429, 20429).header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After %q, want 1", got)
		}
	}
	w.as(one, "/nothing").want(429, 20429) // whatever was asked
	for range 5 {
		w.as(two, "/nothing").want(404, 20404) // others are not concerned
	}
	w.as(two, "/nothing").want(429, 20429)
	for range 20 { // nor are those who cannot name a credential
		w.as(basic(account, "wrong"), "/v2/Services").want(401, 20003)
	}
	w.engine.Clock.Advance(200 * time.Millisecond)
	w.as(one, "/v2/Services").want(200, 0)
	w.as(one, "/v2/Services").want(429, 20429)
	w.engine.Clock.Advance(time.Second)
	for range 5 {
		w.as(one, "/v2/Services").want(200, 0)
	}
	w.as(one, "/v2/Services").want(429, 20429)
	w.engine.Clock.Advance(time.Hour) // an hour's silence saves up a second's requests
	for range 5 {
		w.as(one, "/v2/Services").want(200, 0)
	}
	w.as(one, "/v2/Services").want(429, 20429)
	w.engine.Clock.Advance(-time.Hour) // a clock that goes back gives nothing
	w.as(one, "/v2/Services").want(429, 20429)
}

func TestGuardsThatAreOff(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1} {
		w := newWorld(t, perSecond(n))
		for range 2000 {
			w.get("/nothing").want(404, 20404)
		}
	}
	w := newWorld(t, func(c *verifyhttp.Config) { c.EntitiesPerSecond = -1 })
	service := w.service()
	for i := range 200 {
		w.entity(service, fmt.Sprintf("user-%04d", i))
	}
}

// Each handler counts for itself.
func TestGuardsOfTwoHandlers(t *testing.T) {
	t.Parallel()
	engine := verifytest.NewEngine(t)
	a, b := worldOver(t, engine, perSecond(1)), worldOver(t, engine, perSecond(1))
	a.get("/v2/Services").want(200, 0)
	a.get("/v2/Services").want(429, 20429)
	b.get("/v2/Services").want(200, 0)
}

// naiveLimit charges for being refused: whoever is impatient waits for ever.
func naiveLimit(clock *verifytest.Clock) func(next http.Handler, a http.ResponseWriter, r *http.Request) {
	var mu sync.Mutex
	free := clock.Now()
	return func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := clock.Now()
		refused := now.Before(free)
		free = free.Add(time.Second)
		mu.Unlock()
		if refused {
			a.WriteHeader(http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(a, r)
	}
}

// A nowhere takes an answer and keeps its status only.
type nowhere struct {
	header http.Header
	status int
}

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) WriteHeader(status int)      { n.status = status }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }

// checkFlood floods a limit of one a second from many goroutines: one a second
// gets through, no more and no less.
func checkFlood(w *world) (wrongs []string) {
	for second := range 300 {
		var admitted atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				r := w.request(http.MethodGet, "/", "")
				for range 20 {
					out := &nowhere{header: http.Header{}}
					if w.handler.ServeHTTP(out, r); out.status != http.StatusTooManyRequests {
						admitted.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if n := admitted.Load(); n != 1 {
			wrongf(&wrongs, "second %d: %d admitted, want 1", second, n)
		}
		w.engine.Clock.Advance(time.Second)
	}
	return wrongs
}

func TestRefusedRequestsDoNotCount(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkFlood(newWorld(t, perSecond(1))))
	w := newWorld(t)
	refusesTwin(t, checkFlood(w.twin(naiveLimit(w.engine.Clock))))
}

// The guard's arithmetic is that of a bucket that a model fills.
func TestRequestsPerSecondAgainstModel(t *testing.T) {
	t.Parallel()
	random := seeded(t)
	for range 20 {
		limit := 1 + random.IntN(7)
		w := newWorld(t, perSecond(limit))
		tokens := float64(limit)
		for range 200 {
			wait := time.Duration(random.IntN(3)*random.IntN(400)) * time.Millisecond
			w.engine.Clock.Advance(wait)
			tokens = min(tokens+wait.Seconds()*float64(limit), float64(limit))
			got := w.get("/nothing").status
			switch {
			case tokens > 1+1e-6 && got != 404 || tokens < 1-1e-6 && got != 429: // in between floats may differ
				t.Fatalf("limit %d: got %d with %f tokens left", limit, got, tokens)
			case got == 404:
				tokens--
			}
		}
	}
}

func TestEntitiesPerSecond(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, want int }{"Twilio's 40": {0, 40}, "three": {3, 3}} {
		w := newWorld(t, func(cfg *verifyhttp.Config) { cfg.EntitiesPerSecond = c.config })
		service := w.service()
		n := 0
		identity := func() string { n++; return fmt.Sprintf("user-%04d", n) }
		create := func() answer { return w.post(service+"/Entities", "Identity", identity()) }
		enrol := func(identity string) answer {
			return w.post(service+"/Entities/"+identity+"/Factors", "FriendlyName", "x", "FactorType", "totp")
		}
		for i := range c.want {
			if i%2 == 0 {
				create().want(201, 0)
			} else {
				enrol(identity()).want(201, 0) // the first factor makes its entity
			}
		}
		for range 50 {
			for _, a := range []answer{create(), enrol(identity())} {
				if got := a.want(429, 60328).header.Get("Retry-After"); got != "1" {
					t.Errorf("%s: Retry-After %q, want 1", name, got)
				}
			}
		}
		enrol("user-0001").want(201, 0) // which there is
		enrol("USER-0001").want(201, 0)
		w.get(service+"/Entities/user-0001").want(200, 0)
		w.engine.Clock.Advance(time.Second / time.Duration(c.want))
		enrol(identity()).want(201, 0)
		create().want(429, 60328)
		w.engine.Clock.Advance(time.Hour)
		for range c.want {
			create().want(201, 0)
		}
		create().want(429, 60328)
	}
}

// What makes no entity takes nothing from those who make one.
func TestFailuresAreNoEntities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *verifyhttp.Config) { c.EntitiesPerSecond = 1 })
	service := w.service()
	w.entity(service, ann)
	w.engine.Clock.Advance(time.Second)
	for _, c := range []struct {
		target string
		pairs  []string
		status int
	}{
		{service + "/Entities", []string{"Identity", "short"}, 400},
		{service + "/Entities", nil, 400},
		{service + "/Entities", []string{"Identity", ann}, 409},
		{"/v2/Services/" + noService + "/Entities", []string{"Identity", bob}, 404},
		{"/v2/Services/" + noService + "/Entities/" + bob + "/Factors", []string{"FriendlyName", "x", "FactorType", "totp"}, 404},
		{service + "/Entities/" + bob + "/Factors", []string{"FactorType", "totp"}, 400},
		{service + "/Entities/" + bob + "/Factors", []string{"FriendlyName", "x", "FactorType", "totp", "Binding.Secret", "AAAA"}, 400},
	} {
		for range 3 {
			if a := w.post(c.target, c.pairs...); a.status != c.status {
				t.Errorf("%s %v: got %d %s, want %d", c.target, c.pairs, a.status, a.body, c.status)
			}
		}
	}
	w.post(service+"/Entities", "Identity", bob).want(201, 0)
}
