package verify_test

import (
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed4eca3270/verify/store"
)

// BenchmarkSweep removes 20,000 challenges past their retention: alone, for what
// a row costs, and beside callers who approve, for what they notice.
func BenchmarkSweep(b *testing.B) {
	const rows = 20_000
	e := newBenchEngine(b, benchData{benchFactors, 100_000}, store.Options{})
	old := benchTime(benchFirstStep).Add(-60 * 24 * time.Hour)
	age := func(b *testing.B) {
		b.Helper()
		e.direct(b, func(conn *sql.Conn, q *store.Queries) {
			e.fillChallenges(b, conn, q, rows, old)
			// What filling left in the log is not the sweep's to clear away.
			if _, err := conn.ExecContext(b.Context(), "PRAGMA wal_checkpoint(RESTART)"); err != nil {
				b.Fatal(err)
			}
		})
	}
	sweep := func(b *testing.B) {
		b.Helper()
		swept, err := e.Sweep(b.Context())
		if err != nil {
			b.Error(err)
		}
		if swept.Challenges != rows {
			b.Errorf("%d rows swept, want %d", swept.Challenges, rows)
		}
	}
	b.Run("alone", func(b *testing.B) {
		samples := benchSamples{}
		for b.Loop() {
			age(b)
			s := benchMeasure(b, 1, 1, func(int) error { sweep(b); return nil }, nil)
			s.done = rows
			samples["sweep"] = append(samples["sweep"], s)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(samples.median("sweep", benchSample.cpuPerOp), "cpu-µs/row")
		b.ReportMetric(samples.median("sweep", benchSample.rate), "rows/s")
	})
	for _, callers := range []int{8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			samples := benchSamples{}
			for b.Loop() {
				const count = 4096
				samples["quiet"] = append(samples["quiet"], benchMeasure(b, callers, count, e.approvals(b, count), nil))
				age(b)
				var swept atomic.Bool
				took := make(chan time.Duration, 1)
				op := e.approvals(b, 16*count)
				go func() {
					defer swept.Store(true)
					start := time.Now()
					sweep(b)
					took <- time.Since(start)
				}()
				s := benchMeasure(b, callers, 16*count, op, swept.Load)
				wall := <-took
				samples["swept"] = append(samples["swept"], s)
				samples["sweep"] = append(samples["sweep"], benchSample{done: rows, wall: wall})
			}
			samples.report(b, "quiet")
			samples.report(b, "swept")
			p99 := func(s benchSample) float64 { return micros(quantile(s.latencies, 0.99)) }
			samples.ratio(b, "p99-x-quiet", "swept", "quiet", p99)
			samples.ratio(b, "x-quiet", "swept", "quiet", benchSample.rate)
			b.ReportMetric(samples.median("sweep", benchSample.rate), "rows/s")
		})
	}
}
