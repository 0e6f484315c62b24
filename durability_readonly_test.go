//go:build unix

package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
)

// nobody is a user whom modes bind. They do not bind root.
const nobody = 65534

// A readOnlyReport is what somebody without rights could do.
type readOnlyReport struct {
	NotNobody string // why this process could not become somebody without rights
	Open      string // empty: it opened
	Class     string // of that error
	Answers   map[string]string
}

// readOnlyJob gives up root, opens a site and tries codes of user 1.
func readOnlyJob(p *storetest.Parent, args []string) error {
	var s site
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return err
	}
	report := readOnlyReport{Answers: map[string]string{}}
	if os.Geteuid() == 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			report.NotNobody = err.Error()
			return p.Send(report)
		}
	}
	keys, err := verify.ParseKeys(siteKeys)
	if err != nil {
		return err
	}
	e, err := verify.Open(context.Background(), s.Path, verify.Config{Keys: keys, Clock: func() time.Time { return siteTime }})
	if err != nil {
		report.Open, report.Class = err.Error(), classNameOf(err)
		return p.Send(report)
	}
	defer e.Close()
	for name, code := range map[string]string{"right": codeAt(siteTime), "wrong": wrongAt(siteTime, 0)} {
		c, err := e.CheckCode(context.Background(), s.Service, identityOf(1), code)
		report.Answers[name] = fmt.Sprintf("approved %t, %s", c.Approved, classNameOf(err))
	}
	return p.Send(report)
}

func classNameOf(err error) string {
	switch {
	case err == nil:
		return "no error"
	case errors.Is(err, verify.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, verify.ErrCorrupt):
		return "corrupt"
	}
	return err.Error()
}

// DUR-5: where nothing can be recorded nothing is decided. A database that
// cannot be written does not open, or every code is refused alike.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, folder os.FileMode
		fresh        bool // there is no file yet
	}{
		"file":            {file: 0o400, folder: 0o700},
		"folder":          {file: 0o600, folder: 0o500},
		"file and folder": {file: 0o400, folder: 0o500},
		"new file":        {folder: 0o500, fresh: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := readOnlySite(t)
			folder := filepath.Dir(s.Path)
			if test.fresh {
				if err := os.Remove(s.Path); err != nil {
					t.Fatal(err)
				}
			} else if err := os.Chmod(s.Path, test.file); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(folder, test.folder); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			child := storetest.Start(t, "read-only", string(text))
			var got readOnlyReport
			child.Expect(&got)
			child.End()
			if got.NotNobody != "" {
				t.Skipf("SKIPPED: modes do not bind root, and this process cannot be anybody else: %s", got.NotNobody)
			}
			t.Logf("%+v", got)
			if got.Open != "" && got.Class != "unavailable" || got.Open == "" && len(got.Answers) != 2 {
				t.Errorf("want it not to open, or to refuse every code: %+v", got)
			}
			for _, answer := range got.Answers {
				if answer != "approved false, unavailable" {
					t.Errorf("codes are decided: %v", got.Answers)
				}
			}
		})
	}
}

// readOnlySite makes a site with one user, in a folder that nobody can enter.
func readOnlySite(t *testing.T) site {
	t.Helper()
	// Not t.TempDir, whose folders only root may enter.
	folder, err := os.MkdirTemp("", "verify-read-only-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(os.Chmod(folder, 0o700), os.RemoveAll(folder)); err != nil {
			t.Error(err)
		}
	})
	s := newSiteIn(t, folder, unlimited())
	s.visit(t, func(e *siteEngine) error {
		_, err := e.verified(t.Context(), identityOf(1))
		return err
	})
	// The files are nobody's only if this is root; else they are ours, and modes
	// bind us.
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Chown(folder, nobody, nobody), os.Chown(s.Path, nobody, nobody)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
