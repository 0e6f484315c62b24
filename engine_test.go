package verify_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

func TestEngineInMemory(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, verifytest.NewEngine)
}

func TestEngineOnFile(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(tb testing.TB, configure ...func(*verify.Config)) *verifytest.Engine {
		return newMFAFile(tb).open(configure...)
	})
}

// An mfaFile is a database file with its keys, and the clock of the engines that
// open it.
type mfaFile struct {
	tb     testing.TB
	path   string
	keys   string // the key file
	clock  *verifytest.Clock
	opened int
}

func newMFAFile(tb testing.TB) *mfaFile {
	tb.Helper()
	dir := tb.TempDir()
	return &mfaFile{
		tb: tb, path: filepath.Join(dir, "mfa.db"), keys: filepath.Join(dir, "mfa.key"),
		clock: verifytest.NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)),
	}
}

// config is what open starts from. Each engine has randomness of its own.
func (m *mfaFile) config() verify.Config {
	m.tb.Helper()
	m.opened++
	return verify.Config{
		Keys:  enginetest.Must(verify.KeyFile(m.keys))(m.tb),
		Clock: m.clock.Now,
		Rand:  verifytest.Rand(m.tb.Name() + strconv.Itoa(m.opened)),
	}
}

// open opens the file, and closes it when the test ends if that has not happened
// by then.
func (m *mfaFile) open(configure ...func(*verify.Config)) *verifytest.Engine {
	m.tb.Helper()
	cfg := m.config()
	for _, f := range configure {
		f(&cfg)
	}
	e := enginetest.Must(verify.Open(m.tb.Context(), m.path, cfg))(m.tb)
	m.tb.Cleanup(func() { m.close(e) })
	return &verifytest.Engine{Engine: e, Clock: m.clock}
}

func (m *mfaFile) close(e interface{ Close() error }) {
	m.tb.Helper()
	if err := e.Close(); err != nil {
		m.tb.Errorf("closing the engine: %v", err)
	}
}

// read returns the bytes of the database and of its log. No engine may have it
// open: closing a file that SQLite has open elsewhere in the process drops its
// locks.
func (m *mfaFile) read() []byte {
	m.tb.Helper()
	all := enginetest.Must(os.ReadFile(m.path))(m.tb)
	for _, name := range []string{"-wal", "-shm", "-journal"} {
		more, err := os.ReadFile(m.path + name)
		if err != nil && !os.IsNotExist(err) {
			m.tb.Fatal(err)
		}
		all = append(all, more...)
	}
	return all
}
