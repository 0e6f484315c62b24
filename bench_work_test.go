package verify_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// A benchWork makes ready for n operations and returns them.
type benchWork = func(b *testing.B, n int) (op func(i int) error)

// benchCounts says how many operations each variant does in a round at a number
// of callers: about a quarter of a second's.
type benchCounts struct {
	callers              int
	engine, tuned, naive int
}

// benchAgainstTwins compares the engine with its twins at some work.
func benchAgainstTwins(b *testing.B, d benchData, work func(benchSystem) benchWork, counts []benchCounts) {
	b.Helper()
	engine, tuned, naive := newBenchEngine(b, d, store.Options{}), newBenchTuned(b, d), newBenchNaive(b, d, "WAL")
	for _, c := range counts {
		b.Run(fmt.Sprintf("callers=%d", c.callers), func(b *testing.B) {
			benchCompare(b,
				benchVariant{"engine", c.callers, c.engine, work(engine)},
				benchVariant{"tuned", c.callers, c.tuned, work(tuned)},
				benchVariant{"naive", c.callers, c.naive, work(naive)},
			)
		})
	}
}

// BenchmarkApprove creates challenges together with their right codes, durably.
// Beside the twins stands what the naive one becomes with SQLite's defaults.
func BenchmarkApprove(b *testing.B) {
	d := benchData{benchFactors, benchChallenges}
	engine, tuned := newBenchEngine(b, d, store.Options{}), newBenchTuned(b, d)
	naive, defaults := newBenchNaive(b, d, "WAL"), newBenchNaive(b, d, "DELETE")
	for _, c := range []benchCounts{{1, 1000, 1000, 250}, {8, 3200, 1000, 250}, {64, 6400, 1024, 256}} {
		b.Run(fmt.Sprintf("callers=%d", c.callers), func(b *testing.B) {
			benchCompare(b,
				benchVariant{"engine", c.callers, c.engine, engine.approvals},
				benchVariant{"tuned", c.callers, c.tuned, tuned.approvals},
				benchVariant{"naive", c.callers, c.naive, naive.approvals},
				benchVariant{"defaults", c.callers, c.naive / 2, defaults.approvals},
			)
		})
	}
}

// BenchmarkVerifyFactor proves enrolments.
func BenchmarkVerifyFactor(b *testing.B) {
	benchAgainstTwins(b, benchData{benchFactors, 0},
		func(s benchSystem) benchWork { return s.enrolments },
		[]benchCounts{{1, 1000, 1000, 250}, {8, 3200, 1000, 250}, {64, 6400, 1024, 256}})
}

// BenchmarkGetFactor reads factors by SID. Beside the twins stands the tuned one
// that also opens the seed, which the engine does when there is a code.
func BenchmarkGetFactor(b *testing.B) {
	d := benchData{benchFactors, 0}
	engine, tuned, naive := newBenchEngine(b, d, store.Options{}), newBenchTuned(b, d), newBenchNaive(b, d, "WAL")
	for _, c := range []benchCounts{{1, 4000, 4000, 2000}, {8, 8000, 8000, 4000}, {64, 8000, 8000, 4000}} {
		b.Run(fmt.Sprintf("callers=%d", c.callers), func(b *testing.B) {
			benchCompare(b,
				benchVariant{"engine", c.callers, c.engine, engine.factors},
				benchVariant{"tuned", c.callers, c.tuned, tuned.factors},
				benchVariant{"tuned+open", c.callers, c.tuned, tuned.opened},
				benchVariant{"naive", c.callers, c.naive, naive.factors},
			)
		})
	}
}

// BenchmarkListChallenges reads the 20 newest challenges of an entity that has 40.
func BenchmarkListChallenges(b *testing.B) {
	benchAgainstTwins(b, benchData{1000, 40_000},
		func(s benchSystem) benchWork { return s.lists },
		[]benchCounts{{1, 500, 500, 250}, {8, 1000, 1000, 500}, {64, 1000, 1000, 500}})
}

// BenchmarkCheckCode is the short way to the same approval: it finds the factor
// by itself.
func BenchmarkCheckCode(b *testing.B) {
	e := newBenchEngine(b, benchData{benchFactors, benchChallenges}, store.Options{})
	for _, c := range []struct{ callers, count int }{{1, 1000}, {64, 6400}} {
		b.Run(fmt.Sprintf("callers=%d", c.callers), func(b *testing.B) {
			benchCompare(b,
				benchVariant{"check", c.callers, c.count, e.checks},
				benchVariant{"create", c.callers, c.count, e.approvals},
			)
		})
	}
}

func (e *benchEngine) checks(b *testing.B, n int) func(i int) error {
	b.Helper()
	ctx, guesses := b.Context(), e.turn.next(b, n)
	return func(i int) error {
		g := guesses[i]
		e.until(g.step)
		check, err := e.CheckCode(ctx, e.service, e.identities[g.factor], g.code)
		if err == nil && !check.Approved {
			err = errBenchLate
		}
		return err
	}
}

// BenchmarkCallers says what company does for an approval.
func BenchmarkCallers(b *testing.B) {
	e := newBenchEngine(b, benchData{benchFactors, benchChallenges}, store.Options{})
	var variants []benchVariant
	for _, v := range []struct{ callers, count int }{{1, 1000}, {8, 3200}, {64, 6400}, {256, 8192}} {
		variants = append(variants, benchVariant{fmt.Sprintf("%dcallers", v.callers), v.callers, v.count, e.approvals})
	}
	benchAgainstFirst(b, variants)
}

