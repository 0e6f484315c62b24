package verify_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A benchVariant is one way of doing some work. Each iteration of a benchmark is
// a round, in which every variant does its operations once, in an order drawn
// anew: whatever else the machine is busy with falls on all of them alike. What
// counts are medians over rounds, and of ratios the medians of each round's.
//
//	go test -run '^$' -bench Approve -benchtime 9x .
type benchVariant struct {
	name    string
	callers int // goroutines that share the operations
	count   int // operations a round
	// prepare makes ready for n operations and returns them by number. It is
	// not measured.
	prepare func(b *testing.B, n int) (op func(i int) error)
}

// errBenchLate is an operation's answer if its code was overtaken by that of the
// factor's next step. Then it was scheduling that failed, which may happen now
// and then.
var errBenchLate = errors.New("overtaken")

// A benchSample is what one variant did in one round.
type benchSample struct {
	done, late int
	wall, cpu  time.Duration
	mallocs    uint64
	bytes      uint64
	latencies  []time.Duration
}

func (s benchSample) rate() float64      { return float64(s.done) / s.wall.Seconds() }
func (s benchSample) cpuPerOp() float64  { return micros(s.cpu) / float64(s.done) }
func (s benchSample) mallocsOp() float64 { return float64(s.mallocs) / float64(s.done) }
func (s benchSample) bytesOp() float64   { return float64(s.bytes) / float64(s.done) }
func (s benchSample) cpuRate() float64   { return 1 / s.cpuPerOp() }
func micros(d time.Duration) float64     { return float64(d.Nanoseconds()) / 1e3 }

// benchMeasure lets callers work off n operations, or as many as they get done
// before enough says so.
func benchMeasure(b *testing.B, callers, n int, op func(i int) error, enough func() bool) (s benchSample) {
	b.Helper()
	latencies := make([][]time.Duration, callers)
	for c := range latencies {
		latencies[c] = make([]time.Duration, 0, n/callers+1024)
	}
	var next, late atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	var before, after runtime.MemStats
	runtime.GC() // what the one before left is not this one's
	runtime.ReadMemStats(&before)
	cpu, start := benchCPU(), time.Now()
	for c := range callers {
		wg.Go(func() {
			own := latencies[c]
			defer func() { latencies[c] = own }()
			for failed.Load() == nil && (enough == nil || !enough()) {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				began := time.Now()
				err := op(i)
				own = append(own, time.Since(began))
				switch {
				case errors.Is(err, errBenchLate):
					late.Add(1)
				case err != nil:
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	s.wall, s.cpu = time.Since(start), benchCPU()-cpu
	runtime.ReadMemStats(&after)
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	s.latencies = slices.Concat(latencies...)
	s.done, s.late = len(s.latencies), int(late.Load())
	if s.late > s.done/100 {
		b.Fatalf("%d of %d operations overtaken", s.late, s.done)
	}
	s.mallocs, s.bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return s
}

// benchSamples are the samples of each variant, by name and round.
type benchSamples map[string][]benchSample

// benchRounds runs the benchmark's loop.
func benchRounds(b *testing.B, variants []benchVariant) benchSamples {
	b.Helper()
	seed := benchSeedOfOrder(b)
	b.Logf("order drawn with VERIFY_BENCH_SEED=%d", seed)
	order := rand.New(rand.NewPCG(seed, 0))
	samples := benchSamples{}
	for b.Loop() {
		for _, i := range order.Perm(len(variants)) {
			v := variants[i]
			op := v.prepare(b, v.count)
			samples[v.name] = append(samples[v.name], benchMeasure(b, v.callers, v.count, op, nil))
		}
	}
	return samples
}

// benchSeedOfOrder is new in every run, unless a run is to be repeated.
func benchSeedOfOrder(b *testing.B) uint64 {
	b.Helper()
	text := os.Getenv("VERIFY_BENCH_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return seed
}

// benchCompare runs rounds and reports every variant, and the first one's
// throughput as a multiple of each other's: x-NAME by the clock on the wall,
// xcpu-NAME by the processor time that an operation takes. Allocations are the
// first one's.
func benchCompare(b *testing.B, variants ...benchVariant) {
	b.Helper()
	samples := benchRounds(b, variants)
	first := variants[0].name
	for _, v := range variants {
		samples.report(b, v.name)
		if v.name != first {
			samples.ratio(b, "x-"+v.name, first, v.name, benchSample.rate)
			samples.ratio(b, "xcpu-"+v.name, first, v.name, benchSample.cpuRate)
		}
	}
	b.ReportMetric(samples.median(first, benchSample.mallocsOp), "allocs/op")
	b.ReportMetric(samples.median(first, benchSample.bytesOp), "B/op")
}

// benchAgainstFirst runs rounds of one kind of work under several conditions, and
// reports what each makes of the first one's throughput.
func benchAgainstFirst(b *testing.B, variants []benchVariant) {
	b.Helper()
	samples := benchRounds(b, variants)
	first := variants[0].name
	for _, v := range variants {
		samples.report(b, v.name)
		if v.name != first {
			samples.ratio(b, v.name+"-x-"+first, v.name, first, benchSample.rate)
		}
	}
}

func (s benchSamples) report(b *testing.B, name string) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // of a round: says nothing, and zero hides it
	b.ReportMetric(s.median(name, benchSample.rate), name+"-ops/s")
	b.ReportMetric(micros(s.percentile(name, 0.99)), name+"-p99-µs")
	b.ReportMetric(s.median(name, benchSample.cpuPerOp), name+"-cpu-µs/op")
}

func (s benchSamples) median(name string, of func(benchSample) float64) float64 {
	var values []float64
	for _, sample := range s[name] {
		values = append(values, of(sample))
	}
	return quantile(values, 0.5)
}

// ratio reports the median of each round's ratio of a to b, and logs the
// quartiles, which tell how far to trust it.
func (s benchSamples) ratio(b *testing.B, unit, above, below string, of func(benchSample) float64) {
	b.Helper()
	var values []float64
	for i := range s[above] {
		values = append(values, of(s[above][i])/of(s[below][i]))
	}
	b.ReportMetric(quantile(values, 0.5), unit)
	if len(values) > 1 {
		b.Logf("%-16s %s", unit, quartiles(values))
	}
}

func (s benchSamples) percentile(name string, q float64) time.Duration {
	var all []time.Duration
	for _, sample := range s[name] {
		all = append(all, sample.latencies...)
	}
	return quantile(all, q)
}

func quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func quartiles(values []float64) string {
	var text []string
	for _, q := range []float64{0.25, 0.5, 0.75} {
		text = append(text, fmt.Sprintf("%.3g", quantile(values, q)))
	}
	return strings.Join(text, "  ")
}
