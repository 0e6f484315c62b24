package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options of OpenSQLite. The zero value is what verify.Open uses.
type Options struct {
	// BusyTimeout is how long a writer waits for another process's
	// transaction; zero: 10 seconds.
	BusyTimeout time.Duration
	// Connector, if not nil, wraps the connector that every connection comes
	// from. Tests inject faults with it.
	Connector func(driver.Connector) driver.Connector
}

// A DB is an open store. Its methods may be called from many goroutines, and
// many processes may open the same file.
type DB struct {
	tightened []string
	writer    *writer
	readers   *sql.DB  // nil in memory, where another connection would be another database
	reads     *Queries // prepared on readers

	reading sync.RWMutex // held while reading, so that Close can wait
}

const memoryPath = ":memory:"

// minVersion is the first SQLite without the log-reset bug that could corrupt a
// database when two connections wrote and checkpointed together.
var minVersion = [3]int{3, 51, 3}

// OpenSQLite opens the SQLite database at path, making it (mode 0600) if there
// is none, and brings its schema up to date. The path ":memory:" gives an empty
// database that goes with the DB. It fails with ErrUnavailable if the file
// cannot be used, ErrCorrupt if it is damaged, and ErrSchema if it is not
// a database of this package or was written by a newer version of it.
func OpenSQLite(ctx context.Context, path string, o Options) (_ *DB, err error) {
	if path == "" {
		return nil, errors.New("store: path is empty (a file, or the word :memory: is needed)")
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 10 * time.Second
	}
	db := &DB{}
	defer func() {
		if err != nil {
			err = classify(errors.Join(err, db.Close()))
		}
	}()
	inMemory := path == memoryPath
	if !inMemory {
		// Connections are opened later too, whatever the working directory is then.
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		if db.tightened, err = secureFile(path); err != nil {
			return nil, err
		}
	}
	writing, err := newConnector(path, o, false)
	if err != nil {
		return nil, err
	}
	if db.writer, err = openWriter(ctx, sql.OpenDB(writing), inMemory); err != nil {
		return nil, err
	}
	if inMemory {
		return db, nil
	}
	reading, err := newConnector(path, o, true)
	if err != nil {
		return nil, err
	}
	db.readers = sql.OpenDB(reading)
	// More readers than processors only wait for one another.
	n := max(2, runtime.GOMAXPROCS(0))
	db.readers.SetMaxOpenConns(n)
	db.readers.SetMaxIdleConns(n)
	db.reads, err = Prepare(ctx, db.readers)
	return db, err
}

// Tightened names the files whose rights were taken from group and others when
// the store was opened.
func (db *DB) Tightened() []string { return db.tightened }

// Read runs f on a connection that cannot write. Each query sees the database
// as of its own start, with everything that any Write has been told is done. It
// fails with ctx's error if that has ended before f starts; what has started
// ends, for a statement that can be cancelled costs a third more, and those here
// are short.
func (db *DB) Read(ctx context.Context, f Func) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.readers == nil {
		return db.writer.do(ctx, f)
	}
	if db.writer.isClosed() { // asked twice: Close may be waiting for the lock
		return ErrClosed
	}
	db.reading.RLock()
	defer db.reading.RUnlock()
	if db.writer.isClosed() {
		return ErrClosed
	}
	return classify(f(context.WithoutCancel(ctx), db.reads))
}

// Write runs f in a transaction that it may share with other callers, and
// returns when that transaction is on disk: see writer.
func (db *DB) Write(ctx context.Context, f Func) error {
	return db.writer.do(ctx, f)
}

// Breathe is called between the steps of long work: it lets others write first.
// It fails only with ctx's error.
func (db *DB) Breathe(ctx context.Context) error { return db.writer.breathe(ctx) }

// InMemory reports whether the database goes with the DB.
func (db *DB) InMemory() bool { return db.readers == nil }

// Close waits for the reads and writes under way and closes the database. It may
// be called more than once; reads and writes after it fail with ErrClosed.
func (db *DB) Close() error {
	if db.writer == nil {
		return nil // it never opened
	}
	return db.writer.close(db.close)
}

func (db *DB) close() error {
	db.reading.Lock()
	defer db.reading.Unlock()
	var errs []error
	if db.readers != nil {
		if db.reads != nil {
			errs = append(errs, db.reads.Close())
		}
		errs = append(errs, db.readers.Close())
	}
	// The writer goes last: the last connection to a file brings the log into
	// the database and removes it, and readers may not.
	return errors.Join(append(errs, db.writer.transaction.close())...)
}

// setUp checks the library, turns the log on and migrates, on the connection
// that will write. A database that is known must be there already.
func setUp(ctx context.Context, conn *sql.Conn, inMemory, known bool) error {
	var version string
	if err := conn.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if !atLeast(version, minVersion) {
		return fmt.Errorf("store: SQLite %s can corrupt a database shared by processes; 3.51.3 or later is needed", version)
	}
	if !inMemory {
		if err := owned(ctx, conn, known); err != nil {
			return err
		}
		if err := turnLogOn(ctx, conn); err != nil {
			return err
		}
	}
	return migrate(ctx, conn)
}

// turnLogOn switches to write-ahead logging. SQLite does not wait for a lock
// here as it does elsewhere, so a process that opens a new file beside another
// has to ask again.
func turnLogOn(ctx context.Context, conn *sql.Conn) error {
	var mode string
	err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
	for range 500 {
		if !isBusy(err) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
		err = conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
	}
	if err == nil && mode != "wal" {
		err = fmt.Errorf("%w: the file system cannot share memory between processes (journal mode %q)", ErrUnavailable, mode)
	}
	return err
}

func atLeast(version string, least [3]int) bool {
	for i, part := range strings.SplitN(version, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil || i >= len(least) {
			return false
		}
		if n != least[i] {
			return n > least[i]
		}
	}
	return true
}
