package verifyhttp

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A guard refuses floods before they cost anything. It lives in this process
// alone and forgets at a restart: it protects the machine, while the engine's
// limits, which are durable, protect the users.
type guard struct {
	perSecond int
	entities  *rate.Limiter // nil: off

	mu          sync.Mutex
	credentials map[string]*rate.Limiter
}

func newGuard(cfg Config) *guard {
	g := &guard{perSecond: cfg.RequestsPerSecond, credentials: make(map[string]*rate.Limiter)}
	switch {
	case cfg.EntitiesPerSecond == 0:
		g.entities = rate.NewLimiter(40, 40)
	case cfg.EntitiesPerSecond > 0:
		g.entities = rate.NewLimiter(rate.Limit(cfg.EntitiesPerSecond), cfg.EntitiesPerSecond)
	}
	return g
}

// request counts a request of a credential that was let in, so the map holds no
// more names than the authenticator knows. It returns how long to wait, or zero.
func (g *guard) request(credential string, now time.Time) time.Duration {
	if g.perSecond <= 0 {
		return 0
	}
	g.mu.Lock()
	limiter := g.credentials[credential]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(g.perSecond), g.perSecond)
		g.credentials[credential] = limiter
	}
	g.mu.Unlock()
	return take(limiter, now)
}

// entity counts the creation of an entity.
func (g *guard) entity(now time.Time) time.Duration {
	if g.entities == nil {
		return 0
	}
	return take(g.entities, now)
}

// noEntity takes back a creation that made none.
func (g *guard) noEntity(now time.Time) {
	if g.entities != nil {
		g.entities.AllowN(now, -1)
	}
}

// take takes one token, or says when there will be one. It asks for the token and
// not for a reservation: refusals must not count, and reservations that overlap
// leave a debt when they are cancelled.
func take(limiter *rate.Limiter, now time.Time) time.Duration {
	if limiter.AllowN(now, 1) {
		return 0
	}
	missing := 1 - limiter.TokensAt(now)
	return max(time.Nanosecond, time.Duration(missing/float64(limiter.Limit())*float64(time.Second)).Round(time.Microsecond))
}
