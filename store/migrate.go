package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// ErrSchema is returned for a database that this version cannot use.
var ErrSchema = errors.New("store: unusable schema")

// applicationID marks a SQLite file as one of ours ("vrfy").
const applicationID = 0x76726679

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// owned refuses, before anything is changed, a file that belongs to another
// program: a non-empty database without our mark. An empty one may become ours,
// unless it stands where ours is known to have been.
func owned(ctx context.Context, conn *sql.Conn, known bool) error {
	// In this order: another process that is making the database just now gives
	// it its mark and its tables in one transaction, so who has seen the tables
	// sees the mark.
	var objects, id int64
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	switch {
	case id == applicationID:
		return nil
	case known:
		return fmt.Errorf("%w: the file was replaced", ErrUnavailable)
	case id != 0 || objects > 0:
		return fmt.Errorf("%w: the file is a database of another program", ErrSchema)
	}
	return nil
}

// migrate brings the schema forward, each migration in a transaction of its
// own. The version is read inside the transaction, so of two processes that
// open one file at once the second finds the work done.
func migrate(ctx context.Context, conn *sql.Conn) error {
	names, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("%w: schema %d is newer than this program's %d", ErrSchema, version, len(names))
	}
	for i, name := range names[version:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if err := migrateOne(ctx, conn, version+i+1, string(text)); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}

func migrateOne(ctx context.Context, conn *sql.Conn, to int, text string) (err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	end := "COMMIT"
	defer func() {
		if err != nil {
			end = "ROLLBACK"
		}
		// The context may be why we are here: the end needs one that lasts.
		_, endErr := conn.ExecContext(context.WithoutCancel(ctx), end)
		err = errors.Join(err, endErr)
	}()
	version, err := schemaVersion(ctx, conn)
	if err != nil || version >= to {
		return err
	}
	if _, err := conn.ExecContext(ctx, text); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", to, applicationID))
	return err
}

func schemaVersion(ctx context.Context, conn *sql.Conn) (version int, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}
