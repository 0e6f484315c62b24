package enginetest

import (
	"reflect"
	"testing"

	"github.com/seed4eca3270/verify"
)

func enrolmentTests() []test {
	return []test{
		{"right code verifies", enrolmentRight},
		{"wrong code is no error, five are the end", enrolmentWrong},
		{"short codes end earlier", enrolmentShort},
		{"verified factor takes any code and spends none", enrolmentAgain},
		{"unverified factor answers nothing", enrolmentUnverified},
		{"success clears the count", enrolmentClears},
	}
}

func (a *App) verify(code string) (verify.Factor, error) {
	s := a.scene
	return s.VerifyFactor(s.ctx(), s.Service, s.Identity, a.Factor.SID, code)
}

func enrolmentRight(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	for steps := -1; steps <= 1; steps++ {
		a := s.Enrol(verify.TOTPParams{})
		a.Wait(3)
		got := Must(a.verify(a.At(steps)))(t)
		want := a.Factor
		want.Status, want.DateUpdated, want.Binding = verify.Verified, s.Clock.Now(), nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d steps off: got\n%+v\nwant\n%+v", steps, got, want)
		}
		if read := a.Get(); !reflect.DeepEqual(read, got) {
			t.Errorf("answered\n%+v\nread\n%+v", got, read)
		}
	}
}

func enrolmentWrong(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Enrol(verify.TOTPParams{})
	for i := range 5 {
		got := Must(a.verify(a.Wrong()))(t)
		if got.Status != verify.Unverified || got.Locked != (i == 4) {
			t.Errorf("wrong code %d: %s, locked: %t", i+1, got.Status, got.Locked)
		}
	}
	// RATE-9: from here on right and wrong are answered alike, and time does not help.
	_, wrong := a.verify(a.Wrong())
	Refused(t, wrong, verify.ErrLocked, verify.CodeFactorAttempts)
	for range 3 {
		_, right := a.verify(a.Shown())
		if !reflect.DeepEqual(right, wrong) {
			t.Errorf("right code: %#v, wrong code: %#v", right, wrong)
		}
		a.Wait(500)
	}
	if got := a.Get(); got.Status != verify.Unverified || !got.Locked {
		t.Errorf("the factor is %s, locked: %t", got.Status, got.Locked)
	}
	if got := Must(s.UnlockFactor(t.Context(), s.Service, s.Identity, a.Factor.SID))(t); got.Locked || got.Status != verify.Unverified {
		t.Errorf("unlocked: %s, locked: %t", got.Status, got.Locked)
	}
	if got := Must(a.verify(a.Shown()))(t); got.Status != verify.Verified {
		t.Error("the right code is refused after UnlockFactor")
	}
}

func enrolmentShort(t *testing.T, open Opener) {
	for _, c := range []struct{ digits, skew, budget int }{{3, 0, 1}, {3, 1, 1}, {4, 0, 5}, {4, 1, 3}, {4, 2, 2}, {5, 2, 5}} {
		s := NewScene(t, open(t))
		a := s.Enrol(verify.TOTPParams{CodeLength: c.digits, Skew: new(c.skew)})
		for range c.budget {
			if got := Must(a.verify(a.Wrong()))(t); got.Status != verify.Unverified {
				t.Fatalf("a wrong code of %d digits verifies", c.digits)
			}
		}
		_, err := a.verify(a.Shown())
		Refused(t, err, verify.ErrLocked, verify.CodeFactorAttempts)
	}
}

func enrolmentAgain(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 1 }))
	a := s.Verified(verify.TOTPParams{})
	before := a.Get()
	for _, code := range []string{a.Shown(), a.Wrong(), "", "x", "1234567890", a.At(-1), a.At(1)} {
		if got := Must(a.verify(code))(t); !reflect.DeepEqual(got, before) {
			t.Errorf("%q: was\n%+v\nis\n%+v", code, before, got)
		}
	}
	// Neither a step nor a failure was counted: each step is there, and one
	// failure would have locked the factor.
	for steps := -1; steps <= 1; steps++ {
		if !Doors()[0].Decide(a, a.At(steps)) {
			t.Errorf("the code %d steps off was spent", steps)
		}
	}
}

// CHAL-4: an unverified factor neither satisfies nor blocks.
func enrolmentUnverified(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Enrol(verify.TOTPParams{})
	for _, d := range Doors() {
		for _, code := range []string{a.Shown(), a.Wrong()} {
			_, err := d.Try(a, code)
			Refused(t, err, verify.ErrForbidden, verify.CodeFactorUnverified)
		}
	}
	if got := Must(a.verify(a.Shown()))(t); got.Status != verify.Verified {
		t.Error("a code that no door took was spent")
	}
}

func enrolmentClears(t *testing.T, open Opener) {
	s := NewScene(t, open(t, func(c *verify.Config) { c.Limits.FactorFailures = 5 }))
	a := s.Enrol(verify.TOTPParams{})
	for range 4 {
		Must(a.verify(a.Wrong()))(t)
	}
	Must(a.verify(a.Shown()))(t)
	a.Wait(5)
	for i := range 4 {
		if Doors()[0].Decide(a, a.Wrong()) {
			t.Fatalf("wrong code %d is accepted", i)
		}
	}
	if !Doors()[0].Decide(a, a.Shown()) {
		t.Error("the enrolment's wrong codes count against the verified factor")
	}
}
