//go:build unix

package verify_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

const damageUsers = 10

// A wreck is the files of a database that nobody has open, to be damaged.
type wreck struct {
	site  site
	files map[string][]byte // by what follows the path: "", "-wal"
}

// newWreck has another process fill a database, and kills it, so that the log is
// there too. No process of ours ever has these files open, so they can be read
// like any others.
func newWreck(t *testing.T, keepLog bool) wreck {
	t.Helper()
	s := newSite(t, unlimited())
	s.visit(t, func(e *siteEngine) error {
		for n := range damageUsers {
			factor, err := e.verified(t.Context(), identityOf(n))
			if err != nil {
				return err
			}
			if _, err := e.pending(t.Context(), identityOf(n), factor); err != nil {
				return err
			}
		}
		return nil
	})
	if keepLog {
		child := storetest.Start(t, "log", s.Path, s.Service)
		child.Expect(new(string))
		if err := child.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	w := wreck{site: s, files: map[string][]byte{}}
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(s.Path + suffix)
		if err == nil {
			w.files[suffix] = text
		} else if suffix == "" || keepLog {
			t.Fatal(err)
		}
	}
	return w
}

// logJob makes some more challenges and waits to be killed.
func logJob(p *storetest.Parent, args []string) error {
	e, err := site{Path: args[0], Service: args[1], Limits: unlimited()}.open(context.Background(), store.Options{})
	if err != nil {
		return err
	}
	for n := range damageUsers {
		if _, err := e.CheckCode(context.Background(), args[1], identityOf(n), codeAt(siteTime)); err != nil {
			return err
		}
	}
	if err := p.Send("done"); err != nil {
		return err
	}
	return p.Receive(new(string))
}

// afloat puts the files, changed by f, into a folder of their own.
func (w wreck) afloat(t *testing.T, f func(suffix string, text []byte) []byte) (site, func()) {
	t.Helper()
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	s := w.site
	s.Path = filepath.Join(folder, "mfa.db")
	for suffix, text := range w.files {
		if err := os.WriteFile(s.Path+suffix, f(suffix, append([]byte(nil), text...)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s, func() { os.RemoveAll(folder) }
}

// use does with a damaged database what programs do, with codes that are wrong.
// It tells how many calls failed, and what they did that they must not.
func (s site) use(ctx context.Context) (failures int, wrongs []string) {
	defer func() {
		if p := recover(); p != nil {
			wrongs = append(wrongs, fmt.Sprintf("panic: %v", p))
		}
	}()
	check := func(what string, approved bool, err error) {
		if approved {
			wrongs = append(wrongs, what+": a wrong code is accepted")
		}
		if err == nil {
			return
		}
		failures++
		var e *verify.Error
		if !errors.As(err, &e) || !inClass(err) {
			wrongs = append(wrongs, fmt.Sprintf("%s: %T %v is of no class", what, err, err))
		}
	}
	keys, err := verify.ParseKeys(siteKeys)
	if err != nil {
		return 0, []string{err.Error()}
	}
	e, err := verify.Open(ctx, s.Path, verify.Config{Keys: keys, Limits: s.Limits, Clock: func() time.Time { return siteTime }})
	check("Open", false, err)
	if err != nil {
		return failures, wrongs
	}
	defer func() { check("Close", false, e.Close()) }()
	for n := range damageUsers {
		id := identityOf(n)
		c, err := e.CheckCode(ctx, s.Service, id, wrongAt(siteTime, n))
		check("CheckCode", c.Approved, err)
		for f, err := range e.Factors(ctx, s.Service, id) {
			check("Factors", false, err)
			if err == nil && n%4 == 0 {
				c, err := e.CreateChallenge(ctx, s.Service, id, verify.ChallengeParams{FactorSID: f.SID, AuthPayload: wrongAt(siteTime, n)})
				check("CreateChallenge", c.Status == verify.Approved, err)
			}
		}
		_, err = e.ListChallenges(ctx, s.Service, id, verify.ChallengeFilter{}, verify.PageParams{})
		check("ListChallenges", false, err)
	}
	_, err = e.Rekey(ctx)
	check("Rekey", false, err)
	_, err = e.Sweep(ctx)
	check("Sweep", false, err)
	return failures, wrongs
}

func inClass(err error) bool {
	for _, class := range []error{
		verify.ErrNotFound, verify.ErrConflict, verify.ErrInvalid, verify.ErrForbidden, verify.ErrRateLimited,
		verify.ErrUnavailable, verify.ErrCorrupt,
	} {
		if errors.Is(err, class) {
			return true
		}
	}
	return false
}

// DUR-6: whatever byte of a file is wrong, no wrong code becomes right, nothing
// panics, and errors are those that programs know.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	for name, keepLog := range map[string]bool{"file": false, "file and log": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, random := newWreck(t, keepLog), storetest.Random(t)
			rounds, noticed, failures, letIn := storetest.Scale(t, 150), 0, 0, 0
			for range rounds {
				where := ""
				s, remove := w.afloat(t, func(suffix string, text []byte) []byte {
					if keepLog == (suffix == "-wal") || random.IntN(4) == 0 {
						where += flip(random, suffix, text)
					}
					return text
				})
				n, wrongs := s.use(t.Context())
				for _, wrong := range wrongs {
					t.Errorf("%s: %s", where, wrong)
				}
				if failures += n; n > 0 {
					noticed++
				}
				if failsOpen(s.Path) {
					letIn++
				}
				remove()
			}
			t.Logf("%d of %d flips were noticed, by %d calls; the naive twin let users in after %d", noticed, rounds, failures, letIn)
			if !storetest.Small() && (noticed == 0 || letIn == 0) {
				t.Error("the damage did none: the test tests nothing")
			}
		})
	}
}

