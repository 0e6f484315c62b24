package storetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Small tells whether a test should do with less: under the race detector or with
// -short. Whoever asks says in the log what is left out.
func Small() bool { return Race || testing.Short() }

// Scale is how often a test repeats itself: full times, a tenth of that if it
// should do with less, which it says.
func Scale(tb testing.TB, full int) int {
	tb.Helper()
	if !Small() {
		return full
	}
	n := max(2, full/10)
	tb.Logf("scaled down: %d rounds instead of %d", n, full)
	return n
}

// Stride is the step from one trial to the next where each stands for a place in
// a sequence: 1, and 4 if a test should do with less, which it says.
func Stride(tb testing.TB) int {
	tb.Helper()
	if !Small() {
		return 1
	}
	tb.Log("scaled down: every fourth operation only")
	return 4
}

// Few keeps the named entries of a table if a test should do with less, which it
// says.
func Few[V any](tb testing.TB, table map[string]V, names ...string) map[string]V {
	tb.Helper()
	if !Small() {
		return table
	}
	few := map[string]V{}
	for _, name := range names {
		value, ok := table[name]
		if !ok {
			tb.Fatalf("no %q in the table", name)
		}
		few[name] = value
	}
	tb.Logf("scaled down: %d cases of %d", len(few), len(table))
	return few
}

// SeedVariable holds the seed for Random when a failure is to be had again.
const SeedVariable = "STORETEST_SEED"

// Random is a source of chance whose seed goes to the log.
func Random(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed, err := strconv.ParseUint(os.Getenv(SeedVariable), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	tb.Logf("seed %d (run again with %s=%d)", seed, SeedVariable, seed)
	return rand.New(rand.NewPCG(seed, 0))
}
