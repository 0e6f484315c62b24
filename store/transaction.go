package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// A transaction is the one connection that writes, with everything it runs
// prepared on it, BEGIN and COMMIT included: database/sql's own transactions and
// unprepared statements would cost 15 to 45 per cent of the throughput.
//
// Its statements use no caller's context, for they carry the work of several.
type transaction struct {
	pool     *sql.DB // of one connection
	inMemory bool

	known   bool // a connection has been set up: another must find the same database
	conn    *sql.Conn
	queries *Queries
	control map[string]*sql.Stmt
}

const (
	sqlBegin      = "BEGIN IMMEDIATE"
	sqlCommit     = "COMMIT"
	sqlRollback   = "ROLLBACK"
	sqlSavepoint  = "SAVEPOINT call"
	sqlRollbackTo = "ROLLBACK TO call"
	sqlRelease    = "RELEASE call"
)

func openWriter(ctx context.Context, pool *sql.DB, inMemory bool) (*writer, error) {
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(-1) // so that giving the connection up closes it
	w := &writer{transaction: transaction{pool: pool, inMemory: inMemory}}
	w.turn.L = &w.mu
	if err := w.connect(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return w, nil
}

// connect takes the connection for good and prepares it.
func (t *transaction) connect(ctx context.Context) (err error) {
	if t.conn, err = t.pool.Conn(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.disconnect())
		}
	}()
	if err := setUp(ctx, t.conn, t.inMemory, t.known); err != nil {
		return err
	}
	t.known = true
	t.control = make(map[string]*sql.Stmt)
	for _, text := range []string{sqlBegin, sqlCommit, sqlRollback, sqlSavepoint, sqlRollbackTo, sqlRelease} {
		if t.control[text], err = t.conn.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("preparing %s: %w", text, err)
		}
	}
	t.queries, err = Prepare(ctx, t.conn)
	return err
}

// disconnect closes the connection, its statements first: SQLite keeps a
// connection, and its locks, for as long as it has a statement.
func (t *transaction) disconnect() error {
	if t.conn == nil {
		return nil
	}
	var errs []error
	// A connection that database/sql has given up is closed already, and its
	// statements must not be touched any more.
	alive := t.conn.Raw(func(any) error { return nil }) == nil
	if alive && t.queries != nil {
		errs = append(errs, t.queries.Close())
	}
	for _, stmt := range t.control {
		if alive && stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	errs = append(errs, t.conn.Close())
	t.conn, t.queries, t.control = nil, nil, nil
	return errors.Join(errs...)
}

func (t *transaction) exec(text string) error {
	_, err := t.control[text].ExecContext(context.Background())
	return err
}

// begin opens the transaction. A connection that cannot begin for another
// reason than a lock held elsewhere may be stuck: in a transaction whose rollback
// failed too, or after an I/O error whose cause has gone since. The first is
// rolled back once more; for the second the connection is replaced, once.
func (t *transaction) begin() error {
	if t.conn != nil {
		err := t.exec(sqlBegin)
		if err != nil && !isBusy(err) {
			t.rollback()
			err = t.exec(sqlBegin)
		}
		if err == nil || isBusy(err) || t.inMemory {
			return err
		}
		_ = t.disconnect() // a broken connection may not even close; the next one tells
	}
	if err := t.connect(context.Background()); err != nil {
		return err
	}
	return t.exec(sqlBegin)
}

func (t *transaction) commit() error     { return t.exec(sqlCommit) }
func (t *transaction) savepoint() error  { return t.exec(sqlSavepoint) }
func (t *transaction) rollbackTo() error { return t.exec(sqlRollbackTo) }
func (t *transaction) release() error    { return t.exec(sqlRelease) }

// rollback ends a transaction that failed. SQLite may have ended it already,
// which is the one thing it can complain of; if the connection is worse off than
// that, the next begin finds out.
func (t *transaction) rollback() {
	if t.conn != nil {
		_ = t.exec(sqlRollback)
	}
}

func (t *transaction) close() error {
	return errors.Join(t.disconnect(), t.pool.Close())
}
