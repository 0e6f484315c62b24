package enginetest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed4eca3270/verify"
)

// The operations of a model: each asks the oracle, then the engine, and compares.

func (m *model) enrol() {
	for _, f := range m.o.factors { // an enrolment clears away those that nobody finished
		f.gone = f.absent(m.now())
	}
	shapes := []verify.TOTPParams{{}, {}, {Skew: new(0)}, {CodeLength: 4}, {CodeLength: 3, Skew: new(2)}, {Alg: "sha256", TimeStep: 20, Skew: new(2)}}
	a := m.Enrol(shapes[m.r.IntN(len(shapes))])
	c := a.Factor.TOTP
	m.o.factors = append(m.o.factors, &oracleFactor{app: a, digits: c.CodeLength, skew: c.Skew, step: c.TimeStep, last: -1})
}

// factor picks one, mostly one of the youngest that is still there.
func (m *model) factor() *oracleFactor {
	alive := slices.DeleteFunc(slices.Clone(m.o.factors), func(f *oracleFactor) bool { return f.gone })
	if len(alive) > 0 && m.r.IntN(20) > 0 {
		return alive[m.r.IntN(len(alive))]
	}
	return m.o.factors[m.r.IntN(len(m.o.factors))]
}

// code is one that somebody might enter.
func (m *model) code(f *oracleFactor) string {
	switch m.r.IntN(12) {
	case 0, 1:
		return f.app.Wrong()
	case 2:
		return []string{"", "12345", " " + f.app.Shown(), f.app.Shown() + "0", "abcdef"}[m.r.IntN(5)]
	case 3:
		return f.app.At(m.r.IntN(9) - 4)
	case 4:
		return fmt.Sprintf("%0*d", f.digits, m.r.IntN(1000))
	default:
		return f.app.At(m.r.IntN(2*f.skew+1) - f.skew)
	}
}

func (m *model) create() {
	f, now := m.factor(), m.now()
	p := verify.ChallengeParams{FactorSID: f.app.Factor.SID}
	if m.r.IntN(2) == 0 {
		p.AuthPayload = m.code(f)
	}
	life := 5 * time.Minute
	if m.r.IntN(3) == 0 {
		life = time.Duration(1+m.r.IntN(3600)) * time.Second
		p.ExpirationDate = now.Add(life)
	}
	if m.r.IntN(4) == 0 {
		p.Details = verify.Details{Message: "Really?", Fields: []verify.Field{{Label: "n", Value: fmt.Sprint(len(m.o.challenges))}}}
		p.HiddenDetails = map[string]string{"n": "1"}
	}
	v := f.create(p.AuthPayload, now)
	got, err := m.challenge(p)
	if !m.expect("create", v, err) {
		return
	}
	c := &oracleChallenge{factor: f, want: verify.Challenge{
		SID: got.SID, AccountSID: m.AccountSID(), ServiceSID: m.Service, EntitySID: f.app.Factor.EntitySID, Identity: m.Identity,
		FactorSID: f.app.Factor.SID, FactorType: verify.TOTP, Status: verify.Pending, Details: p.Details, HiddenDetails: p.HiddenDetails,
		ExpirationDate: now.Add(life), DateCreated: now, DateUpdated: now,
	}}
	switch {
	case v.right:
		c.want.Status, c.want.DateResponded = verify.Approved, now
	case p.AuthPayload != "":
		c.want.WrongCodes = 1
	}
	m.o.challenges = append(m.o.challenges, c)
	m.same(c, got)
}

// old picks a challenge, mostly one of the latest.
func (m *model) old() *oracleChallenge {
	n := len(m.o.challenges)
	if n == 0 {
		return nil
	}
	if m.r.IntN(5) > 0 {
		return m.o.challenges[n-1-m.r.IntN(min(n, 6))]
	}
	return m.o.challenges[m.r.IntN(n)]
}

func (m *model) respond() {
	c := m.old()
	if c == nil {
		return
	}
	r := verify.ChallengeResponse{AuthPayload: m.code(c.factor)}
	if m.r.IntN(5) == 0 || r.AuthPayload == "" {
		r.Metadata = map[string]string{"n": fmt.Sprint(m.r.IntN(1000))}
	}
	v := c.respond(r.AuthPayload, r.Metadata, m.now())
	got, err := m.RespondChallenge(m.t.Context(), m.Service, m.Identity, c.want.SID, r)
	if m.expect("respond", v, err) {
		m.same(c, got)
	}
}

