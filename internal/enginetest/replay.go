package enginetest

import (
	"slices"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func replayTests() []test {
	return []test{
		{"every order through every two doors", replayOrders},
		{"the orders have teeth", replayTeeth},
		{"the enrolment's code is spent", replayEnrolment},
		{"the vectors of the RFC, A-B-A", replayVectors},
		{"codes of two steps that are equal", replayEqualCodes},
	}
}

// orders are all ways to show the codes of three steps four times, or three times
// where that must do: A, B, A is among them.
func orders() (all [][]int) {
	length := 4
	if raceEnabled {
		length = 3
	}
	var extend func(order []int)
	extend = func(order []int) {
		if len(order) == length {
			all = append(all, slices.Clone(order))
			return
		}
		for steps := -1; steps <= 1; steps++ {
			extend(append(order, steps))
		}
	}
	extend(nil)
	return all
}

// accepted is the rule: a code is accepted if its step is above every step
// accepted before.
func accepted(order []int) (want []bool) {
	highest := -2
	for _, steps := range order {
		want = append(want, steps > highest)
		highest = max(highest, steps)
	}
	return want
}

// TOTP-2: steps only move forward, whichever doors the codes come through.
func replayOrders(t *testing.T, open Opener) {
	for _, one := range Doors() {
		for _, other := range Doors() {
			t.Run(one.Name+" and "+other.Name, func(t *testing.T) {
				t.Parallel()
				s := NewScene(t, open(t, Unlimited))
				a := s.Verified(verify.TOTPParams{})
				for _, order := range orders() {
					a.Wait(10)
					want := accepted(order)
					for i, steps := range order {
						door := one
						if i%2 == 1 {
							door = other
						}
						if got := door.Decide(a, a.At(steps)); got != want[i] {
							t.Errorf("codes %v: the one at %d is approved: %t, want %t", order, i, got, want[i])
						}
					}
				}
			})
		}
	}
}

func replayTeeth(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	fooled := 0
	for _, order := range orders() {
		a.Wait(10)
		twin, want := lastCode{app: a}, accepted(order)
		for i, steps := range order {
			if twin.try(a.At(steps)) && !want[i] {
				fooled++
				break
			}
		}
	}
	if all := len(orders()); all < 27 || fooled < all/3 {
		t.Errorf("%d of %d orders fool an acceptor that remembers one code", fooled, all)
	}
}

// TOTP-3.
func replayEnrolment(t *testing.T, open Opener) {
	for _, d := range Doors() {
		for enrolled := -1; enrolled <= 1; enrolled++ {
			s := NewScene(t, open(t))
			a := s.Enrol(verify.TOTPParams{})
			if got := Must(a.verify(a.At(enrolled)))(t); got.Status != verify.Verified {
				t.Fatalf("the code %d steps off does not verify", enrolled)
			}
			for steps := -1; steps <= enrolled; steps++ {
				if d.Decide(a, a.At(steps)) {
					t.Errorf("%s: the code of step %d is accepted after that of step %d enrolled", d.Name, steps, enrolled)
				}
			}
			a.Wait(2)
			if !d.Decide(a, a.Shown()) {
				t.Errorf("%s: the next code is refused", d.Name)
			}
		}
	}
}

// The pair of codes that RFC 6238's table happens to hold for one window.
func replayVectors(t *testing.T, open Opener) {
	const a, b = "081804", "050471"
	for _, d := range Doors() {
		for _, c := range []struct {
			codes []string
			want  []bool
		}{
			{[]string{a, b, a, b}, []bool{true, true, false, false}},
			{[]string{b, a, b, a}, []bool{true, false, false, false}},
		} {
			s := NewScene(t, open(t))
			s.Clock.Set(time.Unix(1111111111-3600, 0))
			app := s.Verified(verify.TOTPParams{Secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})
			s.Clock.Set(time.Unix(1111111111, 0))
			for i, code := range c.codes {
				if got := d.Decide(app, code); got != c.want[i] {
					t.Errorf("%s: codes %v: the one at %d is approved: %t", d.Name, c.codes, i, got)
				}
			}
		}
	}
}

// Two steps of one window can have the same code, one in a thousand times with
// three digits. It is spent for both, so that no text succeeds twice.
func replayEqualCodes(t *testing.T, open Opener) {
	for _, d := range Doors() {
		s := NewScene(t, open(t, Unlimited))
		a := s.Verified(verify.TOTPParams{CodeLength: 3, Skew: new(0)})
		for tries := 0; a.At(-1) != a.At(1); tries++ {
			if tries == 100_000 {
				t.Fatal("no two steps with one code")
			}
			a.Wait(1)
		}
		a.Factor = Must(s.UpdateFactor(t.Context(), s.Service, s.Identity, a.Factor.SID, verify.FactorUpdate{Skew: new(1)}))(t)
		code := a.At(1)
		for use := range 3 {
			if use > 0 { // a miss locks a factor with three digits
				Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
			}
			if got := d.Decide(a, code); got != (use == 0) {
				t.Errorf("%s: use %d: approved: %t", d.Name, use+1, got)
			}
			if use == 1 {
				a.Wait(1)
			}
		}
		Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t)
		a.Wait(2)
		if !d.Decide(a, a.Shown()) {
			t.Errorf("%s: a later code is refused", d.Name)
		}
	}
}
