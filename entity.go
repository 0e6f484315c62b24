package verify

import (
	"context"
	"iter"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// An Entity is whoever is verified: usually a user of the application, named by
// an identity that the application chooses. It owns factors and challenges.
type Entity struct {
	SID         string // YE and 32 hexadecimal digits
	AccountSID  string
	ServiceSID  string
	Identity    string // as it was first spelled
	DateCreated time.Time
	DateUpdated time.Time
}

// CreateEntity makes an entity. The identity is 8 to 64 ASCII letters, digits and
// dashes; choose something that is no personal data and never given to another
// user, such as a UUID. Letter case is kept but does not tell identities apart.
//
// There is usually no need to call it: the first factor makes its entity. It
// fails with ErrInvalid (20001, 60306), ErrNotFound if there is no such service,
// and ErrConflict (60301) if the entity exists.
func (e *Engine) CreateEntity(ctx context.Context, serviceSID, identity string) (Entity, error) {
	service, err := checkOwner(serviceSID, identity)
	if err != nil {
		return Entity{}, err
	}
	now := e.now()
	var row store.Entity
	err = e.insert(ctx, now, func(id sid.SID) (store.Func, error) {
		return func(ctx context.Context, q *store.Queries) error {
			if _, err := q.GetService(ctx, store.GetServiceParams{ID: service.Key, Tail: service.Tail}); err != nil {
				return err
			}
			made, entity, err := ensureEntity(ctx, q, service, id, identity, now)
			if err == nil && !made {
				err = refuse(ErrConflict, CodeEntityExists, "Entity already exists")
			}
			row = entity
			return err
		}, nil
	})
	if err != nil {
		return Entity{}, err
	}
	return e.entity(serviceSID, row), nil
}

// ensureEntity returns the entity of a service that is known to exist, making it
// if there is none.
func ensureEntity(ctx context.Context, q *store.Queries, service, id sid.SID, identity string, now time.Time) (made bool, row store.Entity, err error) {
	rows, err := q.InsertEntity(ctx, store.InsertEntityParams{
		ID: id.Key, Tail: id.Tail, ServiceID: service.Key,
		Identity: identity, IdentityKey: identityKey(identity), CreatedAt: store.Micros(now),
	})
	if err != nil {
		return false, row, err
	}
	row, err = q.GetEntity(ctx, getEntityParams(service, identity))
	if rows == 0 && store.NoRow(err) {
		err = errTaken // not the identity was taken, but the key
	}
	return rows == 1, row, err
}

func getEntityParams(service sid.SID, identity string) store.GetEntityParams {
	return store.GetEntityParams{ServiceID: service.Key, ServiceTail: service.Tail, IdentityKey: identityKey(identity)}
}

// checkOwner reads the two names that every record below an entity is reached by.
func checkOwner(serviceSID, identity string) (service sid.SID, err error) {
	service, ok := sid.Parse("VA", serviceSID)
	if !ok {
		return service, errNotFound()
	}
	return service, checkIdentity(identity)
}

// GetEntity returns an entity, or ErrNotFound.
func (e *Engine) GetEntity(ctx context.Context, serviceSID, identity string) (Entity, error) {
	row, err := e.entityRow(ctx, serviceSID, identity)
	if err != nil {
		return Entity{}, err
	}
	return e.entity(serviceSID, row), nil
}

func (e *Engine) entityRow(ctx context.Context, serviceSID, identity string) (row store.Entity, err error) {
	service, err := checkOwner(serviceSID, identity)
	if err != nil {
		return row, err
	}
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		row, err = q.GetEntity(ctx, getEntityParams(service, identity))
		return err
	})
	return row, err
}

// ListEntities returns a page of a service's entities, oldest first. It fails
// with ErrNotFound, and ErrInvalid (60306) for a page size or token that is none.
func (e *Engine) ListEntities(ctx context.Context, serviceSID string, p PageParams) (Page[Entity], error) {
	service, err := e.serviceRow(ctx, serviceSID)
	if err != nil {
		return Page[Entity]{}, err
	}
	l, err := e.listing(p, false, []byte("entities"), scopeKey(service.ID))
	if err != nil {
		return Page[Entity]{}, err
	}
	var rows []store.Entity
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		if l.up {
			rows, err = q.ListEntities(ctx, store.ListEntitiesParams{ServiceID: service.ID, After: l.from, PageSize: l.limit()})
		} else {
			rows, err = q.ListEntitiesDescending(ctx, store.ListEntitiesDescendingParams{ServiceID: service.ID, Before: l.from, PageSize: l.limit()})
		}
		return err
	})
	if err != nil {
		return Page[Entity]{}, err
	}
	convert := func(row store.Entity) (Entity, error) { return e.entity(serviceSID, row), nil }
	return page(e, l, rows, func(r store.Entity) int64 { return r.ID }, convert)
}

// Entities yields all entities of a service, oldest first.
func (e *Engine) Entities(ctx context.Context, serviceSID string) iter.Seq2[Entity, error] {
	return walk(func(p PageParams) (Page[Entity], error) { return e.ListEntities(ctx, serviceSID, p) })
}

// DeleteEntity deletes an entity, its factors and its challenges, or answers
// ErrNotFound. Entity and factors go in one commit; challenges, which nobody can
// reach from then on, follow in small steps. If ctx ends in between the call
// fails with its error, and the challenges go when their retention is over.
func (e *Engine) DeleteEntity(ctx context.Context, serviceSID, identity string) error {
	row, err := e.entityRow(ctx, serviceSID, identity)
	if err != nil {
		return err
	}
	return e.removeEntity(ctx, row.ID)
}

func (e *Engine) removeEntity(ctx context.Context, entity int64) error {
	err := e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		factors, err := q.ListFactorIDs(ctx, entity)
		if err != nil {
			return err
		}
		for _, factor := range factors {
			if _, err := q.DeleteFactor(ctx, factor); err != nil {
				return err
			}
		}
		rows, err := q.DeleteEntity(ctx, entity)
		if err == nil && rows == 0 {
			err = errNotFound()
		}
		return err
	})
	if err != nil {
		return err
	}
	return e.removeChallenges(ctx, entity, 0)
}

// removeChallenges deletes the challenges of an entity, of one factor only if
// that is not zero.
func (e *Engine) removeChallenges(ctx context.Context, entity, factor int64) error {
	for after := int64(-1); ; {
		// Found on a reader: among many challenges of other factors the search
		// would hold up those who share the commit.
		var ids []int64
		err := e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
			ids, err = q.ListChallengeIDs(ctx, store.ListChallengeIDsParams{EntityID: entity, FactorID: factor, After: after, Step: sweepStep})
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		err = e.write(ctx, func(ctx context.Context, q *store.Queries) error {
			for _, id := range ids {
				if err := q.DeleteChallenge(ctx, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		after = ids[len(ids)-1]
		if err := e.store.Breathe(ctx); err != nil {
			return outward(err)
		}
	}
}

func (e *Engine) entity(serviceSID string, row store.Entity) Entity {
	return Entity{
		SID:         sid.SID{Key: row.ID, Tail: row.Tail}.String("YE"),
		AccountSID:  e.accountSID,
		ServiceSID:  serviceSID,
		Identity:    row.Identity,
		DateCreated: store.Time(row.CreatedAt),
		DateUpdated: store.Time(row.UpdatedAt),
	}
}
