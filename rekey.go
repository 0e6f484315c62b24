package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed4eca3270/verify/internal/secret"
	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// rekeyStep is how many values one commit moves.
const rekeyStep = 100

// Rekey moves every sealed value to the last of Config.Keys and then makes the
// database forget the older keys, so that it opens without them. It returns how
// many values it moved. It works in steps of 100 values beside other calls, and
// may be stopped at any point, by ctx or a crash, and called again.
//
// Other processes may have the database open, if they hold the key too: see
// AddKey. One that does not cannot read what was moved, and answers
// ErrUnavailable until it is opened with the key.
//
// A damaged value does not stop the others from being moved; Rekey then fails with
// ErrCorrupt, naming the factors, and the database goes on needing the old key.
func (e *Engine) Rekey(ctx context.Context) (moved int, err error) {
	now := e.now()
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) error { return e.introduceKey(ctx, q, now) })
	if err != nil {
		return 0, err
	}
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
			if key.ID == int64(e.keys.Newest()) {
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
// it makes the retiring fail; the caller then comes round again. The process
// learns of the new key when its next record with the old one is refused.
func (e *Engine) moveFrom(ctx context.Context, old int64) (moved int, err error) {
	if moved, err = e.movePepper(ctx, old); err != nil {
		return moved, err
	}
	e.sealing.Store(e.keys.Newest())
	var damaged []string
	for after := int64(-1); ; {
		batch, err := e.moveSeeds(ctx, old, after)
		moved += batch.moved
		damaged = append(damaged, batch.damaged...)
		if err != nil {
			return moved, err
		}
		if batch.last < 0 {
			break
		}
		after = batch.last
		if err := e.store.Breathe(ctx); err != nil {
			return moved, outward(err)
		}
	}
	if len(damaged) > 0 {
		return moved, internal(ErrCorrupt, fmt.Errorf("sealed secrets do not open: factors %s", strings.Join(damaged, ", ")))
	}
	err = e.store.Write(ctx, func(ctx context.Context, q *store.Queries) error {
		_, err := q.RetireSealingKey(ctx, old)
		return err
	})
	if errors.Is(err, store.ErrReference) {
		return moved, nil
	}
	return moved, outward(err)
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

// A movedBatch is what became of one step's worth of seeds.
type movedBatch struct {
	moved   int
	damaged []string // SIDs of factors
	last    int64    // the last key of the step; -1: there was nothing left
}

// moveSeeds moves one step's worth. Opening and sealing happen outside the
// commit; a seed that somebody else moved or deleted meanwhile is left alone.
func (e *Engine) moveSeeds(ctx context.Context, old, after int64) (batch movedBatch, err error) {
	batch.last = -1
	var rows []store.ListSeedsSealedWithRow
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		rows, err = q.ListSeedsSealedWith(ctx, store.ListSeedsSealedWithParams{SeedKey: old, After: after, Step: rekeyStep})
		return err
	})
	if err != nil || len(rows) == 0 {
		return batch, err
	}
	var reseal []store.ResealSeedParams
	for _, row := range rows {
		id := sid.SID{Key: row.ID, Tail: row.Tail}
		seed, err := e.keys.Open(seedPlace(id), row.Seed)
		switch {
		case errors.Is(err, secret.ErrUnknownKey):
			return batch, unsealed(err)
		case err != nil:
			batch.damaged = append(batch.damaged, id.String("YF"))
		default:
			reseal = append(reseal, store.ResealSeedParams{
				Seed: e.keys.Seal(seedPlace(id), seed), SeedKey: int64(e.keys.Newest()), ID: row.ID, OldKey: old,
			})
		}
	}
	err = e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		batch.moved = 0
		for _, params := range reseal {
			n, err := q.ResealSeed(ctx, params)
			if err != nil {
				return err
			}
			batch.moved += int(n)
		}
		return nil
	})
	if err != nil {
		return movedBatch{last: -1}, err
	}
	batch.last = rows[len(rows)-1].ID
	return batch, nil
}
