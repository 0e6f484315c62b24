package verify_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/seed4eca3270/verify/store"
)

// benchLarge reports whether what takes minutes shall run too.
func benchLarge() bool { return os.Getenv("VERIFY_BENCH_LARGE") == "1" }

// BenchmarkGrowth compares databases of 1,000 challenges, 100,000 and, with
// VERIFY_BENCH_LARGE=1, a million, with a tenth as many factors as challenges,
// though not fewer than keep callers out of each other's way.
func BenchmarkGrowth(b *testing.B) {
	sizes := []int{1000, 100_000}
	if benchLarge() {
		sizes = append(sizes, 1_000_000)
	}
	engines := make([]*benchEngine, len(sizes))
	for i, n := range sizes {
		engines[i] = newBenchEngine(b, benchData{max(n/10, 1024), n}, store.Options{})
	}
	const callers = 32
	for _, w := range []struct {
		name  string
		count int
		of    func(*benchEngine) benchWork
	}{
		{"approve", 6400, func(e *benchEngine) benchWork { return e.approvals }},
		{"get-factor", 6400, func(e *benchEngine) benchWork { return e.factors }},
		{"get-challenge", 6400, func(e *benchEngine) benchWork { return e.gets }},
	} {
		b.Run(w.name, func(b *testing.B) {
			var variants []benchVariant
			for i, n := range sizes {
				variants = append(variants, benchVariant{fmt.Sprintf("%dk", n/1000), callers, w.count, w.of(engines[i])})
			}
			benchAgainstFirst(b, variants)
		})
	}
}
