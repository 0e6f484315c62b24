package verify

import (
	"context"
	"errors"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

const (
	// sweepStep is how many rows one commit deletes: few enough that those who
	// share the commit hardly notice.
	sweepStep = 100
	// sweepEvery is the pause between the sweeps of Run.
	sweepEvery = time.Minute
)

// Swept counts what a sweep removed.
type Swept struct {
	Challenges int // past their retention
	Factors    int // never verified, past their retention
	Services   int // whose deletion had been interrupted
}

// Sweep deletes what is past its retention, once. It works in steps of 100 rows
// beside other calls and lets commits of others go first. No decision depends on
// it: expiry is decided where a record is used, and a sweep frees no limit and no
// spent code. What depends on it is the size of the file. It fails with ErrUnavailable, or the error of ctx; what was swept
// by then stays swept.
func (e *Engine) Sweep(ctx context.Context) (swept Swept, err error) {
	now := e.now()
	if keep := e.cfg.Retention.Challenges; keep > 0 {
		before := sid.KeyAt(now.Add(-keep))
		swept.Challenges, err = e.inSteps(ctx, func(ctx context.Context, q *store.Queries) (int64, error) {
			return q.DeleteChallengesBefore(ctx, store.DeleteChallengesBeforeParams{Before: before, Step: sweepStep})
		})
		if err != nil {
			return swept, err
		}
	}
	if e.cfg.Retention.UnverifiedFactors > 0 {
		before := e.freshEnrolments(now)
		swept.Factors, err = e.inSteps(ctx, func(ctx context.Context, q *store.Queries) (int64, error) {
			return q.DeleteUnverifiedFactorsBefore(ctx, store.DeleteUnverifiedFactorsBeforeParams{Before: before, Step: sweepStep})
		})
		if err != nil {
			return swept, err
		}
	}
	swept.Services, err = e.clearServices(ctx)
	return swept, err
}

func (e *Engine) clearServices(ctx context.Context) (cleared int, err error) {
	for {
		var buried []int64
		err := e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
			buried, err = q.ListBuriedServices(ctx, sweepStep)
			return err
		})
		if err != nil || len(buried) == 0 {
			return cleared, err
		}
		for _, service := range buried {
			if err := e.clearService(ctx, service); err != nil {
				return cleared, err
			}
			cleared++
		}
	}
}

// inSteps repeats a deletion until a step finds less than it may take.
func (e *Engine) inSteps(ctx context.Context, step func(context.Context, *store.Queries) (int64, error)) (total int, err error) {
	for {
		var rows int64
		err := e.write(ctx, func(ctx context.Context, q *store.Queries) (err error) {
			rows, err = step(ctx, q)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int(rows)
		if rows < sweepStep {
			return total, nil
		}
		if err := e.store.Breathe(ctx); err != nil {
			return total, outward(err)
		}
	}
}

// Run sweeps now and every minute until ctx ends, and then returns nil; it
// returns ErrClosed if the engine is closed first. A sweep that fails is logged,
// and the next one tries again. Programs that want it call it in a goroutine of
// their own; one per file is enough.
func (e *Engine) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		_, err := e.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrClosed):
			return err
		case err != nil:
			e.cfg.Logger.ErrorContext(ctx, "verify: sweep failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
