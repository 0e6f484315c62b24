package enginetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

func modelTests() []test {
	return []test{{"agrees with the oracle", func(t *testing.T, open Opener) { Model(t, open, 2, 600) }}}
}

// Model runs random operations against an engine and the oracle, one test a seed,
// and compares every answer. It fails if some kind of answer never came.
func Model(t *testing.T, open Opener, seeds, operations int) {
	t.Helper()
	seen := make(chan map[string]int, seeds)
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(seeds) {
			if seed == uint64(seeds)-1 {
				seed = rand.Uint64() // one that nobody has chosen
			}
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
				t.Parallel()
				m := newModel(t, open(t), seed)
				defer func() { seen <- m.seen }()
				for i := range operations {
					if m.step(); t.Failed() {
						t.Fatalf("at operation %d of seed %d", i, seed)
					}
				}
			})
		}
	})
	close(seen)
	total := make(map[string]int)
	for some := range seen {
		for what, n := range some {
			total[what] += n
		}
	}
	var rare []string
	for _, what := range []string{
		"create: right", "create: wrong", "create: 20404", "create: 60306", "create: 60308", "create: 60312", "create: 60318",
		"respond: right", "respond: wrong", "respond: 20404", "respond: 60306", "respond: 60308", "respond: 60322", "respond: 60323",
		"check: right", "check: wrong", "check: 60306", "check: 60308", "check: 60312",
		"verify: right", "verify: wrong", "verify: 60306", "verify: 60310", "verify: 20404", "list", "get: expired", "get: pending", "get: approved",
	} {
		if total[what] == 0 {
			rare = append(rare, what)
		}
	}
	if seeds*operations >= 40_000 && rare != nil {
		t.Errorf("the operations never came to %q; they came to %v", rare, total)
	}
}

type model struct {
	*Scene
	t    *testing.T
	r    *rand.Rand
	o    oracle
	seen map[string]int
}

func newModel(t *testing.T, e *verifytest.Engine, seed uint64) *model {
	t.Helper()
	m := &model{Scene: NewScene(t, e), t: t, r: rand.New(rand.NewPCG(seed, 0)), seen: make(map[string]int)}
	for range 3 {
		m.enrol()
	}
	return m
}

func (m *model) now() time.Time { return m.Clock.Now().UTC().Truncate(time.Microsecond) }

// step does one operation. Most are those that the engine is for.
func (m *model) step() {
	operations := []struct {
		weight int
		do     func()
	}{
		{25, m.create}, {30, m.respond}, {15, m.check}, {10, m.verify}, {10, m.get}, {3, m.list},
		{12, m.wait}, {2, m.jump}, {2, m.unlock}, {1, m.remove}, {1, m.enrol},
	}
	n := m.r.IntN(111)
	for _, op := range operations {
		if n -= op.weight; n < 0 {
			op.do()
			return
		}
	}
}

// expect compares an error with a verdict, and notes what happened.
func (m *model) expect(what string, v verdict, err error) (ok bool) {
	m.t.Helper()
	var got *verify.Error
	if errors.As(err, &got); err != nil && got == nil {
		m.t.Fatalf("%s: %v", what, err)
	}
	if v.code != 0 {
		m.seen[fmt.Sprintf("%s: %d", what, v.code)]++
		if got == nil || got.Code != v.code || got.RetryAfter != v.after {
			m.t.Errorf("%s: got %+v, want code %d, retry after %v", what, got, v.code, v.after)
		}
		return false
	}
	m.seen[what+map[bool]string{true: ": right", false: ": wrong"}[v.right]]++
	if err != nil {
		m.t.Errorf("%s: %v, want no error", what, err)
		return false
	}
	return true
}

// same compares a challenge with what the oracle has of it.
func (m *model) same(c *oracleChallenge, got verify.Challenge) {
	m.t.Helper()
	want := c.want
	want.Status = c.status(m.now())
	if !reflect.DeepEqual(got, want) {
		m.t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}
