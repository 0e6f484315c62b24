package verify

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
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
	ring, err := secret.ReadKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := secret.CreateKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return Keys{}, errKeys("making the key file: %v", err)
		}
		ring, err = secret.ReadKeyFile(path)
	}
	if err != nil {
		return Keys{}, errKeys("reading the key file: %v", err)
	}
	return Keys{ring}, nil
}

// AddKey adds a new random key to a key file. It is the first of three steps, none
// of which stops anything: let every process that has the database open read the
// file anew, one after the other, which makes them able to open what the new key
// seals; call [Engine.Rekey] in one of them; delete the older lines.
func AddKey(path string) error {
	if _, err := secret.AppendKey(path); err != nil {
		return errKeys("adding a key: %v", err)
	}
	return nil
}

// ParseKeys reads keys in the format of a key file: lines of "verify-key-1", an
// id from 1 up and 32 bytes in base64; '#' begins a comment line. All of them open
// what they sealed. A new database is sealed with the last one, an older one with
// the key it has, until Rekey.
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

// Format masks the keys under every verb.
func (k Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

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
	if isNew {
		if err := e.found(ctx); err != nil {
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
		return unsealed(err)
	}
	e.sealing.Store(uint32(row.PepperKey))
	e.pageKey = secret.MAC(pepper, "page tokens")
	e.seedKey = secret.MAC(pepper, "seeds of an entity")
	e.accountSID = row.AccountSID
	if e.cfg.AccountSID != "" {
		e.accountSID = e.cfg.AccountSID
	}
	return nil
}

// learnSealing reads which key the database is sealed with by now: the pepper is
// the first thing that Rekey moves.
func (e *Engine) learnSealing(ctx context.Context) error {
	return e.read(ctx, func(ctx context.Context, q *store.Queries) error {
		row, err := q.GetInstallation(ctx)
		if err != nil {
			return err
		}
		if !e.keys.Has(uint32(row.PepperKey)) {
			return unsealed(fmt.Errorf("%w: %d", secret.ErrUnknownKey, row.PepperKey))
		}
		e.sealing.Store(uint32(row.PepperKey))
		return nil
	})
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

// found gives a new database its account SID, its pepper and its first key.
func (e *Engine) found(ctx context.Context) error {
	now := e.now()
	account, err := e.sids.New(now)
	if err != nil {
		return internal(ErrUnavailable, err)
	}
	sealed := e.keys.Seal(pepperPlace(), secret.NewPepper())
	return e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		// Whoever comes second must leave no trace: its key may be another one,
		// which the first could then not open the database with.
		if _, err := q.GetInstallation(ctx); !store.NoRow(err) {
			return err
		}
		if err := e.introduceKey(ctx, q, now); err != nil {
			return err
		}
		_, err := q.InsertInstallation(ctx, store.InsertInstallationParams{
			AccountSID: account.String("AC"), Pepper: sealed, PepperKey: int64(e.keys.Newest()), CreatedAt: store.Micros(now),
		})
		return err
	})
}

// introduceKey tells the database about the newest key.
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
