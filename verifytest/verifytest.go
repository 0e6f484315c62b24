// Package verifytest is for the tests of programs that use package verify: an
// engine in memory whose clock the test moves and whose secrets are the same in
// every run, and an authenticator app to answer its challenges.
package verifytest

import (
	"crypto/sha3"
	"io"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

// An Engine is a verify.Engine together with its clock.
type Engine struct {
	*verify.Engine
	Clock *Clock
}

// NewEngine returns an engine in memory, closed when the test ends. Its clock
// stands at noon of 1 January 2026 UTC, its randomness is that of Rand with the
// test's name as the seed, and records of its Logger go to the test's output.
// configure may change its configuration; who sets another Clock there has
// nothing to move.
func NewEngine(tb testing.TB, configure ...func(*verify.Config)) *Engine {
	tb.Helper()
	clock := NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	cfg := verify.Config{Clock: clock.Now, Rand: Rand(tb.Name()), Logger: logger(tb)}
	for _, f := range configure {
		f(&cfg)
	}
	engine, err := verify.Open(tb.Context(), ":memory:", cfg)
	if err != nil {
		tb.Fatalf("verifytest: %v", err)
	}
	tb.Cleanup(func() {
		if err := engine.Close(); err != nil {
			tb.Errorf("verifytest: closing the engine: %v", err)
		}
	})
	return &Engine{Engine: engine, Clock: clock}
}

// Rand is an endless source of bytes that depend on the seed alone. It is not
// random: use it in tests only.
func Rand(seed string) io.Reader {
	stream := sha3.NewSHAKE256()
	_, _ = stream.Write([]byte(seed)) // never fails
	return stream
}
