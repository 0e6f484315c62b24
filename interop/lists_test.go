package interop

import (
	"fmt"
	"testing"

	api "github.com/twilio/twilio-go/rest/verify/v2"
)

// A list is one of Verify's lists as twilio-go offers it, reduced to SIDs.
type list struct {
	key, path   string   // of meta, and where the list is
	sids        []string // what is in it
	all, stream func(size, limit *int) ([]string, error)
	page        func(size int, token, number string) ([]string, meta, error)
}

// All lists share one type, which twilio-go names after the first.
type meta = api.ListBucketResponseMeta

// An offer is what twilio-go has for a list of T: parameters P and answers R.
type offer[T, P, R any] struct {
	sid    func(T) string
	params func(size, limit *int) P
	all    func(P) ([]T, error)
	stream func(P) (chan T, chan error)
	page   func(params P, token, number string) (*R, error)
	open   func(*R) ([]T, meta)
}

func (o offer[T, P, R]) list(key, path string, sids []string) list {
	return list{
		key: key, path: path, sids: sids,
		all: func(size, limit *int) ([]string, error) {
			items, err := o.all(o.params(size, limit))
			return o.sids(items), err
		},
		stream: func(size, limit *int) ([]string, error) {
			items, errs := o.stream(o.params(size, limit))
			var all []T
			for item := range items {
				all = append(all, item)
			}
			return o.sids(all), <-errs
		},
		page: func(size int, token, number string) ([]string, meta, error) {
			r, err := o.page(o.params(&size, nil), token, number)
			if err != nil {
				return nil, meta{}, err
			}
			items, m := o.open(r)
			return o.sids(items), m, nil
		},
	}
}

func (o offer[T, P, R]) sids(items []T) (sids []string) {
	for _, item := range items {
		sids = append(sids, o.sid(item))
	}
	return sids
}

// fillLists makes five of everything.
func fillLists(t *testing.T, w *world) []list {
	var services, entities, factors, challenges []string
	for i := range 5 {
		services = append(services, createService(t, w, fmt.Sprintf("Acme %d", i)))
	}
	service := services[0]
	p := enrol(t, w, service)
	first, err := w.FetchEntity(service, user)
	ok(t, err)
	entities, factors = append(entities, *first.Sid), append(factors, p.sid)
	for i := range 4 {
		e, err := w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity(fmt.Sprintf("user-000%d", i)))
		ok(t, err)
		entities, factors = append(entities, *e.Sid), append(factors, addFactor(t, w, service).sid)
	}
	for range 5 {
		c, err := w.CreateChallenge(service, user, newChallenge(p))
		ok(t, err)
		challenges = append(challenges, *c.Sid)
	}
	path := "/v2/Services/" + service + "/Entities"
	return []list{
		serviceOffer(w).list("services", "/v2/Services", services),
		entityOffer(w, service).list("entities", path, entities),
		factorOffer(w, service).list("factors", path+"/"+user+"/Factors", factors),
		challengeOffer(w, service).list("challenges", path+"/"+user+"/Challenges", challenges),
	}
}

func serviceOffer(w *world) offer[api.VerifyV2Service, *api.ListServiceParams, api.ListServiceResponse] {
	return offer[api.VerifyV2Service, *api.ListServiceParams, api.ListServiceResponse]{
		sid: func(s api.VerifyV2Service) string { return *s.Sid },
		params: func(size, limit *int) *api.ListServiceParams {
			return &api.ListServiceParams{PageSize: size, Limit: limit}
		},
		all: w.ListService, stream: w.StreamService, page: w.PageService,
		open: func(r *api.ListServiceResponse) ([]api.VerifyV2Service, meta) { return r.Services, r.Meta },
	}
}

func entityOffer(w *world, service string) offer[api.VerifyV2Entity, *api.ListEntityParams, api.ListEntityResponse] {
	return offer[api.VerifyV2Entity, *api.ListEntityParams, api.ListEntityResponse]{
		sid: func(e api.VerifyV2Entity) string { return *e.Sid },
		params: func(size, limit *int) *api.ListEntityParams {
			return &api.ListEntityParams{PageSize: size, Limit: limit}
		},
		all: func(p *api.ListEntityParams) ([]api.VerifyV2Entity, error) { return w.ListEntity(service, p) },
		stream: func(p *api.ListEntityParams) (chan api.VerifyV2Entity, chan error) {
			return w.StreamEntity(service, p)
		},
		page: func(p *api.ListEntityParams, token, number string) (*api.ListEntityResponse, error) {
			return w.PageEntity(service, p, token, number)
		},
		open: func(r *api.ListEntityResponse) ([]api.VerifyV2Entity, meta) { return r.Entities, r.Meta },
	}
}

func factorOffer(w *world, service string) offer[api.VerifyV2Factor, *api.ListFactorParams, api.ListFactorResponse] {
	return offer[api.VerifyV2Factor, *api.ListFactorParams, api.ListFactorResponse]{
		sid: func(f api.VerifyV2Factor) string { return *f.Sid },
		params: func(size, limit *int) *api.ListFactorParams {
			return &api.ListFactorParams{PageSize: size, Limit: limit}
		},
		all: func(p *api.ListFactorParams) ([]api.VerifyV2Factor, error) { return w.ListFactor(service, user, p) },
		stream: func(p *api.ListFactorParams) (chan api.VerifyV2Factor, chan error) {
			return w.StreamFactor(service, user, p)
		},
		page: func(p *api.ListFactorParams, token, number string) (*api.ListFactorResponse, error) {
			return w.PageFactor(service, user, p, token, number)
		},
		open: func(r *api.ListFactorResponse) ([]api.VerifyV2Factor, meta) { return r.Factors, r.Meta },
	}
}

func challengeOffer(w *world, service string) offer[api.VerifyV2Challenge, *api.ListChallengeParams, api.ListChallengeResponse] {
	return offer[api.VerifyV2Challenge, *api.ListChallengeParams, api.ListChallengeResponse]{
		sid: func(c api.VerifyV2Challenge) string { return *c.Sid },
		params: func(size, limit *int) *api.ListChallengeParams {
			return &api.ListChallengeParams{PageSize: size, Limit: limit}
		},
		all: func(p *api.ListChallengeParams) ([]api.VerifyV2Challenge, error) {
			return w.ListChallenge(service, user, p)
		},
		stream: func(p *api.ListChallengeParams) (chan api.VerifyV2Challenge, chan error) {
			return w.StreamChallenge(service, user, p)
		},
		page: func(p *api.ListChallengeParams, token, number string) (*api.ListChallengeResponse, error) {
			return w.PageChallenge(service, user, p, token, number)
		},
		open: func(r *api.ListChallengeResponse) ([]api.VerifyV2Challenge, meta) { return r.Challenges, r.Meta },
	}
}
