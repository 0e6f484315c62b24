//go:build unix

package verify_test

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

const (
	swarmProcesses = 4
	swarmCallers   = 8 // goroutines in each process
	swarmSize      = swarmProcesses * swarmCallers
)

// A swarm is several processes with an engine each on one file.
type swarm struct {
	children []*storetest.Child
}

func newSwarm(t *testing.T, s site) *swarm {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	w := &swarm{}
	for range swarmProcesses {
		w.children = append(w.children, storetest.Start(t, "swarm", string(text)))
	}
	return w
}

// A task is what one process has to do, one item for every goroutine.
type task struct {
	Now    time.Time
	Step   int64 // for the naive doors
	Budget int
	Items  []item
}

// An item is what one goroutine does, Times times.
type item struct {
	Door  string
	Guess guessing
	Times int
}

// An answer is what one call came to.
type answer struct {
	Door, Answer, Error string
}

// race has all items done at once, by all processes. Nobody begins before all are
// ready.
func (w *swarm) race(t *testing.T, now time.Time, budget int, items []item) (answers []answer) {
	t.Helper()
	if len(items) != swarmSize {
		t.Fatalf("%d items for %d goroutines", len(items), swarmSize)
	}
	for i, c := range w.children {
		c.Send(task{Now: now, Step: stepAt(now), Budget: budget, Items: items[i*swarmCallers : (i+1)*swarmCallers]})
	}
	for _, c := range w.children {
		c.Expect(new(string))
	}
	for _, c := range w.children {
		c.Send("go")
	}
	for _, c := range w.children {
		var some []answer
		c.Expect(&some)
		answers = append(answers, some...)
	}
	return answers
}

func (w *swarm) end() {
	for _, c := range w.children {
		c.End()
	}
}

// tally sorts answers. Errors are failures of the test: contention is no excuse.
func tally(t *testing.T, answers []answer) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, a := range answers {
		if a.Error != "" {
			t.Errorf("a caller met %s", a.Error)
			continue
		}
		n[a.Answer]++
	}
	return n
}

// swarmJob is one process of a swarm.
func swarmJob(p *storetest.Parent, args []string) error {
	var s site
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return err
	}
	e, err := s.open(context.Background(), store.Options{})
	if err != nil {
		return err
	}
	defer e.stop()
	raw, err := storetest.OpenRaw(s.Path, "busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer raw.Close()
	for {
		var todo task
		if err := p.Receive(&todo); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		e.clock.Set(todo.Now)
		doors := e.doors()
		for name, door := range naiveDoors(raw, todo.Step, todo.Budget) {
			doors[name] = door
		}
		var mu sync.Mutex
		var answers []answer
		barrier := make(chan struct{})
		var wg sync.WaitGroup
		for _, it := range todo.Items {
			wg.Go(func() {
				<-barrier
				for range max(it.Times, 1) {
					got, err := doors[it.Door](context.Background(), it.Guess)
					a := answer{Door: it.Door, Answer: got}
					if err != nil {
						a.Error = err.Error()
					}
					mu.Lock()
					answers = append(answers, a)
					mu.Unlock()
				}
			})
		}
		if err := p.Send("ready"); err != nil {
			return err
		}
		if err := p.Receive(new(string)); err != nil {
			return err
		}
		close(barrier)
		wg.Wait()
		if err := p.Send(answers); err != nil {
			return err
		}
	}
}
