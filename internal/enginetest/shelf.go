package enginetest

import (
	"fmt"
	"testing"

	"github.com/seed4eca3270/verify"
)

// around are the tokens of a page's neighbours.
type around struct{ next, previous string }

// A shelf is one of the lists, reduced to SIDs.
type shelf struct {
	name   string
	list   func(verify.PageParams) ([]string, around, error)
	walk   func() ([]string, error)
	add    func() string
	remove func(sid string) // nil if there is no such call
}

func sids[T any](items []T, sid func(T) string) (out []string) {
	for _, item := range items {
		out = append(out, sid(item))
	}
	return out
}

func walked[T any](seq func(func(T, error) bool), sid func(T) string) (out []string, err error) {
	for item, err := range seq {
		if err != nil {
			return out, err
		}
		out = append(out, sid(item))
	}
	return out, nil
}

// shelves are all lists of a scene that has nothing in them.
func shelves(t *testing.T, open Opener) []shelf {
	t.Helper()
	ctx := t.Context()
	e := open(t, Unlimited)
	s, more, third := NewScene(t, open(t, Unlimited)), NewScene(t, open(t, Unlimited)), NewScene(t, open(t, Unlimited))
	Must(more.CreateEntity(ctx, more.Service, more.Identity))(t)
	a := third.Verified(verify.TOTPParams{})
	made := 0
	entities := make(map[string]string)
	service := func(v verify.Service) string { return v.SID }
	entity := func(v verify.Entity) string { return v.SID }
	factor := func(v verify.Factor) string { return v.SID }
	challenge := func(v verify.Challenge) string { return v.SID }
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	out := []shelf{
		{
			"services", func(p verify.PageParams) ([]string, around, error) {
				page, err := e.ListServices(ctx, p)
				return sids(page.Items, service), around{page.Next, page.Previous}, err
			}, func() ([]string, error) { return walked(e.Services(ctx), service) },
			func() string { return Must(e.CreateService(ctx, verify.ServiceParams{FriendlyName: "x"}))(t).SID },
			func(sid string) { check(e.DeleteService(ctx, sid)) },
		}, {
			"entities", func(p verify.PageParams) ([]string, around, error) {
				page, err := s.ListEntities(ctx, s.Service, p)
				return sids(page.Items, entity), around{page.Next, page.Previous}, err
			}, func() ([]string, error) { return walked(s.Entities(ctx, s.Service), entity) },
			func() string {
				made++
				made := Must(s.CreateEntity(ctx, s.Service, fmt.Sprintf("user-%06d", made)))(t)
				entities[made.SID] = made.Identity
				return made.SID
			},
			func(sid string) { check(s.DeleteEntity(ctx, s.Service, entities[sid])) },
		}, {
			"factors", func(p verify.PageParams) ([]string, around, error) {
				page, err := more.ListFactors(ctx, more.Service, more.Identity, p)
				return sids(page.Items, factor), around{page.Next, page.Previous}, err
			}, func() ([]string, error) { return walked(more.Factors(ctx, more.Service, more.Identity), factor) },
			func() string { return more.Enrol(verify.TOTPParams{}).Factor.SID },
			func(sid string) { check(more.DeleteFactor(ctx, more.Service, more.Identity, sid)) },
		},
	}
	for _, newest := range []bool{false, true} {
		filter := verify.ChallengeFilter{NewestFirst: newest}
		out = append(out, shelf{
			fmt.Sprintf("challenges, newest first: %t", newest), func(p verify.PageParams) ([]string, around, error) {
				page, err := third.ListChallenges(ctx, third.Service, third.Identity, filter, p)
				return sids(page.Items, challenge), around{page.Next, page.Previous}, err
			}, func() ([]string, error) {
				return walked(third.Challenges(ctx, third.Service, third.Identity, filter), challenge)
			},
			func() string { return a.Challenge().SID }, nil,
		})
	}
	return out
}