func (m *model) check() {
	now := m.now()
	code := m.code(m.factor())
	by, v := m.o.check(code, now)
	got, err := m.Scene.check(code)
	if !m.expect("check", v, err) {
		return
	}
	if got.Approved != v.right {
		m.t.Errorf("check: approved: %t, want %t", got.Approved, v.right)
	}
	if !v.right {
		return
	}
	c := &oracleChallenge{factor: by, want: verify.Challenge{
		SID: got.Challenge.SID, AccountSID: m.AccountSID(), ServiceSID: m.Service, EntitySID: by.app.Factor.EntitySID, Identity: m.Identity,
		FactorSID: by.app.Factor.SID, FactorType: verify.TOTP, Status: verify.Approved, ExpirationDate: got.Challenge.ExpirationDate,
		DateCreated: now, DateUpdated: now, DateResponded: now,
	}}
	m.o.challenges = append(m.o.challenges, c)
	m.same(c, got.Challenge)
}

func (m *model) verify() {
	f := m.factor()
	code := m.code(f)
	v := f.verify(code, m.now())
	got, err := f.app.verify(code)
	if m.expect("verify", v, err) && (got.Status == verify.Verified) != f.verified {
		m.t.Errorf("verify: the factor is %s, want verified: %t", got.Status, f.verified)
	}
}

func (m *model) get() {
	f := m.factor()
	got, err := m.GetFactor(m.t.Context(), m.Service, m.Identity, f.app.Factor.SID)
	v := verdict{}
	if f.absent(m.now()) {
		v.code = verify.CodeNotFound
	}
	if m.expect("factor", v, err) && (got.Locked != f.locked() || (got.Status == verify.Verified) != f.verified) {
		m.t.Errorf("factor: %+v, want locked: %t, verified: %t", got, f.locked(), f.verified)
	}
	c := m.old()
	if c == nil {
		return
	}
	read, err := m.GetChallenge(m.t.Context(), m.Service, m.Identity, c.want.SID)
	v = verdict{}
	if c.factor.gone {
		v.code = verify.CodeNotFound
	}
	if m.expect("challenge", v, err) {
		m.seen["get: "+string(read.Status)]++
		m.same(c, read)
	}
}

func (m *model) list() {
	filter := verify.ChallengeFilter{NewestFirst: m.r.IntN(2) == 0}
	filter.Status = []verify.Status{"", verify.Pending, verify.Approved, verify.Expired, verify.Denied}[m.r.IntN(5)]
	var f *oracleFactor
	if m.r.IntN(2) == 0 {
		f = m.factor()
		filter.FactorSID = f.app.Factor.SID
	}
	var want []verify.Challenge
	for _, c := range m.o.challenges {
		status := c.status(m.now())
		if c.factor.gone || f != nil && c.factor != f || filter.Status != "" && status != filter.Status {
			continue
		}
		one := c.want
		one.Status = status
		want = append(want, one)
	}
	// SIDs ascend with the time of creation, which the clock may have put back.
	slices.SortFunc(want, func(a, b verify.Challenge) int { return cmp.Compare(a.SID, b.SID) })
	if filter.NewestFirst {
		slices.Reverse(want)
	}
	m.seen["list"]++
	got := allPages(m.t, m.Scene, filter, []int{7, 50, 1000}[m.r.IntN(3)])
	if !reflect.DeepEqual(got, want) {
		m.t.Errorf("%+v lists\n%s\nwant\n%s", filter, statuses(got), statuses(want))
	}
}

func statuses(challenges []verify.Challenge) string {
	var b strings.Builder
	for _, c := range challenges {
		fmt.Fprintf(&b, "%s %s %v\n", c.SID, c.Status, c.DateCreated)
	}
	return b.String()
}

func (m *model) wait() {
	m.Clock.Advance(time.Duration(m.r.Int64N(int64(40 * time.Second))))
}

func (m *model) jump() {
	by := []time.Duration{time.Minute, 7 * time.Minute, time.Hour, 5 * time.Hour, 25 * time.Hour, -time.Second, -40 * time.Second, -2 * time.Minute, -2 * time.Hour}
	m.Clock.Advance(by[m.r.IntN(len(by))] + time.Duration(m.r.Int64N(1e6)))
}

func (m *model) unlock() {
	f := m.factor()
	v := verdict{}
	if f.absent(m.now()) {
		v.code = verify.CodeNotFound
	} else {
		f.unlock(m.now())
	}
	got, err := m.UnlockFactor(m.t.Context(), m.Service, m.Identity, f.app.Factor.SID)
	if m.expect("unlock", v, err) && got.Locked {
		m.t.Error("unlock: the factor is locked")
	}
}

func (m *model) remove() {
	f := m.factor()
	v := verdict{}
	if f.absent(m.now()) {
		v.code = verify.CodeNotFound
	}
	m.expect("delete", v, m.DeleteFactor(m.t.Context(), m.Service, m.Identity, f.app.Factor.SID))
	f.gone = f.gone || v.code == 0
	if !slices.ContainsFunc(m.o.factors, func(f *oracleFactor) bool { return !f.absent(m.now()) }) {
		m.enrol()
	}
}
