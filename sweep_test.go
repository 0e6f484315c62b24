package verify_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/store"
)

// running is an engine whose Run is under way, in a bubble whose clock it reads.
type running struct {
	*verify.Engine
	service string
	stop    context.CancelFunc
	done    chan error
}

// start is called in a bubble, with an engine that was opened in it.
func start(t *testing.T, e *verify.Engine, f func(*running)) {
	t.Helper()
	svc := enginetest.Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"}))(t)
	ctx, stop := context.WithCancel(t.Context())
	r := &running{Engine: e, service: svc.SID, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- e.Run(ctx) }()
	f(r)
	stop()
	synctest.Wait()
}

// enrol makes a factor that nobody will finish.
func (r *running) enrol(t *testing.T) {
	t.Helper()
	enginetest.Must(r.CreateFactor(t.Context(), r.service, "user-0001", verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{}}))(t)
}

// left sweeps what Run has left.
func (r *running) left(t *testing.T) int {
	t.Helper()
	return enginetest.Must(r.Sweep(t.Context()))(t).Factors
}

// Run sweeps at once and then every minute, in the time of the bubble, and ends
// with its context.
func TestRunSweepsEveryMinute(t *testing.T) {
	t.Parallel()
	for _, where := range []string{":memory:", "file"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			path, cfg := where, verify.Config{}
			if where == "file" {
				m := newMFAFile(t)
				path, cfg.Keys = m.path, m.config().Keys
			}
			cfg.Retention.UnverifiedFactors = time.Second
			synctest.Test(t, func(t *testing.T) {
				e := enginetest.Must(verify.Open(t.Context(), path, cfg))(t)
				defer e.Close()
				start(t, e, func(r *running) {
					synctest.Wait()
					for minute := range 5 {
						r.enrol(t)
						time.Sleep(time.Minute)
						synctest.Wait()
						if n := r.left(t); n != 0 {
							t.Errorf("minute %d: Run left %d factors", minute, n)
						}
					}
					time.Sleep(30 * time.Second)
					r.enrol(t)
					time.Sleep(20 * time.Second)
					if n := r.left(t); n != 1 {
						t.Errorf("between two sweeps: %d factors were there, want 1", n)
					}
					r.stop()
					synctest.Wait()
					select {
					case err := <-r.done:
						if err != nil {
							t.Errorf("Run: %v", err)
						}
					default:
						t.Error("Run goes on after its context")
					}
					r.enrol(t)
					time.Sleep(time.Hour)
					if r.left(t) != 1 {
						t.Error("somebody sweeps after Run")
					}
				})
			})
		})
	}
}

func TestRunEndsWithItsEngine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start(t, enginetest.Must(verify.Open(t.Context(), ":memory:", verify.Config{}))(t), func(r *running) {
			synctest.Wait()
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			select {
			case err := <-r.done:
				if !errors.Is(err, verify.ErrClosed) {
					t.Errorf("Run: %v, want ErrClosed", err)
				}
			default:
				t.Error("Run goes on after its engine was closed")
			}
		})
	})
}

// A sweep that fails is logged, and the next one tries again.
func TestRunGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	var log syncBuffer
	cfg := verify.Config{Keys: m.config().Keys, Logger: slog.New(slog.NewTextHandler(&log, nil)), Retention: verify.Retention{UnverifiedFactors: time.Second}}
	synctest.Test(t, func(t *testing.T) {
		// It gives up at once when another process holds the file.
		db := enginetest.Must(store.OpenSQLite(t.Context(), m.path, store.Options{BusyTimeout: time.Millisecond}))(t)
		defer db.Close()
		start(t, enginetest.Must(verify.New(t.Context(), db, cfg))(t), func(r *running) {
			synctest.Wait()
			r.enrol(t)
			release := m.hold(t)
			time.Sleep(90 * time.Second)
			synctest.Wait()
			if !log.has("sweep failed") {
				t.Error("a sweep that could not write was not logged")
			}
			release()
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := r.left(t); n != 0 {
				t.Errorf("the sweep after the one that failed left %d factors", n)
			}
		})
	})
}

// hold takes the right to write from everybody else.
func (m *mfaFile) hold(t *testing.T) (release func()) {
	t.Helper()
	db := enginetest.Must(sql.Open("sqlite", "file:"+m.path))(t)
	conn := enginetest.Must(db.Conn(t.Context()))(t)
	enginetest.Must(conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"))(t)
	return func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.b.String(), text)
}
