//go:build unix

package verify_test

import (
	"context"
	"errors"
	"fmt"
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
	files map[string][]byte // by what follows the path: "", and with the log "-wal" and "-shm"
}

// newWreck fills a database. To have its log too, another process goes on and is
// killed. Nobody has the files open by then, so they can be read like any others.
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
	suffixes := []string{""}
	if keepLog {
		suffixes = []string{"", "-wal", "-shm"}
	}
	for _, suffix := range suffixes {
		text, err := os.ReadFile(s.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		w.files[suffix] = text
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
