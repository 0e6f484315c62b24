package verify

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/seed4eca3270/verify/internal/secret"
	"github.com/seed4eca3270/verify/store"
)

// Keys seal a database: AES-256-GCM, with every sealed value bound to its table,
// column and row. They print as a mask. The zero Keys hold none.
type Keys struct{ ring *secret.Keyring }

// KeyFile reads keys from the file at path, and makes the file (mode 0600, one
// new random key) if there is none. Keep it apart from the database's backups:
// together they are all a thief needs, and without it the database is lost.
//
// A file that others may read is refused; keys from a secret manager go through
// [ParseKeys] instead.
func KeyFile(path string) (Keys, error) {
	if err := secret.CreateKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Keys{}, errKeys("making the key file: %v", err)
	}
	ring, err := secret.ReadKeyFile(path)
	if err != nil {
		return Keys{}, errKeys("reading the key file: %v", err)
	}
	return Keys{ring}, nil
}

// AddKey adds a new random key to a key file. Give the file to every process
// that opens the database, then call [Engine.Rekey] in one of them; after that
// the older lines may be deleted.
func AddKey(path string) error {
	if _, err := secret.AppendKey(path); err != nil {
		return errKeys("adding a key: %v", err)
	}
	return nil
}

// ParseKeys reads keys in the format of a key file: lines of "verify-key-1", an
// id from 1 up and 32 bytes in base64; '#' begins a comment line. The last key
// seals, all of them open.
func ParseKeys(text string) (Keys, error) {
	ring, err := secret.ParseKeyring(text)
	if err != nil {
		return Keys{}, errKeys("%v", err)
	}
	return Keys{ring}, nil
}

// String masks the keys.
func (k Keys) String() string {
	if k.ring == nil {
		return "verify.Keys{}"
	}
	return fmt.Sprintf("verify.Keys(newest %d)", k.ring.Newest())
}

// GoString masks the keys under %#v.
func (k Keys) GoString() string { return k.String() }

// LogValue masks the keys in logs.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// pepperPlace is in a table of one row.
func pepperPlace() secret.Place { return secret.Place{Table: "installation", Column: "pepper"} }

// install checks the keys against those the database knows, and gives a new
// database what it keeps for good: an account SID and a pepper, the key behind
// page tokens and hashes.
func (e *Engine) install(ctx context.Context) error {
	var known []store.SealingKey
	var row store.Installation
	look := func(ctx context.Context, q *store.Queries) (err error) {
		if known, err = q.ListSealingKeys(ctx); err != nil {
			return err
		}
		row, err = q.GetInstallation(ctx)
		return err
	}
	err := e.read(ctx, look)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	isNew := err != nil
	if err := e.checkKeys(known); err != nil {
		return err
	}
	if isNew || !knows(known, e.keys.Newest()) {
		if err := e.introduce(ctx); err != nil {
			return err
		}
		if err := e.read(ctx, look); err != nil {
			return err
		}
		// Another process may have been first, with other keys.
		if err := e.checkKeys(known); err != nil {
			return err
		}
	}
	pepper, err := e.keys.Open(pepperPlace(), row.Pepper)
	if err != nil {
		return internal(ErrCorrupt, err)
	}
	e.pageKey = secret.MAC(pepper, "page tokens")
	e.seedKey = secret.MAC(pepper, "seeds of an entity")
	e.accountSID = row.AccountSID
	if e.cfg.AccountSID != "" {
		e.accountSID = e.cfg.AccountSID
	}
	return nil
}

func knows(keys []store.SealingKey, id uint32) bool {
	for _, k := range keys {
		if k.ID == int64(id) {
			return true
		}
	}
	return false
}

// checkKeys refuses keys that could not open what the database holds.
func (e *Engine) checkKeys(known []store.SealingKey) error {
	for _, k := range known {
		fingerprint, err := e.keys.Fingerprint(uint32(k.ID))
		if err != nil {
			return errKeys("the database is sealed with key %d, which Config.Keys does not hold", k.ID)
		}
		if subtle.ConstantTimeCompare(fingerprint, k.Fingerprint) != 1 {
			return errKeys("key %d of Config.Keys is not the key %d that the database was sealed with", k.ID, k.ID)
		}
	}
	return nil
}

// introduce tells the database about the newest key, and founds it if it is new.
func (e *Engine) introduce(ctx context.Context) error {
	now := e.now()
	account, err := e.sids.New(now)
	if err != nil {
		return internal(ErrUnavailable, err)
	}
	sealed := e.keys.Seal(pepperPlace(), secret.NewPepper())
	return e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		if err := e.introduceKey(ctx, q, now); err != nil {
			return err
		}
		_, err := q.InsertInstallation(ctx, store.InsertInstallationParams{
			AccountSID: account.String("AC"), Pepper: sealed, PepperKey: int64(e.keys.Newest()), CreatedAt: store.Micros(now),
		})
		return err
	})
}

func (e *Engine) introduceKey(ctx context.Context, q *store.Queries, now time.Time) error {
	fingerprint, err := e.keys.Fingerprint(e.keys.Newest())
	if err != nil {
		return internal(ErrUnavailable, err)
	}
	_, err = q.InsertSealingKey(ctx, store.InsertSealingKeyParams{
		ID: int64(e.keys.Newest()), Fingerprint: fingerprint, CreatedAt: store.Micros(now),
	})
	return err
}