// BenchmarkSync compares commits that are synced fully, as they always are, with
// those that a power loss could undo.
func BenchmarkSync(b *testing.B) {
	d := benchData{benchFactors, benchChallenges}
	full := newBenchEngine(b, d, store.Options{})
	normal := newBenchEngine(b, d, store.Options{Connector: func(c driver.Connector) driver.Connector {
		return benchPragmas{c, []string{"PRAGMA synchronous = NORMAL"}}
	}})
	for _, c := range []struct{ callers, count int }{{1, 1000}, {8, 3200}, {64, 6400}} {
		b.Run(fmt.Sprintf("callers=%d", c.callers), func(b *testing.B) {
			benchCompare(b,
				benchVariant{"full", c.callers, c.count, full.approvals},
				benchVariant{"normal", c.callers, c.count, normal.approvals},
			)
		})
	}
}

// BenchmarkOwnWork compares the engine with its own statements, run through the
// same store by a caller that checks, opens and computes nothing: what is between
// the two is the engine's own work.
func BenchmarkOwnWork(b *testing.B) {
	e := newBenchEngine(b, benchData{benchFactors, benchChallenges}, store.Options{})
	for _, c := range []struct{ callers, count int }{{1, 1000}, {64, 6400}} {
		b.Run(fmt.Sprintf("callers=%d", c.callers), func(b *testing.B) {
			benchCompare(b,
				benchVariant{"engine", c.callers, c.count, e.approvals},
				benchVariant{"statements", c.callers, c.count, e.statements},
			)
		})
	}
}

// statements are those of an approval.
func (e *benchEngine) statements(b *testing.B, n int) func(i int) error {
	b.Helper()
	ctx, guesses, details := b.Context(), e.turn.next(b, n), benchDetailsText()
	service, _ := sid.Parse("VA", e.service)
	ids := make([]sid.SID, n)
	random := sid.NewGenerator(benchRandom())
	for i, g := range guesses {
		var err error
		if ids[i], err = random.New(benchTime(g.step).Add(time.Second * benchPeriod / 2)); err != nil {
			b.Fatal(err)
		}
		// Behind the engine's keys of this step, and apart from those of other rounds.
		ids[i].Key += int64(e.turn.done)
	}
	return func(i int) error {
		g, id := guesses[i], ids[i]
		now := benchTime(g.step)
		e.until(g.step)
		var revision int64
		err := e.db.Read(ctx, func(ctx context.Context, q *store.Queries) error {
			row, err := q.GetFactor(ctx, store.GetFactorParams{
				ID: e.factorIDs[g.factor].Key, Tail: e.factorIDs[g.factor].Tail, IdentityKey: e.identities[g.factor],
				ServiceID: service.Key, ServiceTail: service.Tail,
			})
			revision = row.Factor.Revision
			return err
		})
		if err != nil {
			return err
		}
		return e.db.Write(ctx, func(ctx context.Context, q *store.Queries) error {
			factor := e.factorIDs[g.factor].Key
			rows, err := q.AdmitChallenge(ctx, store.AdmitChallengeParams{
				Hour: time.Hour.Microseconds(), Day: 24 * time.Hour.Microseconds(), Now: store.Micros(now),
				HourMax: math.MaxInt32, DayMax: math.MaxInt32, FactorID: factor, MaxFailures: 100,
			})
			if err != nil || rows != 1 {
				return benchRows(rows, err)
			}
			rows, err = q.SpendStep(ctx, store.SpendStepParams{Step: g.step, FactorID: factor, MaxFailures: 100, Revision: revision})
			if err != nil || rows != 1 {
				return benchRows(rows, err)
			}
			// No row is no error: now and then a key meets one of the engine's.
			_, err = q.InsertChallenge(ctx, store.InsertChallengeParams{
				ID: id.Key, Tail: id.Tail, EntityID: e.entityIDs[g.factor].Key, FactorID: factor, Status: string(verify.Approved),
				ExpiresAt: store.Micros(now.Add(5 * time.Minute)), RespondedAt: store.Micros(now), Details: details, CreatedAt: store.Micros(now),
			})
			return err
		})
	}
}

// benchRows is an error if a statement did nothing.
func benchRows(rows int64, err error) error {
	if err == nil && rows != 1 {
		err = errBenchLate
	}
	return err
}

// BenchmarkDisk is the floor below one caller's approval: 4 KiB written in place
// and synced.
func BenchmarkDisk(b *testing.B) {
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "log"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer benchClose(b, f)
	page := make([]byte, 4096)
	const pages = 1000
	sync := func(i int) error {
		if _, err := f.WriteAt(page, int64(i%pages)*int64(len(page))); err != nil {
			return err
		}
		return f.Sync()
	}
	benchMeasure(b, 1, pages, sync, nil) // the file grows to its size
	engine := newBenchEngine(b, benchData{benchFactors, benchChallenges}, store.Options{})
	benchCompare(b,
		benchVariant{"engine", 1, 1000, engine.approvals},
		benchVariant{"sync", 1, 1000, func(*testing.B, int) func(int) error { return sync }},
	)
}
