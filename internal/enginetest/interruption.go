package enginetest

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
)

func interruptionTests() []test {
	return []test{
		{"DeleteService is finished by Sweep", interruptedService},
		{"DeleteEntity and DeleteFactor leave nothing that can be reached", interruptedOwner},
		{"Sweep goes on where it was", interruptedSweep},
		{"a context that has ended stops every call", interruptedAll},
	}
}

type fuse struct {
	context.Context
	left atomic.Int64
}

// Fuse is a context that says that it was cancelled, from the time after the one
// it has been asked as often as given. It interrupts work at a step of its own.
func Fuse(ctx context.Context, length int) context.Context {
	f := &fuse{Context: ctx}
	f.left.Store(int64(length))
	return f
}

func (f *fuse) Done() <-chan struct{} { return nil }

func (f *fuse) Err() error {
	if f.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// crowd fills a service with users of two challenges each.
func crowd(t *testing.T, s *Scene) (apps []*App, challenges []verify.Challenge) {
	t.Helper()
	for _, name := range []string{"user-0001", "user-0002", "user-0003"} {
		a := s.As(name).Verified(verify.TOTPParams{})
		apps = append(apps, a)
		challenges = append(challenges, a.Challenge(), a.Challenge())
	}
	return apps, challenges
}

func interruptedService(t *testing.T, open Opener) {
	e := open(t)
	for length := 0; ; length++ {
		if length > 100 {
			t.Fatal("DeleteService does not come to an end")
		}
		s, other := NewScene(t, e), NewScene(t, e)
		kept := other.Verified(verify.TOTPParams{})
		apps, _ := crowd(t, s)
		err := e.DeleteService(Fuse(t.Context(), length), s.Service)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d: %v", length, err)
		}
		_, getErr := e.GetService(t.Context(), s.Service)
		if length == 0 {
			if getErr != nil {
				t.Errorf("deleted before its first step: %v", getErr)
			}
			continue
		}
		Refused(t, getErr, verify.ErrNotFound, verify.CodeNotFound)
		for _, a := range apps {
			for _, d := range Doors() {
				_, err := d.Try(a, a.Shown())
				Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
			}
		}
		left := 1
		if err == nil {
			left = 0
		}
		// Nobody but Sweep can finish it, and Sweep finishes once.
		Refused(t, e.DeleteService(t.Context(), s.Service), verify.ErrNotFound, verify.CodeNotFound)
		s.sweep(verify.Swept{Services: left})
		s.sweep(verify.Swept{})
		if !Doors()[0].Decide(kept, kept.Shown()) {
			t.Errorf("after %d: another service's user is refused", length)
		}
		if err == nil {
			return
		}
	}
}

func interruptedOwner(t *testing.T, open Opener) {
	e := open(t)
	for name, remove := range map[string]func(context.Context, *Scene, *App) error{
		"DeleteEntity": func(ctx context.Context, s *Scene, a *App) error { return s.DeleteEntity(ctx, s.Service, s.Identity) },
		"DeleteFactor": func(ctx context.Context, s *Scene, a *App) error {
			return s.DeleteFactor(ctx, s.Service, s.Identity, a.Factor.SID)
		},
	} {
		for length := 1; ; length++ {
			if length > 100 {
				t.Fatalf("%s does not come to an end", name)
			}
			s := NewScene(t, e)
			apps, challenges := crowd(t, s)
			a := apps[0]
			err := remove(Fuse(t.Context(), length), a.scene, a)
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("%s after %d: %v", name, length, err)
			}
			if _, getErr := s.GetFactor(t.Context(), s.Service, s.Identity, a.Factor.SID); getErr == nil {
				s.Clock.Advance(31 * 24 * time.Hour)
				s.sweep(verify.Swept{Challenges: 6})
				continue // it had not begun
			}
			for _, c := range challenges[:2] {
				_, err := a.Respond(c.SID, a.Shown())
				Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
			}
			s.Clock.Advance(31 * 24 * time.Hour)
			swept := Must(s.Sweep(t.Context()))(t).Challenges
			if swept < 4 || swept > 6 || err == nil && swept != 4 {
				t.Errorf("%s after %d (%v) left %d challenges, of which 4 are of others", name, length, err, swept)
			}
			if err == nil {
				break
			}
		}
	}
}

func interruptedSweep(t *testing.T, open Opener) {
	s := NewScene(t, open(t, Unlimited))
	a := s.Verified(verify.TOTPParams{})
	a.fill(t, 450)
	s.Clock.Advance(31 * 24 * time.Hour)
	total := 0
	for length := 1; total < 450; length++ {
		got, err := s.Sweep(Fuse(t.Context(), length%4))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if total += got.Challenges; length > 100 {
			t.Fatalf("%d swept after %d calls", total, length)
		}
	}
	s.sweep(verify.Swept{})
	if total != 450 {
		t.Errorf("swept %d, want 450", total)
	}
}

func interruptedAll(t *testing.T, open Opener) {
	s := NewScene(t, open(t))
	a := s.Verified(verify.TOTPParams{})
	own := names{s.Service, s.Identity, a.Factor.SID, a.Challenge().SID}
	before := snapshot(t, s, own)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range callers() {
		if err := c.call(ended, s.Engine.Engine, own); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, err := range map[string]error{"Sweep": failure(s.Sweep(ended)), "Rekey": failure(s.Rekey(ended))} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Run(ended); err != nil {
		t.Errorf("Run: %v", err)
	}
	if after := snapshot(t, s, own); !reflect.DeepEqual(after, before) {
		t.Errorf("was\n%+v\nis\n%+v", before, after)
	}
}
