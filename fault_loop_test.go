//go:build unix

package verify_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
)

// faultVariants are the ways in which an operation may fail.
func faultVariants(t *testing.T) map[string]storetest.Fault {
	all := map[string]storetest.Fault{}
	for name, code := range storetest.Codes() {
		all[name] = storetest.Fault{Code: code}
		all[name+" for good"] = storetest.Fault{Code: code, Sticky: true}
	}
	for _, code := range []string{"full", "ioerr", "nomem"} { // after which SQLite may roll back by itself
		all[code+" with rollback"] = storetest.Fault{Code: storetest.Codes()[code], Mode: storetest.RollBack}
	}
	all["full with rollback for good"] = storetest.Fault{Code: storetest.Full, Mode: storetest.RollBack, Sticky: true}
	all["unknown result"] = storetest.Fault{Code: storetest.IOErr, Mode: storetest.Unknown}
	all["unknown result for good"] = storetest.Fault{Code: storetest.IOErr, Mode: storetest.Unknown, Sticky: true}
	return storetest.Few(t, all, "busy", "ioerr for good", "full with rollback", "unknown result")
}

// DUR-3, RATE-2, CONC-4: every call, failing at every operation in every way. It
// says that nothing was decided, or it has decided and that is on disk; and when
// the fault is over the same call works.
func TestFaultAtEveryOperation(t *testing.T) {
	t.Parallel()
	for _, call := range faultCalls() {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			limits := unlimited()
			limits.FactorFailures = 3
			faults := &storetest.Faults{}
			e := newFaulty(t, limits, faults)
			raw := storetest.Raw(t, e.site.Path, "busy_timeout(10000)")
			users, operations, stride := 0, 0, storetest.Stride(t)
			for name, fault := range faultVariants(t) {
				for fault.Nth = 1; ; fault.Nth += stride {
					users++
					u := newFaultUser(t, e, users, call.needs)
					wrongs, struck := strike(t, e, raw, call, u, byFault(faults, fault))
					for _, wrong := range wrongs {
						t.Errorf("%s at operation %d: %s", name, fault.Nth, wrong)
					}
					if !struck {
						break
					}
					operations = max(operations, fault.Nth)
				}
			}
			for _, wrong := range sound(t, raw) {
				t.Error(wrong)
			}
			t.Logf("%d operations, %d calls", operations, users)
			if operations < 2 {
				t.Error("hardly an operation was seen: the test tests nothing")
			}
		})
	}
}

// A failure comes over a database and goes again.
type failure struct {
	begin   func()
	end     func() (struck bool) // false: the call cannot have noticed
	class   error
	unknown bool // what was reported to have failed may have been done
}

func byFault(faults *storetest.Faults, fault storetest.Fault) failure {
	f := failure{
		begin:   func() { faults.Arm(fault) },
		end:     func() bool { return faults.Clear() > 0 },
		class:   verify.ErrUnavailable,
		unknown: fault.Mode == storetest.Unknown,
	}
	if fault.Code == storetest.Corrupt {
		f.class = verify.ErrCorrupt
	}
	return f
}

// strike makes a call under a failure and tells what is wrong with its outcome,
// and then whether the call works without.
func strike(t *testing.T, e *siteEngine, raw *sql.DB, call faultCall, u *faultUser, f failure) (wrongs []string, struck bool) {
	t.Helper()
	ctx := context.Background()
	wrong := func(format string, args ...any) { wrongs = append(wrongs, fmt.Sprintf(format, args...)) }
	before := u.state(t, raw)
	after := before
	call.after(u, &after)

	f.begin()
	answer, err := call.do(ctx, e, u)
	struck = f.end()
	now := u.state(t, raw)
	switch {
	case err == nil:
		if answer != call.answer || now != after {
			wrong("answered %q, want %q; state %+v, want %+v", answer, call.answer, now, after)
		}
	case !struck:
		wrong("failed without a fault: %v", err)
	default:
		if text := misclassed(err, f.class); text != "" {
			wrong("%s", text)
		}
		if now != before && !(f.unknown && now == after) && !call.inSteps {
			wrong("answered %v, but state %+v, was %+v", err, now, before)
		}
	}
	if !struck || err == nil {
		return wrongs, struck
	}
	// The failure is over.
	done := now != before
	want := call.answer
	if done {
		want = call.again
	}
	if answer, err = call.do(ctx, e, u); err != nil || answer != want {
		wrong("afterwards: %q, %v, want %q", answer, err, want)
	}
	if now = u.state(t, raw); !done && now != after {
		wrong("afterwards: state %+v, want %+v", now, after)
	}
	// A right code is right once, whatever was answered on the way.
	if call.answer == answerRight && call.again != answerRight {
		if answer, err = call.do(ctx, e, u); err != nil || answer != call.again {
			wrong("once more: %q, %v, want %q", answer, err, call.again)
		}
		if now = u.state(t, raw); now.Approved != after.Approved {
			wrong("%d approvals by one code", now.Approved)
		}
	}
	return wrongs, struck
}
