package verify_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify/store"
)

// BenchmarkMemory approves 20,000 times a round and looks at what stays: in Go's
// heap, and in the process, for SQLite's memory is not Go's. A million approvals:
//
//	go test -run '^$' -bench Memory -benchtime 50x .
func BenchmarkMemory(b *testing.B) {
	const callers, count = 64, 20_000
	e := newBenchEngine(b, benchData{benchFactors, benchChallenges}, store.Options{})
	round := func() { benchMeasure(b, callers, count, e.approvals(b, count), nil) }
	round() // caches fill
	heap, resident := benchHeap(), benchResident()
	rounds := 0
	for b.Loop() {
		round()
		rounds++
	}
	grown := float64(count * rounds)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(heap/1e6, "heap-MB")
	b.ReportMetric((benchHeap()-heap)/grown, "heap-growth-B/op")
	b.ReportMetric(resident/1e6, "resident-MB")
	b.ReportMetric((benchResident()-resident)/grown, "resident-growth-B/op")
}

// benchHeap is what is alive.
func benchHeap() float64 {
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// benchResident is the process's memory, where the system tells.
func benchResident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize())
}
