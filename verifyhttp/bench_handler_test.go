package verifyhttp_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

// A crowd is users with an authenticator app each, ready to be approved.
type crowd struct {
	engine  *verify.Engine
	clock   *verifytest.Clock
	handler http.Handler
	service string
	users   []member
}

type member struct {
	*verifytest.TOTP
	identity, factor string
}

// newCrowd enrols n users, in a database file unless path is ":memory:".
func newCrowd(b *testing.B, path string, n int) *crowd {
	b.Helper()
	c := &crowd{clock: verifytest.NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)), users: make([]member, n)}
	keys, err := verify.KeyFile(filepath.Join(b.TempDir(), "mfa.key"))
	if err != nil {
		b.Fatal(err)
	}
	cfg := verify.Config{Clock: c.clock.Now, Keys: keys, Limits: verify.Limits{ChallengesPerHour: -1, ChallengesPerDay: -1}}
	if c.engine, err = verify.Open(b.Context(), path, cfg); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.engine.Close() })
	if c.handler, err = verifyhttp.New(c.engine, verifyhttp.Config{Authenticate: verifyhttp.BasicAuth(tokens())}); err != nil {
		b.Fatal(err)
	}
	svc, err := c.engine.CreateService(b.Context(), verify.ServiceParams{FriendlyName: "Acme"})
	if err != nil {
		b.Fatal(err)
	}
	c.service = svc.SID
	share(b, 64, n, func(i int) error {
		identity := fmt.Sprintf("user-%06d", i)
		f, err := c.engine.CreateFactor(b.Context(), c.service, identity, verify.FactorParams{FriendlyName: "ann", TOTP: &verify.TOTPParams{}})
		if err != nil {
			return err
		}
		c.users[i] = member{verifytest.ScanTOTP(b, f.Binding.URI), identity, f.SID}
		f, err = c.engine.VerifyFactor(b.Context(), c.service, identity, f.SID, c.users[i].Code(c.clock.Now()))
		if err == nil && f.Status != verify.Verified {
			err = fmt.Errorf("factor is %s", f.Status)
		}
		return err
	})
	return c
}

// share has callers work off n operations.
func share(b *testing.B, callers, n int, op func(i int) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range callers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := op(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	if b.Failed() {
		b.FailNow()
	}
	return took
}

// codes are what all apps show in a step that nobody has used.
func (c *crowd) codes() []string {
	c.clock.Advance(3 * 30 * time.Second)
	var all []string
	for _, u := range c.users {
		all = append(all, u.Code(c.clock.Now()))
	}
	return all
}

func (c *crowd) byEngine(b *testing.B) func(i int) error {
	codes := c.codes()
	return func(i int) error {
		ch, err := c.engine.CreateChallenge(context.Background(), c.service, c.users[i].identity, verify.ChallengeParams{FactorSID: c.users[i].factor, AuthPayload: codes[i]})
		if err == nil && ch.Status != verify.Approved {
			err = fmt.Errorf("challenge is %s", ch.Status)
		}
		return err
	}
}

func (c *crowd) byHandler(b *testing.B) func(i int) error {
	requests, answers := make([]*http.Request, len(c.users)), make([]*httptest.ResponseRecorder, len(c.users))
	for i, code := range c.codes() {
		u := c.users[i]
		requests[i] = parse("POST", "/v2/Services/"+c.service+"/Entities/"+u.identity+"/Challenges", strings.NewReader(encode("FactorSid", u.factor, "AuthPayload", code)))
		requests[i].SetBasicAuth(account, token)
		answers[i] = httptest.NewRecorder()
	}
	return func(i int) error {
		c.handler.ServeHTTP(answers[i], requests[i])
		if answers[i].Code != 201 || !strings.Contains(answers[i].Body.String(), `"status":"approved"`) {
			return fmt.Errorf("got %d %s", answers[i].Code, answers[i].Body)
		}
		return nil
	}
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// BenchmarkHandler approves users by the handler and by the bare engine, in
// rounds of both in an order drawn anew. What counts are medians over rounds.
//
//	go test -run '^$' -bench Handler -benchtime 9x ./verifyhttp
func BenchmarkHandler(b *testing.B) {
	for _, c := range []struct {
		place          string
		callers, users int
	}{{"file", 1, 200}, {"file", 64, 2000}, {"memory", 1, 1000}} {
		b.Run(fmt.Sprintf("%s/callers=%d", c.place, c.callers), func(b *testing.B) {
			path := ":memory:"
			if c.place == "file" {
				path = filepath.Join(b.TempDir(), "mfa.db")
			}
			crowd := newCrowd(b, path, c.users)
			seed := uint64(time.Now().UnixNano())
			b.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			ways := []func(*testing.B) func(int) error{crowd.byEngine, crowd.byHandler}
			var rates [2][]float64
			var ratios []float64
			for b.Loop() {
				var took [2]time.Duration
				for _, way := range random.Perm(2) {
					op := ways[way](b)
					took[way] = share(b, c.callers, c.users, op)
					rates[way] = append(rates[way], float64(c.users)/took[way].Seconds())
				}
				ratios = append(ratios, took[0].Seconds()/took[1].Seconds())
			}
			b.ReportMetric(median(rates[0]), "engine/s")
			b.ReportMetric(median(rates[1]), "handler/s")
			b.ReportMetric(median(ratios), "handler/engine")
			b.ReportMetric(0, "ns/op") // a round's time says nothing
		})
	}
}
