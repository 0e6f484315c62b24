package enginetest

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
)

func notFoundTests() []test {
	return []test{
		{"foreign and absent answer alike", notFoundMatrix},
		{"the matrix has teeth", notFoundTeeth},
	}
}

// names are what a call reaches a record by.
type names struct{ service, identity, factor, challenge string }

// A caller is one method, and which of the names it takes.
type caller struct {
	name                       string
	identity, factor, question bool
	call                       func(ctx context.Context, e *verify.Engine, n names) error
}

// failure is the error of a call with a result.
func failure[T any](_ T, err error) error { return err }

// first is the first error of an iterator.
func first[T any](seq func(func(T, error) bool)) (err error) {
	for _, err = range seq {
		break
	}
	return err
}

func callers() []caller {
	type E = *verify.Engine
	type C = context.Context
	return []caller{
		{"GetService", false, false, false, func(ctx C, e E, n names) error { return failure(e.GetService(ctx, n.service)) }},
		{"UpdateService", false, false, false, func(ctx C, e E, n names) error {
			return failure(e.UpdateService(ctx, n.service, verify.ServiceUpdate{FriendlyName: new("taken")}))
		}},
		{"DeleteService", false, false, false, func(ctx C, e E, n names) error { return e.DeleteService(ctx, n.service) }},
		{"ListEntities", false, false, false, func(ctx C, e E, n names) error {
			return failure(e.ListEntities(ctx, n.service, verify.PageParams{}))
		}},
		{"Entities", false, false, false, func(ctx C, e E, n names) error { return first(e.Entities(ctx, n.service)) }},
		{"CreateEntity", false, false, false, func(ctx C, e E, n names) error {
			return failure(e.CreateEntity(ctx, n.service, "somebody-new"))
		}},
		{"CreateFactor", false, false, false, func(ctx C, e E, n names) error {
			return failure(e.CreateFactor(ctx, n.service, "somebody-new", verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}}))
		}},
		{"GetEntity", true, false, false, func(ctx C, e E, n names) error { return failure(e.GetEntity(ctx, n.service, n.identity)) }},
		{"DeleteEntity", true, false, false, func(ctx C, e E, n names) error { return e.DeleteEntity(ctx, n.service, n.identity) }},
		{"ListFactors", true, false, false, func(ctx C, e E, n names) error {
			return failure(e.ListFactors(ctx, n.service, n.identity, verify.PageParams{}))
		}},
		{"Factors", true, false, false, func(ctx C, e E, n names) error { return first(e.Factors(ctx, n.service, n.identity)) }},
		{"ListChallenges", true, false, false, func(ctx C, e E, n names) error {
			return failure(e.ListChallenges(ctx, n.service, n.identity, verify.ChallengeFilter{}, verify.PageParams{}))
		}},
		{"Challenges", true, false, false, func(ctx C, e E, n names) error {
			return first(e.Challenges(ctx, n.service, n.identity, verify.ChallengeFilter{}))
		}},
		{"CheckCode", true, false, false, func(ctx C, e E, n names) error {
			return failure(e.CheckCode(ctx, n.service, n.identity, "123456"))
		}},
		{"GetFactor", true, true, false, func(ctx C, e E, n names) error {
			return failure(e.GetFactor(ctx, n.service, n.identity, n.factor))
		}},
		{"UpdateFactor", true, true, false, func(ctx C, e E, n names) error {
			return failure(e.UpdateFactor(ctx, n.service, n.identity, n.factor, verify.FactorUpdate{FriendlyName: new("taken")}))
		}},
		{"DeleteFactor", true, true, false, func(ctx C, e E, n names) error {
			return e.DeleteFactor(ctx, n.service, n.identity, n.factor)
		}},
		{"VerifyFactor", true, true, false, func(ctx C, e E, n names) error {
			return failure(e.VerifyFactor(ctx, n.service, n.identity, n.factor, "123456"))
		}},
		{"UnlockFactor", true, true, false, func(ctx C, e E, n names) error {
			return failure(e.UnlockFactor(ctx, n.service, n.identity, n.factor))
		}},
		{"CreateChallenge", true, true, false, func(ctx C, e E, n names) error {
			return failure(e.CreateChallenge(ctx, n.service, n.identity, verify.ChallengeParams{FactorSID: n.factor}))
		}},
		{"GetChallenge", true, false, true, func(ctx C, e E, n names) error {
			return failure(e.GetChallenge(ctx, n.service, n.identity, n.challenge))
		}},
		{"RespondChallenge", true, false, true, func(ctx C, e E, n names) error {
			return failure(e.RespondChallenge(ctx, n.service, n.identity, n.challenge, verify.ChallengeResponse{AuthPayload: "123456"}))
		}},
	}
}

