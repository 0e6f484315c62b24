//go:build unix

package verify_test

import (
	"context"

	"github.com/seed4eca3270/verify"
)

// A faultCall is a public method that changes something, in a situation where it
// works.
type faultCall struct {
	name  string
	needs int
	// do makes the call. An error means that nothing was decided.
	do func(ctx context.Context, e *siteEngine, u *faultUser) (string, error)
	// answer is what it comes to, and after what it makes of the state.
	answer string
	after  func(u *faultUser, s *faultState)
	// again is what the same call comes to when its work was done before.
	again string
	// inSteps is for calls of several commits: an error may leave them between.
	inSteps bool
}

func guessCall(door string, right bool) func(context.Context, *siteEngine, *faultUser) (string, error) {
	return func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
		g := guessing{Identity: u.identity, Factor: u.factor, Challenge: u.challenge, Code: wrongAt(u.now, 0)}
		if right {
			g.Code = codeAt(u.now)
		}
		return e.doors()[door](ctx, g)
	}
}

// accepted is a right code's mark on the state.
func accepted(u *faultUser, s *faultState) {
	s.Step, s.Failures = stepAt(u.now), 0
	s.Approved++
}

func opened(_ *faultUser, s *faultState) {
	s.Challenges++
	s.Hour++
}

func both(fs ...func(*faultUser, *faultState)) func(*faultUser, *faultState) {
	return func(u *faultUser, s *faultState) {
		for _, f := range fs {
			f(u, s)
		}
	}
}

func failed(_ *faultUser, s *faultState)    { s.Failures++ }
func attempted(_ *faultUser, s *faultState) { s.Attempts++ }
func unchanged(*faultUser, *faultState)     {}

func faultCalls() []faultCall {
	return []faultCall{
		{
			name: "CreateService", answer: answerDone, again: answerDone,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				_, err := e.CreateService(ctx, verify.ServiceParams{FriendlyName: u.serviceName})
				return plainly(err)
			},
			after: func(_ *faultUser, s *faultState) { s.Services++ },
		},
		{
			name: "UpdateService", answer: answerDone, again: answerDone,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				_, err := e.UpdateService(ctx, e.site.Service, verify.ServiceUpdate{FriendlyName: &u.serviceName})
				return plainly(err)
			},
			after: func(_ *faultUser, s *faultState) { s.Services++ },
		},
		{
			name: "CreateEntity", answer: answerDone, again: answerExists,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				_, err := e.CreateEntity(ctx, e.site.Service, u.identity)
				return plainly(err)
			},
			after: func(_ *faultUser, s *faultState) { s.Entities++ },
		},
		{
			name: "DeleteEntity", needs: needsChallenge, answer: answerDone, again: answerMissing, inSteps: true,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				return plainly(e.DeleteEntity(ctx, e.site.Service, u.identity))
			},
			after: func(_ *faultUser, s *faultState) { *s = faultState{} },
		},
		{
			name: "CreateFactor", answer: answerDone, again: answerExists,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				f, err := e.CreateFactor(ctx, e.site.Service, u.identity, verify.FactorParams{
					FriendlyName: "phone", TOTP: &verify.TOTPParams{Secret: siteSecret},
				})
				if err != nil && f.Binding != nil {
					return "a secret with an error", nil
				}
				return plainly(err)
			},
			after: func(_ *faultUser, s *faultState) {
				s.Entities, s.Factors, s.Status, s.Name, s.Step = 1, 1, "unverified", "phone", -1
			},
		},
		{
			name: "UpdateFactor", needs: needsVerified, answer: answerDone, again: answerDone,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				_, err := e.UpdateFactor(ctx, e.site.Service, u.identity, u.factor, verify.FactorUpdate{FriendlyName: new("tablet"), TimeStep: new(60)})
				return plainly(err)
			},
			after: func(u *faultUser, s *faultState) {
				s.Name = "tablet"
				s.Revision++
				s.Step = u.now.Unix()/60 + 1 // what could be accepted by the new length counts as spent
			},
		},
		{
			name: "VerifyFactor, right", needs: needsFactor, answer: answerRight, again: answerRight,
			do: guessCall("VerifyFactor", true),
			after: func(u *faultUser, s *faultState) {
				s.Status, s.Step = "verified", stepAt(u.now)
				s.Revision++
			},
		},
		{
			name: "VerifyFactor, wrong", needs: needsFactor, answer: answerWrong, again: answerWrong,
			do: guessCall("VerifyFactor", false), after: failed,
		},
		{
			name: "UnlockFactor", needs: needsLocked, answer: answerDone, again: answerDone,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				_, err := e.UnlockFactor(ctx, e.site.Service, u.identity, u.factor)
				return plainly(err)
			},
			after: func(_ *faultUser, s *faultState) { s.Failures, s.Hour = 0, 0 },
		},
		{
			name: "DeleteFactor", needs: needsChallenge, answer: answerDone, again: answerMissing, inSteps: true,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				return plainly(e.DeleteFactor(ctx, e.site.Service, u.identity, u.factor))
			},
			after: func(_ *faultUser, s *faultState) { *s = faultState{Entities: 1} },
		},
		{
			name: "CreateChallenge", needs: needsVerified, answer: answerRight, again: answerRight,
			do: guessCall("create", false), after: opened,
		},
		{
			name: "CreateChallenge, right", needs: needsVerified, answer: answerRight, again: answerWrong,
			do: guessCall("CreateChallenge", true), after: both(opened, accepted),
		},
		{
			name: "CreateChallenge, wrong", needs: needsVerified, answer: answerWrong, again: answerWrong,
			do: guessCall("CreateChallenge", false), after: both(opened, failed, attempted),
		},
		{
			name: "RespondChallenge, right", needs: needsChallenge, answer: answerRight, again: answerForbidden,
			do: guessCall("RespondChallenge", true), after: accepted,
		},
		{
			name: "RespondChallenge, wrong", needs: needsChallenge, answer: answerWrong, again: answerWrong,
			do: guessCall("RespondChallenge", false), after: both(failed, attempted),
		},
		{
			name: "RespondChallenge, metadata", needs: needsChallenge, answer: answerDone, again: answerDone,
			do: func(ctx context.Context, e *siteEngine, u *faultUser) (string, error) {
				_, err := e.RespondChallenge(ctx, e.site.Service, u.identity, u.challenge, verify.ChallengeResponse{Metadata: map[string]string{"a": "b"}})
				return plainly(err)
			},
			after: func(_ *faultUser, s *faultState) { s.Metadata = `{"a":"b"}` },
		},
		{
			name: "CheckCode, right", needs: needsVerified, answer: answerRight, again: answerWrong,
			do: guessCall("CheckCode", true), after: both(opened, accepted),
		},
		{
			name: "CheckCode, wrong", needs: needsVerified, answer: answerWrong, again: answerWrong,
			do: guessCall("CheckCode", false), after: both(failed, func(_ *faultUser, s *faultState) { s.Hour++ }),
		},
		{
			name: "CheckCode, locked", needs: needsLocked, answer: answerLimited, again: answerLimited,
			do: guessCall("CheckCode", true), after: unchanged,
		},
	}
}
