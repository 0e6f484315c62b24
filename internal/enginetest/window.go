package enginetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func windowTests() []test {
	return []test{
		{"is skew steps to each side, to the nanosecond", windowEdges},
		{"of an enrolment is the same", windowEnrolment},
		{"the edges have teeth", windowTeeth},
	}
}

// edges are moments around the border between two steps, and how many steps
// before the border they lie.
func edges() map[time.Duration]int {
	return map[time.Duration]int{-time.Nanosecond: 1, 0: 0, time.Nanosecond: 0}
}

// windowEdges (TOTP-5) compares the set of accepted steps with the rule.
func windowEdges(t *testing.T, open Opener) {
	for _, d := range Doors() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			s := NewScene(t, open(t, Unlimited))
			for skew := range 3 {
				for _, period := range []int{20, 30, 60} {
					s := s.As(fmt.Sprintf("user-%d-%d", skew, period))
					windowOf(t, d, s.Verified(verify.TOTPParams{Skew: &skew, TimeStep: period}), skew)
				}
			}
		})
	}
}

func windowOf(t *testing.T, d Door, a *App, skew int) {
	t.Helper()
	border := a.scene.Clock.Now().Truncate(a.Period())
	for edge, back := range edges() {
		for off := -3; off <= 3; off++ {
			border = border.Add(10 * a.Period())
			// The code is that of a whole step, seen from the border.
			code := a.Code(border.Add(time.Duration(off-back) * a.Period()))
			a.scene.Clock.Set(border.Add(edge))
			if got, want := d.Decide(a, code), off >= -skew && off <= skew; got != want {
				t.Errorf("skew %d, %v a step: %v from the border, %d steps off: approved: %t, want %t", skew, a.Period(), edge, off, got, want)
			}
		}
	}
}

func windowEnrolment(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited))
	for skew := range 3 {
		for edge, back := range edges() {
			for off := -3; off <= 3; off++ {
				a := s.Enrol(verify.TOTPParams{Skew: &skew})
				border := s.Clock.Now().Truncate(a.Period()).Add(a.Period())
				s.Clock.Set(border.Add(edge))
				got := Must(a.verify(a.Code(border.Add(time.Duration(off-back) * a.Period()))))(t)
				if want := off >= -skew && off <= skew; (got.Status == verify.Verified) != want {
					t.Errorf("skew %d, %v from the border, %d steps off: %s", skew, edge, off, got.Status)
				}
			}
		}
	}
}

// A clock rounded to the nearest step, a usual slip, accepts another set.
func windowTeeth(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Enrol(verify.TOTPParams{})
	border := s.Clock.Now().Truncate(a.Period())
	wrong := 0
	for edge, back := range edges() {
		for off := -3; off <= 3; off++ {
			rounded := border.Add(edge).Round(a.Period())
			code := a.Code(border.Add(time.Duration(off-back) * a.Period()))
			if (code == a.Code(rounded)) != (off == 0) {
				wrong++
			}
		}
	}
	if wrong == 0 {
		t.Error("the edges do not tell rounding from cutting")
	}
}
