package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"modernc.org/sqlite"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// A fault of design that comes to mind first when one shares commits.
type design int

const (
	noSavepoints     design = iota // a call that fails leaves behind what it wrote
	tellsEarly                     // callers hear of success before COMMIT
	trustsSavepoints               // nobody looks whether SQLite has rolled back by itself
)

// A twin shares commits as the store does, except that it is wrong in one way.
// The tests of the store must find it out.
type twin struct {
	wrong design

	mu      sync.Mutex
	queue   []*twinCall
	leading bool
	conn    *sql.Conn
	queries *store.Queries
}

type twinCall struct {
	f    store.Func
	err  error
	done chan struct{}
}

func newTwin(t *testing.T, wrong design, pool *sql.DB) *twin {
	t.Helper()
	w := &twin{wrong: wrong}
	var err error
	if w.conn, err = pool.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.queries, err = store.Prepare(t.Context(), w.conn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.queries.Close()
		w.conn.Close()
	})
	return w
}

func (w *twin) Write(ctx context.Context, f store.Func) error {
	c := &twinCall{f: f, done: make(chan struct{})}
	w.mu.Lock()
	w.queue = append(w.queue, c)
	lead := !w.leading
	w.leading = true
	w.mu.Unlock()
	for lead {
		w.mu.Lock()
		batch := w.queue
		w.queue = nil
		w.leading = len(batch) > 0
		lead = w.leading
		w.mu.Unlock()
		w.run(batch)
	}
	<-c.done
	return c.err
}

func (w *twin) run(batch []*twinCall) {
	if len(batch) == 0 {
		return
	}
	err := w.exec("BEGIN IMMEDIATE")
	for _, c := range batch {
		if err == nil {
			err = w.runOne(c)
		}
		if w.wrong == tellsEarly {
			c.err = err
			close(c.done)
		}
	}
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		_ = w.exec("ROLLBACK")
	}
	for _, c := range batch {
		if w.wrong != tellsEarly {
			if err != nil {
				c.err = err
			}
			close(c.done)
		}
	}
}

func (w *twin) runOne(c *twinCall) error {
	if w.wrong == noSavepoints {
		c.err = c.f(context.Background(), w.queries)
		return nil
	}
	if err := w.exec("SAVEPOINT call"); err != nil {
		return err
	}
	c.err = c.f(context.Background(), w.queries)
	if c.err == nil {
		return w.exec("RELEASE call")
	}
	err := w.exec("ROLLBACK TO call; RELEASE call")
	if err != nil && w.wrong == trustsSavepoints {
		// The transaction is gone, the calls before this one with it; what
		// follows goes into a new one as if nothing had happened.
		return w.exec("BEGIN IMMEDIATE")
	}
	return err
}

func (w *twin) exec(text string) error {
	if _, err := w.conn.ExecContext(context.Background(), text); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}

// twinPool is one connection with the settings that a careful author would give
// it, under the faults if there are any.
func twinPool(t *testing.T, path string, faults *storetest.Faults) *sql.DB {
	t.Helper()
	if faults == nil {
		faults = &storetest.Faults{}
	}
	base, err := sqlite.NewConnector("file:" + path + "?_pragma=busy_timeout(10000)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(faults.Connector(base))
	pool.SetMaxOpenConns(1)
	t.Cleanup(func() { pool.Close() })
	return pool
}
