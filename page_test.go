package verify_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// library is an engine whose lists all have more than a page.
type library struct {
	*enginetest.Scene
	factor string
	lists  map[string]func(token string) (next string, err error)
}

func newLibrary(t *testing.T, e *verifytest.Engine) *library {
	t.Helper()
	s := enginetest.NewScene(t, e)
	enginetest.NewScene(t, e)
	other := enginetest.NewScene(t, e)
	for _, scene := range []*enginetest.Scene{s, other} {
		for i := range 3 {
			enginetest.Must(scene.CreateEntity(t.Context(), scene.Service, fmt.Sprintf("entity-%d", i)))(t)
		}
	}
	neighbour := s.As("user-0002")
	var a *enginetest.App
	for _, scene := range []*enginetest.Scene{s, neighbour} {
		for range 3 {
			a = scene.Verified(verify.TOTPParams{})
			for range 3 {
				a.Challenge()
			}
		}
	}
	l := &library{Scene: s, factor: enginetest.Must(s.ListFactors(t.Context(), s.Service, s.Identity, verify.PageParams{}))(t).Items[0].SID}
	challenges := func(who *enginetest.Scene, f verify.ChallengeFilter) func(verify.PageParams) (string, error) {
		return func(p verify.PageParams) (string, error) {
			page, err := s.ListChallenges(t.Context(), s.Service, who.Identity, f, p)
			return page.Next, err
		}
	}
	entities := func(of *enginetest.Scene) func(verify.PageParams) (string, error) {
		return func(p verify.PageParams) (string, error) {
			page, err := s.ListEntities(t.Context(), of.Service, p)
			return page.Next, err
		}
	}
	factors := func(of *enginetest.Scene) func(verify.PageParams) (string, error) {
		return func(p verify.PageParams) (string, error) {
			page, err := s.ListFactors(t.Context(), s.Service, of.Identity, p)
			return page.Next, err
		}
	}
	l.lists = make(map[string]func(string) (string, error))
	for name, list := range map[string]func(verify.PageParams) (string, error){
		"services": func(p verify.PageParams) (string, error) {
			page, err := s.ListServices(t.Context(), p)
			return page.Next, err
		},
		"entities":                 entities(s),
		"another's entities":       entities(other),
		"factors":                  factors(s),
		"another's factors":        factors(neighbour),
		"challenges":               challenges(s, verify.ChallengeFilter{}),
		"another's challenges":     challenges(neighbour, verify.ChallengeFilter{}),
		"challenges, newest first": challenges(s, verify.ChallengeFilter{NewestFirst: true}),
		"challenges, expired":      challenges(s, verify.ChallengeFilter{Status: verify.Expired}),
		"challenges of a factor":   challenges(s, verify.ChallengeFilter{FactorSID: l.factor}),
	} {
		l.lists[name] = func(token string) (string, error) { return list(verify.PageParams{Size: 2, Token: token}) }
	}
	return l
}

// tokens are those of the second pages.
func (l *library) tokens(t *testing.T) map[string]string {
	t.Helper()
	tokens := make(map[string]string)
	for name, list := range l.lists {
		next, err := list("")
		if err != nil || next == "" {
			t.Fatalf("%s: no second page: %v", name, err)
		}
		tokens[name] = next
	}
	return tokens
}

func wantTokenRefused(t *testing.T, what string, err error) {
	t.Helper()
	if got := enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest); got.Param != "PageToken" {
		t.Errorf("%s: the error is about %q: %v", what, got.Param, err)
	}
}

// STOR-10: a token fits the list it came from and no other.
func TestPageTokenOfAnotherList(t *testing.T) {
	t.Parallel()
	l := newLibrary(t, verifytest.NewEngine(t))
	tokens := l.tokens(t)
	for from, token := range tokens {
		for to, list := range l.lists {
			if _, err := list(token); from == to && err != nil {
				t.Errorf("%s: its own token: %v", to, err)
			} else if from != to {
				wantTokenRefused(t, from+" for "+to, err)
			}
		}
	}
	// Nor does it fit another installation, even one with the same records.
	foreign := newLibrary(t, verifytest.NewEngine(t))
	for name, token := range tokens {
		_, err := foreign.lists[name](token)
		wantTokenRefused(t, name+" of another engine", err)
	}
}

// Every single change of a token makes it none: each bit, each length.
func TestPageTokenForged(t *testing.T) {
	t.Parallel()
	l := newLibrary(t, verifytest.NewEngine(t))
	for name, token := range l.tokens(t) {
		list := l.lists[name]
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(raw) < 16 {
			t.Fatalf("%s: token %q: %v", name, token, err)
		}
		forged := []string{
			token + "A", token + "=", token + "\n", " " + token, token[:len(token)-1], token[1:], strings.ToUpper(token), strings.ToLower(token),
			base64.StdEncoding.EncodeToString(raw) + "==", "AAAA", "\x00", strings.Repeat("A", 1<<16), "0", "-1", "' OR 1=1--",
		}
		for i := range raw {
			for bit := range 8 {
				raw[i] ^= 1 << bit
				forged = append(forged, base64.RawURLEncoding.EncodeToString(raw))
				raw[i] ^= 1 << bit
			}
			if i > 0 {
				forged = append(forged, base64.RawURLEncoding.EncodeToString(raw[:i]), base64.RawURLEncoding.EncodeToString(raw[i:]))
			}
		}
		for last := range 64 { // spare bits of the last character
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			forged = append(forged, token[:len(token)-1]+alphabet[last:last+1])
		}
		for _, f := range forged {
			if f == token {
				continue
			}
			_, err := list(f)
			wantTokenRefused(t, fmt.Sprintf("%s: %.60q", name, f), err)
		}
		if _, err := list(token); err != nil {
			t.Errorf("%s: the token itself: %v", name, err)
		}
	}
}

// A token outlives its engine, and a rekeying: it belongs to the database.
func TestPageTokenOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	e := m.open()
	l := newLibrary(t, e)
	tokens := l.tokens(t)
	m.close(e)
	if err := verify.AddKey(m.keys); err != nil {
		t.Fatal(err)
	}
	e = m.open()
	enginetest.Must(e.Rekey(t.Context()))(t)
	page := enginetest.Must(e.ListServices(t.Context(), verify.PageParams{Size: 2, Token: tokens["services"]}))(t)
	if len(page.Items) != 1 {
		t.Errorf("%d services on the second page, want 1", len(page.Items))
	}
	challenges := enginetest.Must(e.ListChallenges(t.Context(), l.Service, l.Identity, verify.ChallengeFilter{NewestFirst: true},
		verify.PageParams{Token: tokens["challenges, newest first"]}))(t)
	if len(challenges.Items) != 7 {
		t.Errorf("%d challenges behind the first two, want 7", len(challenges.Items))
	}
}
