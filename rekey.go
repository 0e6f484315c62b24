package verify

import (
	"context"
	"errors"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// rekeyStep is how many values one commit moves.
const rekeyStep = 100

// Rekey moves every sealed value to the newest of Config.Keys and then makes the
// database forget the older keys, so that it opens without them. It returns how
// many values it moved. It works in steps of 100 values beside other calls, and
// may be stopped at any point, by ctx or a crash, and called again. First give
// the new key to every process that has the database open: one without it cannot
// read what was moved, and answers ErrUnavailable.
func (e *Engine) Rekey(ctx context.Context) (moved int, err error) {
	newest := int64(e.keys.Newest())
	for {
		var known []store.SealingKey
		err := e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
			known, err = q.ListSealingKeys(ctx)
			return err
		})
		if err != nil {
			return moved, err
		}
		older := 0
		for _, key := range known {
			if key.ID == newest {
				continue
			}
			older++
			n, err := e.moveFrom(ctx, key.ID)
			moved += n
			if err != nil {
				return moved, err
			}
		}
		if older == 0 {
			return moved, nil
		}
	}
}

// moveFrom empties one key and retires it. Another process that still seals with
// it makes the retiring fail; the caller then comes round again.
func (e *Engine) moveFrom(ctx context.Context, old int64) (moved int, err error) {
	if moved, err = e.movePepper(ctx, old); err != nil {
		return moved, err
	}
	for {
		n, err := e.moveSeeds(ctx, old)
		moved += n
		if err != nil {
			return moved, err
		}
		if n == 0 {
			break
		}
	}
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		_, err := q.RetireSealingKey(ctx, old)
		return err
	})
	if errors.Is(err, ErrConflict) {
		return moved, nil
	}
	return moved, err
}

func (e *Engine) movePepper(ctx context.Context, old int64) (int, error) {
	var row store.Installation
	err := e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		row, err = q.GetInstallation(ctx)
		return err
	})
	if err != nil || row.PepperKey != old {
		return 0, err
	}
	pepper, err := e.keys.Open(pepperPlace(), row.Pepper)
	if err != nil {
		return 0, unsealed(err)
	}
	sealed := e.keys.Seal(pepperPlace(), pepper)
	var rows int64
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		rows, err = q.ResealPepper(ctx, store.ResealPepperParams{Pepper: sealed, PepperKey: int64(e.keys.Newest()), OldKey: old})
		return err
	})
	return int(rows), err
}

// moveSeeds moves one step's worth. Opening and sealing happen outside the
// commit; a seed that somebody else moved or deleted meanwhile is left alone.
func (e *Engine) moveSeeds(ctx context.Context, old int64) (moved int, err error) {
	var rows []store.ListSeedsSealedWithRow
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		rows, err = q.ListSeedsSealedWith(ctx, store.ListSeedsSealedWithParams{SeedKey: old, Step: rekeyStep})
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range rows {
		place := seedPlace(sid.SID{Key: rows[i].ID, Tail: rows[i].Tail})
		seed, err := e.keys.Open(place, rows[i].Seed)
		if err != nil {
			return 0, unsealed(err)
		}
		rows[i].Seed = e.keys.Seal(place, seed)
	}
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		for _, row := range rows {
			n, err := q.ResealSeed(ctx, store.ResealSeedParams{
				Seed: row.Seed, SeedKey: int64(e.keys.Newest()), ID: row.ID, OldKey: old,
			})
			if err != nil {
				return err
			}
			moved += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return moved, nil
}
