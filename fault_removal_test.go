//go:build unix

package verify_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
)

// A sweep that is interrupted takes nothing that it should not and can be
// repeated.
func TestFaultWhileSweeping(t *testing.T) {
	t.Parallel()
	everyOperation(t, func(t *testing.T) func(storetest.Fault) bool {
		faults := &storetest.Faults{}
		e := newFaulty(t, unlimited(), faults)
		raw := storetest.Raw(t, e.site.Path, "busy_timeout(10000)")
		trials := 0
		return func(fault storetest.Fault) (struck bool) {
			trials++
			user := identityOf(10 * trials)
			factor, err := e.leftovers(t, raw, trials)
			if err != nil {
				t.Fatal(err)
			}
			kept := func() {
				t.Helper()
				if _, err := e.GetFactor(t.Context(), e.site.Service, user, factor); err != nil {
					t.Errorf("at operation %d: what was to be kept: %v", fault.Nth, err)
				}
				page, err := e.ListChallenges(t.Context(), e.site.Service, user, verify.ChallengeFilter{Status: verify.Pending}, verify.PageParams{})
				if err != nil || len(page.Items) != 1 {
					t.Errorf("at operation %d: the new challenge: %+v, %v", fault.Nth, page, err)
				}
			}
			faults.Arm(fault)
			_, err = e.Sweep(t.Context())
			if struck = faults.Clear() > 0; err != nil {
				checkFaultError(t, err, fault)
			}
			kept()
			if _, err := e.Sweep(t.Context()); err != nil {
				t.Errorf("at operation %d: after the fault: %v", fault.Nth, err)
			}
			kept()
			want := fmt.Sprintf("1 services, %d entities, %d factors, 1 challenges", 2*trials, trials)
			if got := leftIn(t, raw); got != want {
				t.Errorf("at operation %d: left are %s, want %s", fault.Nth, got, want)
			}
			return struck
		}
	})
}

// leftovers makes what a sweep takes: an old challenge, an enrolment that nobody
// finished, a deleted service; and what it leaves: an old factor with a new
// challenge.
func (e *siteEngine) leftovers(t *testing.T, raw *sql.DB, nth int) (factor string, err error) {
	ctx, user := t.Context(), identityOf(10*nth)
	if factor, err = e.verified(ctx, user); err != nil {
		return "", err
	}
	if _, err := e.pending(ctx, user, factor); err != nil {
		return "", err
	}
	if _, err := e.enrol(ctx, identityOf(10*nth+1)); err != nil {
		return "", err
	}
	e.clock.Advance(31 * 24 * time.Hour)
	if _, err := e.pending(ctx, user, factor); err != nil {
		return "", err
	}
	svc, err := e.CreateService(ctx, verify.ServiceParams{FriendlyName: "Old"})
	if err != nil {
		return "", err
	}
	if _, err := e.CreateEntity(ctx, svc.SID, user); err != nil {
		return "", err
	}
	// As a deletion leaves it that is interrupted after its first step.
	_, err = raw.Exec("UPDATE services SET deleted_at = 1 WHERE json_extract(settings, '$.friendly_name') = 'Old'")
	return factor, err
}

func leftIn(t *testing.T, raw *sql.DB) string {
	t.Helper()
	var services, entities, factors, challenges int
	err := raw.QueryRow(`SELECT (SELECT COUNT(*) FROM services), (SELECT COUNT(*) FROM entities),
		(SELECT COUNT(*) FROM factors), (SELECT COUNT(*) FROM challenges)`).Scan(&services, &entities, &factors, &challenges)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d services, %d entities, %d factors, %d challenges", services, entities, factors, challenges)
}

// A service is there or out of reach; what is left of it a sweep takes.
func TestFaultWhileDeletingAService(t *testing.T) {
	t.Parallel()
	everyOperation(t, func(t *testing.T) func(storetest.Fault) bool {
		faults := &storetest.Faults{}
		e := newFaulty(t, unlimited(), faults)
		raw := storetest.Raw(t, e.site.Path, "busy_timeout(10000)")
		return func(fault storetest.Fault) (struck bool) {
			svc, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
			if err != nil {
				t.Fatal(err)
			}
			e.site.Service = svc.SID
			factor, err := e.verified(t.Context(), identityOf(1))
			if err == nil {
				_, err = e.pending(t.Context(), identityOf(1), factor)
			}
			if err != nil {
				t.Fatal(err)
			}
			faults.Arm(fault)
			err = e.DeleteService(t.Context(), svc.SID)
			if struck = faults.Clear() > 0; err != nil {
				checkFaultError(t, err, fault)
			}
			_, serviceErr := e.GetService(t.Context(), svc.SID)
			c, codeErr := e.CheckCode(t.Context(), svc.SID, identityOf(1), codeAt(siteTime))
			buried := errors.Is(serviceErr, verify.ErrNotFound)
			if buried != errors.Is(codeErr, verify.ErrNotFound) || !buried && (err == nil || !c.Approved) {
				t.Errorf("at operation %d: deleting %v, service %v, code %v", fault.Nth, err, serviceErr, codeErr)
			}
			if !buried {
				if err := e.DeleteService(t.Context(), svc.SID); err != nil {
					t.Errorf("at operation %d: after the fault: %v", fault.Nth, err)
				}
			}
			if _, err := e.Sweep(t.Context()); err != nil {
				t.Errorf("at operation %d: %v", fault.Nth, err)
			}
			if got := leftIn(t, raw); !strings.HasPrefix(got, "1 services, 0 entities, 0 factors,") {
				t.Errorf("at operation %d: left are %s", fault.Nth, got)
			}
			return struck
		}
	})
}
