package verifytest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/seed4eca3270/verify/verifytest"
)

func TestClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := verifytest.NewClock(start)
	steps := []struct {
		move func()
		want time.Time
	}{
		{func() {}, start},
		{func() { c.Advance(time.Hour) }, start.Add(time.Hour)},
		{func() { c.Advance(-2 * time.Hour) }, start.Add(-time.Hour)},
		{func() { c.Set(time.Unix(0, 0)) }, time.Unix(0, 0)},
	}
	for i, s := range steps {
		s.move()
		for range 2 {
			if got := c.Now(); !got.Equal(s.want) {
				t.Errorf("step %d: %v, want %v", i, got, s.want)
			}
		}
	}
}

func TestClockOfManyGoroutines(t *testing.T) {
	t.Parallel()
	start := time.Unix(0, 0)
	c := verifytest.NewClock(start)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				c.Advance(time.Second)
				c.Now()
			}
		})
	}
	wg.Wait()
	if got, want := c.Now(), start.Add(8000*time.Second); !got.Equal(want) {
		t.Errorf("%v, want %v", got, want)
	}
}
