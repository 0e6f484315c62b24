package verifytest_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

const identity = "user-0001"

// enrolled makes a service and a factor on a new engine.
func enrolled(t *testing.T, tb testing.TB, p verify.TOTPParams) (*verifytest.Engine, verify.Factor) {
	t.Helper()
	e := verifytest.NewEngine(tb)
	svc, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.CreateFactor(t.Context(), svc.SID, identity, verify.FactorParams{FriendlyName: "ann", TOTP: &p})
	if err != nil {
		t.Fatal(err)
	}
	return e, f
}

// renamed is a test under another name.
type renamed struct {
	testing.TB
	name string
}

func (r renamed) Name() string { return r.name }

func TestEngineIsTheSameInEveryRun(t *testing.T) {
	t.Parallel()
	_, one := enrolled(t, renamed{t, "one"}, verify.TOTPParams{})
	_, again := enrolled(t, renamed{t, "one"}, verify.TOTPParams{})
	_, other := enrolled(t, renamed{t, "other"}, verify.TOTPParams{})
	if *one.Binding != *again.Binding || one.SID != again.SID || !one.DateCreated.Equal(again.DateCreated) {
		t.Error("two runs of one test differ")
	}
	if one.Binding.Secret == other.Binding.Secret || one.SID == other.SID {
		t.Error("two tests are the same")
	}
}

func TestEngineIsConfigured(t *testing.T) {
	t.Parallel()
	const account = "AC00000000000000000000000000000001"
	var log bytes.Buffer
	e := verifytest.NewEngine(t,
		func(c *verify.Config) { c.AccountSID = account },
		func(c *verify.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	if e.AccountSID() != account {
		t.Errorf("account %s, want %s", e.AccountSID(), account)
	}
	if want := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC); !e.Clock.Now().Equal(want) {
		t.Errorf("the clock shows %v, want %v", e.Clock.Now(), want)
	}
	svc, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
	if err != nil || !svc.DateCreated.Equal(e.Clock.Now()) {
		t.Errorf("%v, made %v", err, svc.DateCreated)
	}
	f, _ := e.EnrolTOTP(t, svc.SID, identity)
	if _, err := e.UnlockFactor(t.Context(), svc.SID, identity, f.SID); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(log.Bytes(), []byte(f.SID)) {
		t.Errorf("the logger was not used: %s", log.String())
	}
}

func TestEngineEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var e *verifytest.Engine
	t.Run("inner", func(t *testing.T) { e = verifytest.NewEngine(t) })
	if _, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"}); !errors.Is(err, verify.ErrClosed) {
		t.Errorf("after its test: %v, want ErrClosed", err)
	}
}

func TestEnrolTOTP(t *testing.T) {
	t.Parallel()
	e := verifytest.NewEngine(t)
	svc, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	f, app := e.EnrolTOTP(t, svc.SID, identity)
	if f.Status != verify.Verified {
		t.Errorf("the factor is %s", f.Status)
	}
	for i := range 2 {
		got, err := e.CheckCode(t.Context(), svc.SID, identity, app.Code(e.Clock.Now()))
		if err != nil || got.Approved != (i == 0) {
			t.Errorf("use %d of the first code: %t, %v", i+1, got.Approved, err)
		}
	}
}

func TestRand(t *testing.T) {
	t.Parallel()
	read := func(seed string, n int) []byte {
		data := make([]byte, n)
		if _, err := io.ReadFull(verifytest.Rand(seed), data); err != nil {
			t.Fatal(err)
		}
		return data
	}
	if !bytes.Equal(read("a", 10_000), read("a", 10_000)) || !bytes.Equal(read("a", 10_000)[:64], read("a", 64)) {
		t.Error("one seed gives two streams")
	}
	if bytes.Equal(read("a", 64), read("b", 64)) || bytes.Equal(read("", 64), make([]byte, 64)) {
		t.Error("two seeds give one stream")
	}
}

// A recorder notes that a test would have ended.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Fatalf(string, ...any) {
	r.failed = true
	runtime.Goexit()
}
