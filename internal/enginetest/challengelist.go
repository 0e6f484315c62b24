package enginetest

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func challengeListTests() []test {
	return []test{
		{"by factor, status and order", challengeListFilters},
		{"of a factor that is not there is empty", challengeListForeign},
		{"refuses what is no status", challengeListStatus},
	}
}

// gallery makes challenges of two factors in every state, oldest first.
func gallery(t *testing.T, s *Scene) (a, b *App, all []verify.Challenge) {
	t.Helper()
	a, b = s.Verified(verify.TOTPParams{}), s.Verified(verify.TOTPParams{})
	var sids []string
	for range 2 { // these expire
		for _, app := range []*App{a, b} {
			sids = append(sids, app.Challenge().SID)
		}
	}
	s.Clock.Advance(6 * time.Minute)
	for range 3 {
		for _, app := range []*App{a, b} {
			pending, approved := app.Challenge(), app.Challenge()
			Must(app.Respond(approved.SID, app.Shown()))(t)
			sids = append(sids, pending.SID, approved.SID)
		}
		a.Wait(1)
	}
	for _, sid := range sids {
		all = append(all, s.readChallenge(sid))
	}
	return a, b, all
}

func challengeListFilters(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a, b, all := gallery(t, s)
	lost := s.As("user-0002").Verified(verify.TOTPParams{}).Challenge() // is nowhere in the lists
	s.Clock.Set(all[len(all)-1].DateCreated)
	seen := make(map[verify.Status]int)
	for _, status := range []verify.Status{"", verify.Pending, verify.Approved, verify.Denied, verify.Expired} {
		for _, factor := range []string{"", a.Factor.SID, b.Factor.SID} {
			for _, newest := range []bool{false, true} {
				var want []verify.Challenge
				for _, c := range all {
					if (status == "" || c.Status == status) && (factor == "" || c.FactorSID == factor) {
						want = append(want, c)
					}
				}
				if newest {
					slices.Reverse(want)
				}
				seen[status] += len(want)
				filter := verify.ChallengeFilter{FactorSID: factor, Status: status, NewestFirst: newest}
				for _, size := range []int{1, 2, 3, 50} {
					if got := allPages(t, s, filter, size); !reflect.DeepEqual(got, want) {
						t.Errorf("%+v in pages of %d: got\n%+v\nwant\n%+v", filter, size, got, want)
					}
				}
				var walked []verify.Challenge
				for c, err := range s.Challenges(t.Context(), s.Service, s.Identity, filter) {
					walked = append(walked, Must(c, err)(t))
				}
				if !reflect.DeepEqual(walked, want) {
					t.Errorf("%+v walked: got\n%+v\nwant\n%+v", filter, walked, want)
				}
			}
		}
	}
	for _, status := range []verify.Status{verify.Pending, verify.Approved, verify.Expired} {
		if seen[status] == 0 {
			t.Errorf("nothing %s was there to be listed", status)
		}
	}
	if slices.ContainsFunc(all, func(c verify.Challenge) bool { return c.SID == lost.SID }) {
		t.Error("another user's challenge is listed")
	}
}

func allPages(t *testing.T, s *Scene, filter verify.ChallengeFilter, size int) (all []verify.Challenge) {
	t.Helper()
	p := verify.PageParams{Size: size}
	for {
		page := Must(s.ListChallenges(t.Context(), s.Service, s.Identity, filter, p))(t)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		if len(page.Items) != size {
			t.Fatalf("a page of %d, not the last, has %d", size, len(page.Items))
		}
		p.Token = page.Next
	}
}

// Whatever is not exactly the SID of one of the user's factors has no challenges.
func challengeListForeign(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a, _, all := gallery(t, s)
	if len(all) == 0 {
		t.Fatal("nothing to list")
	}
	neighbour := s.As("user-0002").Verified(verify.TOTPParams{})
	neighbour.Challenge()
	gone := s.Verified(verify.TOTPParams{})
	gone.Challenge()
	if err := s.DeleteFactor(t.Context(), s.Service, s.Identity, gone.Factor.SID); err != nil {
		t.Fatal(err)
	}
	for _, sid := range append(misspelled(a.Factor.SID), neighbour.Factor.SID, gone.Factor.SID, "YF00000000000000000000000000000000") {
		for _, newest := range []bool{false, true} {
			filter := verify.ChallengeFilter{FactorSID: sid, NewestFirst: newest}
			page, err := s.ListChallenges(t.Context(), s.Service, s.Identity, filter, verify.PageParams{})
			if len(page.Items) != 0 || page.Next != "" {
				t.Errorf("%q lists %d challenges", sid, len(page.Items))
			}
			if err != nil { // it is not even spelled like one
				if got := Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest); got.Param != "FactorSid" {
					t.Errorf("%q: the error is about %q", sid, got.Param)
				}
			}
		}
	}
}

func challengeListStatus(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	s.Enrol(verify.TOTPParams{})
	for _, status := range []verify.Status{"x", "Pending", "pending ", "verified", "unverified", "' OR '1'='1"} {
		_, err := s.ListChallenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{Status: status}, verify.PageParams{})
		Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
		err = first(s.Challenges(t.Context(), s.Service, s.Identity, verify.ChallengeFilter{Status: status}))
		Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest)
	}
}