// failsOpen is how an application decides that takes every error for "this user
// has no second factor": whether it lets anybody in without a code.
func failsOpen(path string) bool {
	raw, err := storetest.OpenRaw(path)
	if err != nil {
		return true
	}
	defer raw.Close()
	for n := range damageUsers {
		var factors int
		err := raw.QueryRow(`SELECT COUNT(*) FROM factors f JOIN entities e ON e.id = f.entity_id
			WHERE e.identity_key = ? AND f.status = 'verified'`, identityOf(n)).Scan(&factors)
		if err != nil || factors == 0 {
			return true
		}
	}
	return false
}

// flip changes bytes near one another, often one only, and most often where there
// is something.
func flip(random *rand.Rand, suffix string, text []byte) (where string) {
	at := random.IntN(len(text))
	for random.IntN(20) > 0 && text[at] == 0 {
		at = random.IntN(len(text))
	}
	for i := range 1 + random.IntN(3)*random.IntN(3) {
		k := min(at+i, len(text)-1)
		text[k] ^= byte(1 + random.IntN(255))
	}
	return fmt.Sprintf("[mfa.db%s at %d]", suffix, at)
}

// Coarser damage: a header that is none, files that end too early, pages of
// nothing.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	w := newWreck(t, false)
	size := len(w.files[""])
	cases := map[string]func(text []byte) []byte{
		"header of zeros":    func(text []byte) []byte { clear(text[:16]); return text },
		"header of another":  func(text []byte) []byte { copy(text, "PK\x03\x04"); return text },
		"page size":          func(text []byte) []byte { text[16] ^= 0xff; return text },
		"schema page":        func(text []byte) []byte { clear(text[100:4096]); return text },
		"second half zeros":  func(text []byte) []byte { clear(text[size/2:]); return text },
		"second half noise":  func(text []byte) []byte { noise(text[size/2:]); return text },
		"ends in the header": func(text []byte) []byte { return text[:50] },
		"ends after a page":  func(text []byte) []byte { return text[:4096] },
		"ends in a page":     func(text []byte) []byte { return text[:4096*2+1000] },
		"one page short":     func(text []byte) []byte { return text[:size-4096] },
		"one byte short":     func(text []byte) []byte { return text[:size-1] },
		"all noise":          func(text []byte) []byte { noise(text); return text },
	}
	for name, damage := range cases {
		s, remove := w.afloat(t, func(suffix string, text []byte) []byte { return damage(text) })
		failures, wrongs := s.use(t.Context())
		for _, wrong := range wrongs {
			t.Errorf("%s: %s", name, wrong)
		}
		if failures == 0 {
			t.Errorf("%s: nobody noticed", name)
		}
		remove()
	}
}

func noise(text []byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range text {
		text[i] = byte(random.Uint32())
	}
}

// A header that is none is recognised for what it is.
func TestDamagedHeaderIsCorrupt(t *testing.T) {
	t.Parallel()
	w := newWreck(t, false)
	s, remove := w.afloat(t, func(_ string, text []byte) []byte { clear(text[:16]); return text })
	defer remove()
	keys, err := verify.ParseKeys(siteKeys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.Open(t.Context(), s.Path, verify.Config{Keys: keys}); !errors.Is(err, verify.ErrCorrupt) {
		t.Errorf("opened with %v", err)
	}
}
