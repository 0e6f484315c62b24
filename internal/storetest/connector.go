package storetest

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// A Kind is what an operation asks of the driver.
type Kind string

// The kinds. Next is a row after the first, for which SQLite works again.
const (
	Connect Kind = "connect"
	Prepare Kind = "prepare"
	Exec    Kind = "exec"
	Query   Kind = "query"
	Next    Kind = "next"
)

// An Op is one operation: a statement that is run counts as Exec or Query,
// prepared or not.
type Op struct {
	Kind Kind
	SQL  string              // empty for Connect
	Args []driver.NamedValue // of Exec and Query
	conn driver.Conn
}

// String implements fmt.Stringer.
func (o Op) String() string { return fmt.Sprintf("%s %.60q", o.Kind, o.SQL) }

// Exec runs a statement on the operation's connection, seen by no fault.
func (o Op) Exec(sql string) error {
	if o.conn == nil {
		return nil
	}
	_, err := o.conn.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	return err
}

// Connector wraps a connector so that f controls its connections. It fits
// store.Options.Connector.
func (f *Faults) Connector(base driver.Connector) driver.Connector {
	return &connector{base: base, faults: f}
}

type connector struct {
	base   driver.Connector
	faults *Faults
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	return run(c.faults, Op{Kind: Connect}, func() (driver.Conn, error) {
		base, err := c.base.Connect(ctx)
		if err != nil {
			return nil, err
		}
		return &conn{base: base, faults: c.faults}, nil
	})
}

func (c *connector) Driver() driver.Driver { return c.base.Driver() }

// run does an operation, or what a fault makes of it.
func run[T any](f *Faults, op Op, do func() (T, error)) (result T, err error) {
	fault, hit := f.meet(op)
	if !hit {
		return do()
	}
	switch fault.Mode {
	case RollBack:
		_ = op.Exec("ROLLBACK") // there may be no transaction
	case Unknown:
		if result, err = do(); err != nil {
			return result, err
		}
		if c, ok := any(result).(io.Closer); ok {
			_ = c.Close() // nobody will
		}
	}
	var nothing T
	return nothing, &Error{code: fault.Code, op: op}
}

// A conn passes on all that the driver's own connections can do.
type conn struct {
	base   driver.Conn
	faults *Faults
}

var (
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
	_ driver.StmtExecContext    = (*stmt)(nil)
	_ driver.StmtQueryContext   = (*stmt)(nil)
)

func (c *conn) op(kind Kind, sql string, args []driver.NamedValue) Op {
	return Op{Kind: kind, SQL: sql, Args: args, conn: c.base}
}

// Unwrap lets the driver's package functions find its connection.
func (c *conn) Unwrap() driver.Conn { return c.base }

func (c *conn) Close() error { return c.base.Close() }

func (c *conn) Prepare(sql string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), sql)
}

func (c *conn) PrepareContext(ctx context.Context, sql string) (driver.Stmt, error) {
	return run(c.faults, c.op(Prepare, sql, nil), func() (driver.Stmt, error) {
		base, err := c.base.(driver.ConnPrepareContext).PrepareContext(ctx, sql)
		if err != nil {
			return nil, err
		}
		return &stmt{base: base, conn: c, sql: sql}, nil
	})
}

func (c *conn) ExecContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	return run(c.faults, c.op(Exec, sql, args), func() (driver.Result, error) {
		return c.base.(driver.ExecerContext).ExecContext(ctx, sql, args)
	})
}

func (c *conn) QueryContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Rows, error) {
	return run(c.faults, c.op(Query, sql, args), func() (driver.Rows, error) {
		return c.rows(sql)(c.base.(driver.QueryerContext).QueryContext(ctx, sql, args))
	})
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return run(c.faults, c.op(Exec, "BEGIN", nil), func() (driver.Tx, error) {
		base, err := c.base.(driver.ConnBeginTx).BeginTx(ctx, o)
		if err != nil {
			return nil, err
		}
		return &tx{base: base, conn: c}, nil
	})
}

func (c *conn) Ping(ctx context.Context) error { return c.base.(driver.Pinger).Ping(ctx) }

func (c *conn) ResetSession(ctx context.Context) error {
	return c.base.(driver.SessionResetter).ResetSession(ctx)
}

func (c *conn) IsValid() bool { return c.base.(driver.Validator).IsValid() }

func (c *conn) rows(sql string) func(driver.Rows, error) (driver.Rows, error) {
	return func(base driver.Rows, err error) (driver.Rows, error) {
		if err != nil {
			return nil, err
		}
		return &rows{Rows: base, conn: c, sql: sql}, nil
	}
}

type stmt struct {
	base driver.Stmt
	conn *conn
	sql  string
}

func (s *stmt) Close() error  { return s.base.Close() }
func (s *stmt) NumInput() int { return s.base.NumInput() }

// Exec and Query are there for the interface; database/sql calls the others.
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errors.ErrUnsupported }
func (s *stmt) Query([]driver.Value) (driver.Rows, error)  { return nil, errors.ErrUnsupported }

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return run(s.conn.faults, s.conn.op(Exec, s.sql, args), func() (driver.Result, error) {
		return s.base.(driver.StmtExecContext).ExecContext(ctx, args)
	})
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return run(s.conn.faults, s.conn.op(Query, s.sql, args), func() (driver.Rows, error) {
		return s.conn.rows(s.sql)(s.base.(driver.StmtQueryContext).QueryContext(ctx, args))
	})
}

// rows are the driver's, seen row by row from the second on.
type rows struct {
	driver.Rows
	conn *conn
	sql  string
	read bool
}

func (r *rows) Next(dest []driver.Value) error {
	if !r.read {
		r.read = true
		return r.Rows.Next(dest)
	}
	_, err := run(r.conn.faults, r.conn.op(Next, r.sql, nil), func() (any, error) {
		return nil, r.Rows.Next(dest)
	})
	return err
}

type tx struct {
	base driver.Tx
	conn *conn
}

func (t *tx) Commit() error   { return t.end("COMMIT", t.base.Commit) }
func (t *tx) Rollback() error { return t.end("ROLLBACK", t.base.Rollback) }

func (t *tx) end(sql string, do func() error) error {
	_, err := run(t.conn.faults, t.conn.op(Exec, sql, nil), func() (any, error) { return nil, do() })
	return err
}
