package storetest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"sync"
	"testing"

	"github.com/seed4eca3270/verify/store"
)

// Open opens a store under f, which may be nil, and closes it when the test ends.
func Open(tb testing.TB, path string, f *Faults, o store.Options) *store.DB {
	tb.Helper()
	if f != nil {
		o.Connector = f.Connector
	}
	db, err := store.OpenSQLite(context.Background(), path, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("closing %s: %v", path, err)
		}
	})
	return db
}

// Raw opens a database file past the store, as anybody could who knows SQLite,
// with pragmas such as "busy_timeout(0)" on every connection. It is closed when
// the test ends.
func Raw(tb testing.TB, path string, pragmas ...string) *sql.DB {
	tb.Helper()
	db, err := OpenRaw(path, pragmas...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// OpenRaw is Raw for a process that is no test.
func OpenRaw(path string, pragmas ...string) (*sql.DB, error) {
	u := url.URL{Path: path}
	return sql.Open("sqlite", "file:"+u.EscapedPath()+"?"+url.Values{"_pragma": pragmas}.Encode())
}

// Connections are those that a connector has made, for a test that looks at each
// of them. It fits store.Options.Connector.
type Connections struct {
	mu   sync.Mutex
	open []driver.Conn
}

// Connector wraps a connector whose connections are to be seen.
func (c *Connections) Connector(base driver.Connector) driver.Connector {
	return &seen{base, c}
}

type seen struct {
	driver.Connector
	by *Connections
}

func (s *seen) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	s.by.mu.Lock()
	defer s.by.mu.Unlock()
	s.by.open = append(s.by.open, conn)
	return conn, nil
}

// Each calls f with every connection made so far. Nobody else may be using them.
func (c *Connections) Each(f func(driver.Conn)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		f(conn)
	}
}

// Value reads the one value that a query gives on a bare connection.
func Value(tb testing.TB, conn driver.Conn, query string) driver.Value {
	tb.Helper()
	rows, err := conn.(driver.QueryerContext).QueryContext(context.Background(), query, nil)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return row[0]
}
