package verifyhttp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkHostileClients fetches a service over and over by one client that
// behaves: alone, while 200 that do not send something hostile five times a
// second, and while the same 200 do so to a server beside it that reads nothing
// and refuses everything, which is what they cost the machine whatever we do.
//
//	go test -run '^$' -bench Hostile -benchtime 5x ./verifyhttp
func BenchmarkHostileClients(b *testing.B) {
	w := newWorld(b)
	service := w.service()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) {
		a.Header().Set("Connection", "close")
		a.WriteHeader(http.StatusBadRequest)
	}))
	defer refusing.Close()
	client := &http.Client{Transport: &http.Transport{}}
	fetches := func(n int) (p99 float64) {
		took := make([]float64, n)
		for i := range took {
			start := time.Now()
			resp, err := client.Get(server.URL + service)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			took[i] = float64(time.Since(start).Microseconds())
			if resp.StatusCode != 200 {
				b.Fatal(resp.Status)
			}
		}
		slices.Sort(took)
		return took[n*99/100]
	}
	besieged := func(address string, report func(...any)) (p99, perSecond float64) {
		stop, cancel := context.WithCancel(b.Context())
		defer cancel()
		var siege sync.WaitGroup
		var sent atomic.Int64
		start := time.Now()
		siege.Go(func() { besiege(stop, address, 200*time.Millisecond, &sent, report) })
		fetches(200) // until the siege is laid
		p99 = fetches(1000)
		perSecond = float64(sent.Load()) / time.Since(start).Seconds()
		cancel()
		siege.Wait()
		return p99, perSecond
	}
	fetches(1000)
	var alone, ours, others, ratio, control, rate []float64
	for b.Loop() {
		runtime.GC()
		undisturbed := fetches(1000)
		hostile, sent := besieged(server.Listener.Addr().String(), b.Error)
		elsewhere, _ := besieged(refusing.Listener.Addr().String(), func(...any) {})
		alone, ours, others = append(alone, undisturbed), append(ours, hostile), append(others, elsewhere)
		ratio, control, rate = append(ratio, hostile/undisturbed), append(control, hostile/elsewhere), append(rate, sent)
	}
	b.ReportMetric(median(alone), "p99-alone-µs")
	b.ReportMetric(median(ours), "p99-besieged-µs")
	b.ReportMetric(median(others), "p99-beside-µs")
	b.ReportMetric(median(ratio), "besieged/alone")
	b.ReportMetric(median(control), "besieged/beside")
	b.ReportMetric(median(rate), "hostile/s")
	b.ReportMetric(0, "ns/op") // a round's time says nothing
}