// misspelled are names that are close to a SID and not it.
func misspelled(sid string) []string {
	flip := func(i int) string {
		c := byte('0')
		if sid[i] == c {
			c = '1'
		}
		return sid[:i] + string(c) + sid[i+1:]
	}
	return []string{
		sid[:2] + "0123456789abcdef0123456789abcdef", // random
		flip(33), flip(18), flip(17), // another tail, another key
		sid[:2] + sid[18:] + sid[2:18],
		sid[:2] + strings.ToUpper(sid[2:]), strings.ToLower(sid[:2]) + sid[2:],
		"XX" + sid[2:], "YE" + sid[2:], "AC" + sid[2:],
		sid[:33], sid + "0", sid + "\n", " " + sid, sid[:2], sid[2:], sid + "' OR 1=1--", "\x00",
	}
}

func notFoundMatrix(t *testing.T, open Opener) {
	e := open(t)
	own, foreign := NewScene(t, e), NewScene(t, e)
	app, theirs := own.Verified(verify.TOTPParams{}), foreign.Verified(verify.TOTPParams{})
	neighbour := own.As("user-0002").Verified(verify.TOTPParams{})
	stranger := foreign.As("user-0003").Verified(verify.TOTPParams{})
	good := names{own.Service, own.Identity, app.Factor.SID, app.Challenge().SID}
	// Deleted ones must be like those that never were.
	deleted := own.Verified(verify.TOTPParams{})
	deletedChallenge := deleted.Challenge().SID
	buried := NewScene(t, e)
	buriedFactor := buried.Verified(verify.TOTPParams{}).Factor.SID
	if err := own.DeleteFactor(t.Context(), own.Service, own.Identity, deleted.Factor.SID); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteService(t.Context(), buried.Service); err != nil {
		t.Fatal(err)
	}

	before := snapshot(t, own, good)
	var same error
	for _, c := range callers() {
		var bad []names
		with := func(change func(*names, string), values ...string) {
			for _, v := range values {
				n := good
				change(&n, v)
				bad = append(bad, n)
			}
		}
		with(func(n *names, v string) { n.service = v }, append(misspelled(good.service), buried.Service)...)
		if c.identity {
			with(func(n *names, v string) { n.identity = v }, "nobody-0001", stranger.scene.Identity)
		}
		if c.factor {
			with(func(n *names, v string) { n.factor = v }, append(misspelled(good.factor),
				theirs.Factor.SID, neighbour.Factor.SID, deleted.Factor.SID, buriedFactor, "YF"+good.challenge[2:])...)
		}
		if c.question {
			with(func(n *names, v string) { n.challenge = v }, append(misspelled(good.challenge),
				theirs.Challenge().SID, neighbour.Challenge().SID, deletedChallenge, "YC"+good.factor[2:])...)
		}
		if c.factor || c.question { // all names exist, but not together
			bad = append(bad, names{foreign.Service, own.Identity, good.factor, good.challenge})
			bad = append(bad, names{own.Service, neighbour.scene.Identity, good.factor, good.challenge})
		}
		for _, n := range bad {
			err := c.call(t.Context(), e.Engine, n)
			Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
			if same == nil {
				same = err
			}
			if !reflect.DeepEqual(err, same) {
				t.Errorf("%s %q: %#v, elsewhere %#v", c.name, n, err, same)
			}
		}
	}
	if after := snapshot(t, own, good); !reflect.DeepEqual(after, before) {
		t.Errorf("was\n%+v\nis\n%+v", before, after)
	}
}

// snapshot is all that the refused calls could have changed.
func snapshot(t *testing.T, s *Scene, n names) []any {
	t.Helper()
	var entities []verify.Entity
	for entity, err := range s.Entities(t.Context(), n.service) {
		entities = append(entities, Must(entity, err)(t))
	}
	return []any{
		Must(s.GetService(t.Context(), n.service))(t),
		Must(s.GetFactor(t.Context(), n.service, n.identity, n.factor))(t),
		Must(s.GetChallenge(t.Context(), n.service, n.identity, n.challenge))(t),
		entities,
	}
}

// With the right names every call of the matrix does find what it names.
func notFoundTeeth(t *testing.T, open Opener) {
	e := open(t)
	for _, c := range callers() {
		s := NewScene(t, e)
		app := s.Verified(verify.TOTPParams{})
		if err := c.call(t.Context(), s.Engine.Engine, names{s.Service, s.Identity, app.Factor.SID, app.Challenge().SID}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
