package verify_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// keyLines are the keys of a key file, oldest first.
func (m *mfaFile) keyLines() (lines []string) {
	m.tb.Helper()
	text := enginetest.Must(os.ReadFile(m.keys))(m.tb)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "verify-key-1 ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// openWith opens the file with the given lines of a key file.
func (m *mfaFile) openWith(lines ...string) (*verify.Engine, error) {
	m.tb.Helper()
	cfg := m.config()
	cfg.Keys = enginetest.Must(verify.ParseKeys(strings.Join(lines, "\n")))(m.tb)
	return verify.Open(m.tb.Context(), m.path, cfg)
}

// wantKeysRefused wants an engine not to open for its keys.
func wantKeysRefused(t *testing.T, what string, e *verify.Engine, err error) {
	t.Helper()
	var got *verify.Error
	if e != nil || !errors.Is(err, verify.ErrInvalid) || !errors.As(err, &got) || got.Param != "Config.Keys" {
		t.Errorf("%s: %v, want ErrInvalid for Config.Keys", what, err)
	}
}

// seeded makes factors and closes the engine.
func seeded(t *testing.T, m *mfaFile, factors int) (apps []*enginetest.App) {
	t.Helper()
	e := m.open(enginetest.Unlimited)
	s := enginetest.NewScene(t, e)
	for range factors {
		apps = append(apps, s.Enrol(verify.TOTPParams{}))
	}
	m.close(e)
	return apps
}

// wantAllVerify shows the code of every app to an engine.
func wantAllVerify(t *testing.T, e *verifytest.Engine, apps []*enginetest.App) {
	t.Helper()
	for i, a := range apps {
		f := a.Factor
		got, err := e.VerifyFactor(t.Context(), f.ServiceSID, f.Identity, f.SID, a.Shown())
		if err != nil || got.Status != verify.Verified {
			t.Fatalf("factor %d: %s, %v", i, got.Status, err)
		}
	}
}

// STOR-4, the whole walk: add a key, open with both, move, open with the new one.
func TestRekey(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	const factors = 250 // more than two steps
	apps := seeded(t, m, factors)
	if err := verify.AddKey(m.keys); err != nil {
		t.Fatal(err)
	}
	lines := m.keyLines()
	if len(lines) != 2 {
		t.Fatalf("%d keys after AddKey, want 2", len(lines))
	}
	e, err := m.openWith(lines[1])
	wantKeysRefused(t, "the new key alone, too early", e, err)
	// Holding the new key changes nothing: others may still open with the old one.
	m.close(m.open())
	old := enginetest.Must(m.openWith(lines[0]))(t)
	m.close(old)

	both := m.open()
	if moved := enginetest.Must(both.Rekey(t.Context()))(t); moved != factors+1 {
		t.Errorf("%d values moved, want the secrets and the pepper: %d", moved, factors+1)
	}
	if moved := enginetest.Must(both.Rekey(t.Context()))(t); moved != 0 {
		t.Errorf("%d values moved again", moved)
	}
	m.close(both)

	e, err = m.openWith(lines[0])
	wantKeysRefused(t, "the old key alone, too late", e, err)
	e = enginetest.Must(m.openWith(lines[1]))(t)
	defer m.close(e)
	wantAllVerify(t, &verifytest.Engine{Engine: e, Clock: m.clock}, apps)
}

func TestKeysThatDoNotFit(t *testing.T) {
	t.Parallel()
	m, other := newMFAFile(t), newMFAFile(t)
	seeded(t, m, 1)
	seeded(t, other, 1)
	if err := verify.AddKey(other.keys); err != nil {
		t.Fatal(err)
	}
	own, foreign := m.keyLines(), other.keyLines()
	e, err := m.openWith(foreign[0])
	wantKeysRefused(t, "another key of the same id", e, err)
	e, err = m.openWith(foreign...)
	wantKeysRefused(t, "another file of two keys", e, err)
	e, err = m.openWith(foreign[1])
	wantKeysRefused(t, "a key of an id that is not known", e, err)
	e, err = verify.Open(t.Context(), m.path, verify.Config{})
	wantKeysRefused(t, "no keys", e, err)
	for _, line := range append(own, foreign...) {
		if err != nil && strings.Contains(err.Error(), strings.Fields(line)[2]) {
			t.Error("the error holds a key")
		}
	}
	enginetest.Must(m.openWith(own[0], foreign[1]))(t).Close()
}

func TestParseKeysRefuses(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	m.config()
	line := m.keyLines()[0]
	material := strings.Fields(line)[2]
	for _, text := range []string{
		"", "# nothing\n", "verify-key-1 1", "verify-key-1 0 " + material, "verify-key-2 1 " + material, "verify-key-1 1 " + material[:40],
		"verify-key-1 01 " + material, line + " ", line + "\n" + line, line + "\nverify-key-1 2 " + material, " " + line, line + "\r\n",
		"verify-key-1 4294967296 " + material, "verify-key-1 -1 " + material, strings.ToUpper(line),
	} {
		_, err := verify.ParseKeys(text)
		wantKeysRefused(t, strings.ReplaceAll(text, material, "…"), nil, err)
		if strings.Contains(err.Error(), material[:8]) {
			t.Error("the error holds a key")
		}
	}
	// A file that others may read has been read by others.
	if err := os.Chmod(m.keys, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := verify.KeyFile(m.keys)
	wantKeysRefused(t, "a key file of mode 0640", nil, err)
	wantKeysRefused(t, "adding to it", nil, verify.AddKey(m.keys))
}

// Stopped at any of its steps it has moved whole values, and goes on where it was.
func TestRekeyInterrupted(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	const factors = 120
	apps := seeded(t, m, factors)
	if err := verify.AddKey(m.keys); err != nil {
		t.Fatal(err)
	}
	lines := m.keyLines()
	total, stops := 0, 0
	for length := 1; ; length++ {
		if length > 100 {
			t.Fatal("it does not come to an end")
		}
		e := m.open(enginetest.Unlimited)
		moved, err := e.Rekey(enginetest.Fuse(t.Context(), length))
		total += moved
		if err == nil {
			m.close(e)
			break
		}
		stops++
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d: %v", length, err)
		}
		// In between everything works with both keys.
		a := apps[length%factors].On(e)
		f := a.Factor
		got, err := e.VerifyFactor(t.Context(), f.ServiceSID, f.Identity, f.SID, a.Wrong())
		if err != nil || got.Status != verify.Unverified {
			t.Fatalf("after %d: %s, %v", length, got.Status, err)
		}
		m.close(e)
	}
	if total != factors+1 || stops < 3 {
		t.Errorf("%d values moved in %d calls, want %d", total, stops+1, factors+1)
	}
	e := enginetest.Must(m.openWith(lines[1]))(t)
	defer m.close(e)
	wantAllVerify(t, &verifytest.Engine{Engine: e, Clock: m.clock}, apps)
}

// Two engines that rekey, and others that enrol meanwhile, get it done once.
func TestRekeyTwiceAtOnce(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	apps := seeded(t, m, 250)
	if err := verify.AddKey(m.keys); err != nil {
		t.Fatal(err)
	}
	lines := m.keyLines()
	engines := []*verifytest.Engine{m.open(enginetest.Unlimited), m.open(enginetest.Unlimited), m.open(enginetest.Unlimited)}
	var wg sync.WaitGroup
	var moved [2]int
	for i := range moved {
		wg.Go(func() {
			n, err := engines[i].Rekey(t.Context())
			if err != nil {
				t.Error(err)
			}
			moved[i] = n
		})
	}
	var late []*enginetest.App
	wg.Go(func() {
		s := apps[0].On(engines[2]).Scene()
		for range 50 {
			late = append(late, s.Enrol(verify.TOTPParams{}))
		}
	})
	wg.Wait()
	for _, e := range engines {
		enginetest.Must(e.Rekey(t.Context()))(t)
		m.close(e)
	}
	if n := moved[0] + moved[1]; n < 251 || n > 301 {
		t.Errorf("%d and %d values moved, want each of at least 251 once", moved[0], moved[1])
	}
	e := enginetest.Must(m.openWith(lines[1]))(t)
	defer m.close(e)
	wantAllVerify(t, &verifytest.Engine{Engine: e, Clock: m.clock}, slices.Concat(apps, late))
}

// A process that was not given the new key can do nothing with what was moved,
// and says so: it does not take a secret for damaged or a code for wrong.
func TestRekeyWithoutTheOthers(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	apps := seeded(t, m, 2)
	left := m.open(enginetest.Unlimited)
	if err := verify.AddKey(m.keys); err != nil {
		t.Fatal(err)
	}
	e := m.open(enginetest.Unlimited)
	s := apps[0].On(left).Scene()
	enginetest.Must(e.Rekey(t.Context()))(t)
	f := apps[0].Factor
	for _, code := range []string{apps[0].Shown(), apps[0].Wrong()} {
		_, err := left.VerifyFactor(t.Context(), f.ServiceSID, f.Identity, f.SID, code)
		enginetest.Refused(t, err, verify.ErrUnavailable, verify.CodeInternal)
	}
	_, err := left.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}})
	enginetest.Refused(t, err, verify.ErrUnavailable, verify.CodeInternal)
	_, err = left.Rekey(t.Context())
	enginetest.Refused(t, err, verify.ErrUnavailable, verify.CodeInternal)
	wantAllVerify(t, e, apps)
}
