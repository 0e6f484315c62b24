// Package store keeps the records of package verify. It is not a public API: it
// is exported only so that a program can open a store with its own connector and
// hand it to verify.New. Names, queries and schema change without notice.
//
// Read and Write are the whole contract. Both run a function over sqlc's
// queries and pass its error through one funnel, so that nobody above this
// package meets a driver's error: a missing row is ErrNotFound, a broken
// constraint ErrConflict, a database that is busy, full or unreachable
// ErrUnavailable, a damaged one ErrCorrupt. Errors that are not the database's
// pass unchanged.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// The classes that every database error falls into.
var (
	ErrNotFound    = errors.New("store: no such record")
	ErrConflict    = errors.New("store: record conflicts with one that exists")
	ErrUnavailable = errors.New("store: database unavailable")
	ErrCorrupt     = errors.New("store: database damaged")
	ErrClosed      = errors.New("store: closed")

	// ErrReference is the ErrConflict of a record that refers to one that is
	// gone, or that others still refer to.
	ErrReference = fmt.Errorf("%w: reference", ErrConflict)
)

// A Func works on the store. Read and Write hand it a context of their own,
// which carries the caller's values but never its cancellation: a statement cut
// short could take the work of others with it. It must return any error of a
// query except one for which NoRow answers true, and must not keep q.
type Func func(ctx context.Context, q *Queries) error

// NoRow reports whether a query failed only because nothing matched.
func NoRow(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// classify is the funnel. Drivers are recognised by what their errors answer,
// not by type, so that a connector may wrap them.
func classify(err error) error {
	var coded interface{ Code() int }
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.As(err, &coded):
		return fmt.Errorf("%w: %w", classOf(coded.Code()), err)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// classOf maps SQLite's result codes; the low byte is the primary code.
func classOf(code int) error {
	switch code & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_MISMATCH:
		return ErrCorrupt
	case sqlite3.SQLITE_CONSTRAINT:
		switch code {
		case sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.SQLITE_CONSTRAINT_DATATYPE:
			return ErrCorrupt // values are checked before they come here
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return ErrReference
		}
		return ErrConflict
	default:
		return ErrUnavailable
	}
}

func isBusy(err error) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded) && coded.Code()&0xff == sqlite3.SQLITE_BUSY
}

func isDatabase(err error) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded)
}
