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
	wait, _ := take(limiter, now)
	return wait
}

// entity counts the creation of an entity. undo takes it back, for when none was
// made.
func (g *guard) entity(now time.Time) (wait time.Duration, undo func()) {
	if g.entities == nil {
		return 0, func() {}
	}
	return take(g.entities, now)
}

// take takes one token, or says when there will be one. Refused requests do not
// count.
func take(limiter *rate.Limiter, now time.Time) (wait time.Duration, undo func()) {
	reservation := limiter.ReserveN(now, 1)
	undo = func() { reservation.CancelAt(now) }
	if wait = reservation.DelayFrom(now); wait > 0 {
		undo()
	}
	return wait, undo
}
