package verify

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seed4eca3270/verify/internal/secret"
	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// An Engine is Verify v2 over one database. Its methods may be called from many
// goroutines; several engines, in one process or many, may share a file. It
// starts no goroutine and needs no background work: [Engine.Run] exists for those
// who want old records swept while the program runs.
type Engine struct {
	store     *store.DB
	ownsStore bool
	cfg       Config
	keys      *secret.Keyring
	sids      *sid.Generator

	accountSID string
	sealing    atomic.Uint32 // the key that the database is being sealed with
	pageKey    []byte        // authenticates page tokens
	seedKey    []byte        // recognises a secret that an entity has already
}

// Format masks the engine, which holds keys.
func (e *Engine) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "verify.Engine(%s)", e.accountSID) }

// Open opens the database at path, a file made with mode 0600 if there is none,
// or ":memory:" for one that goes with the engine. It brings the schema up to
// date and checks that cfg.Keys are the keys the database was sealed with.
//
// It fails with ErrInvalid for a configuration that cannot work, the wrong keys
// included, and for a file of another program or a newer version; ErrUnavailable
// if the file cannot be used, and ErrCorrupt if it is damaged or no database.
func Open(ctx context.Context, path string, cfg Config) (*Engine, error) {
	if path == "" {
		return nil, &Error{Param: "path", Message: "path is empty: name a file, or :memory:", Err: ErrInvalid}
	}
	if path != ":memory:" && cfg.Keys.ring == nil {
		return nil, errNoKeys()
	}
	db, err := store.OpenSQLite(ctx, path, store.Options{})
	if err != nil {
		return nil, outward(err)
	}
	e, err := New(ctx, db, cfg)
	if err != nil {
		_ = db.Close() // the first error is the one that helps
		return nil, err
	}
	e.ownsStore = true
	return e, nil
}

// New makes an engine on a store that the caller opened and will close. It fails
// as Open does.
func New(ctx context.Context, db *store.DB, cfg Config) (*Engine, error) {
	if cfg.Keys.ring == nil {
		if !db.InMemory() {
			return nil, errNoKeys()
		}
		cfg.Keys.ring = secret.NewRandomKeyring()
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.filled()
	e := &Engine{store: db, cfg: cfg, keys: cfg.Keys.ring, sids: sid.NewGenerator(cfg.Rand)}
	for _, name := range db.Tightened() {
		cfg.Logger.WarnContext(ctx, "verify: database file was open to others, mode tightened", "file", name)
	}
	if err := e.install(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// Close waits for the calls that are writing, and closes the database if Open
// opened it: every call after that fails with ErrClosed. An engine made by New
// ends with the store it was given. Close may be called more than once.
func (e *Engine) Close() error {
	if !e.ownsStore {
		return nil
	}
	if err := e.store.Close(); err != nil {
		return outward(err)
	}
	return nil
}

// AccountSID is the account that every record names: Config.AccountSID, or the
// one made with the database.
func (e *Engine) AccountSID() string { return e.accountSID }

// now reads the clock, once per operation, at the precision that is stored.
func (e *Engine) now() time.Time { return e.cfg.Clock().UTC().Truncate(time.Microsecond) }

func (e *Engine) read(ctx context.Context, f store.Func) error {
	return outward(e.store.Read(ctx, f))
}

func (e *Engine) write(ctx context.Context, f store.Func) error {
	return outward(e.store.Write(ctx, f))
}

// errTaken is returned from a write whose new SID's key exists already.
var errTaken = errors.New("key taken")

// insert runs a write that makes a record, with a SID made before the write so
// that the embedder's Rand never runs inside a commit that others share. A key
// that another process made in the same microsecond costs one more try.
func (e *Engine) insert(ctx context.Context, now time.Time, f func(id sid.SID) (store.Func, error)) error {
	var err error
	for range 10 {
		var id sid.SID
		if id, err = e.sids.New(now); err != nil {
			return internal(ErrUnavailable, err)
		}
		var write store.Func
		if write, err = f(id); err != nil {
			return err
		}
		err = e.store.Write(ctx, write)
		switch {
		case errors.Is(err, errTaken):
			if err := e.sids.Jump(); err != nil {
				return internal(ErrUnavailable, err)
			}
		case errors.Is(err, store.ErrReference):
			// Somebody has retired the key that the record was sealed with.
			if err := e.learnSealing(ctx); err != nil {
				return err
			}
		default:
			return outward(err)
		}
	}
	return internal(ErrUnavailable, err)
}

// inserted turns the row count of an INSERT … ON CONFLICT DO NOTHING into the
// error that insert understands.
func inserted(rows int64, err error) error {
	if err == nil && rows == 0 {
		return errTaken
	}
	return err
}

func errNoKeys() *Error {
	return &Error{
		Param:   "Config.Keys",
		Message: `a database file needs Config.Keys: verify.KeyFile("mfa.key") makes a key file once and reads it from then on`,
		Err:     ErrInvalid,
	}
}

func errKeys(format string, args ...any) *Error {
	return &Error{Param: "Config.Keys", Message: fmt.Sprintf(format, args...), Err: ErrInvalid}
}
