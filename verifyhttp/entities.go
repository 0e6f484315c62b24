package verifyhttp

import (
	"errors"
	"net/http"

	"github.com/seed4eca3270/verify"
)

func entityOperations() []operation {
	return []operation{
		{"ListEntity", http.MethodGet, inService + "/Entities", http.StatusOK, listEntities},
		{"CreateEntity", http.MethodPost, inService + "/Entities", http.StatusCreated, createEntity},
		{"FetchEntity", http.MethodGet, inEntity, http.StatusOK, fetchEntity},
		{"DeleteEntity", http.MethodDelete, inEntity, http.StatusNoContent, deleteEntity},
	}
}

type entityBody struct {
	SID         string            `json:"sid"`
	Identity    string            `json:"identity"`
	AccountSID  string            `json:"account_sid"`
	ServiceSID  string            `json:"service_sid"`
	DateCreated date              `json:"date_created"`
	DateUpdated date              `json:"date_updated"`
	URL         string            `json:"url"`
	Links       map[string]string `json:"links"`
}

func (c *call) entity(e verify.Entity) entityBody {
	own := c.url("Services", e.ServiceSID, "Entities", e.Identity)
	return entityBody{
		SID: e.SID, Identity: e.Identity, AccountSID: e.AccountSID, ServiceSID: e.ServiceSID,
		DateCreated: date(e.DateCreated), DateUpdated: date(e.DateUpdated), URL: own,
		Links: map[string]string{"factors": own + "/Factors", "new_factors": own + "/Factors", "challenges": own + "/Challenges"},
	}
}

// owner is the service and the entity that a path names.
func (c *call) owner() (serviceSID, identity string) {
	return c.r.PathValue("ServiceSid"), c.r.PathValue("Identity")
}

// makeEntity runs what makes an entity, within the process's guard.
func makeEntity[T any](c *call, create func() (T, error)) (made T, err error) {
	now := c.cfg.Clock()
	if wait := c.guard.entity(now); wait > 0 {
		return made, tooMany(codeEntitiesCreated, "Entities rate limit exceeded", wait)
	}
	if made, err = create(); err != nil {
		c.guard.noEntity(now)
	}
	return made, err
}

func createEntity(c *call) (any, error) {
	identity := c.value("Identity")
	if c.broken != nil {
		return nil, c.broken
	}
	e, err := makeEntity(c, func() (verify.Entity, error) {
		return c.engine.CreateEntity(c.r.Context(), c.r.PathValue("ServiceSid"), identity)
	})
	if err != nil {
		return nil, err
	}
	return c.entity(e), nil
}

func listEntities(c *call) (any, error) {
	p := c.paging()
	if c.broken != nil {
		return nil, c.broken
	}
	service := c.r.PathValue("ServiceSid")
	page, err := c.engine.ListEntities(c.r.Context(), service, p.params())
	if err != nil {
		return nil, err
	}
	return listing(c, "entities", c.url("Services", service, "Entities"), p, page, c.entity), nil
}

func fetchEntity(c *call) (any, error) {
	e, err := c.engine.GetEntity(c.r.Context(), c.r.PathValue("ServiceSid"), c.r.PathValue("Identity"))
	if err != nil {
		return nil, err
	}
	return c.entity(e), nil
}

func deleteEntity(c *call) (any, error) {
	service, identity := c.owner()
	return nil, c.engine.DeleteEntity(c.r.Context(), service, identity)
}

// isNewEntity reports whether a factor would make its entity.
func (c *call) isNewEntity() (bool, error) {
	service, identity := c.owner()
	_, err := c.engine.GetEntity(c.r.Context(), service, identity)
	if errors.Is(err, verify.ErrNotFound) {
		return true, nil
	}
	return false, err
}
