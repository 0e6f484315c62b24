package enginetest

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/seed4eca3270/verify"
)

// The oracle says what the engine must answer. It is written from the contract,
// not from the engine, and keeps everything in plain fields.
type oracle struct {
	factors    []*oracleFactor // in order of creation, deleted ones too
	challenges []*oracleChallenge
}

type oracleFactor struct {
	app                *App
	digits, skew, step int // the step in seconds
	verified, gone     bool
	failures           int
	last               int64 // the highest step accepted
	hour, day          oracleWindow
}

// An oracleWindow opens with its first entry, for a fixed time.
type oracleWindow struct {
	from  time.Time
	count int
}

type oracleChallenge struct {
	factor *oracleFactor
	want   verify.Challenge // its Status as it was stored
}

// A verdict is an answer without its record: the code of the error, how long it
// says to wait, and whether a code was right.
type verdict struct {
	code  int
	after time.Duration
	right bool
}

// budget is how many wrong codes in a row lock the factor: a hundred, but not so
// many that one in a thousand guessers gets in, and at least one.
func (f *oracleFactor) budget() int {
	guesses := 1
	for range f.digits - 3 {
		guesses *= 10
	}
	budget := min(100, max(1, guesses/(2*f.skew+1)))
	if !f.verified {
		budget = min(budget, 5)
	}
	return budget
}

func (f *oracleFactor) locked() bool { return f.failures >= f.budget() }

// absent is whether the factor can be reached no more: deleted, or an enrolment
// that nobody has finished within a day of the time that its SID tells.
func (f *oracleFactor) absent(now time.Time) bool {
	key, err := strconv.ParseInt(f.app.Factor.SID[2:18], 16, 64)
	return f.gone || err != nil || !f.verified && key>>20 < now.Add(-24*time.Hour).UnixMilli()
}

func (f *oracleFactor) current(now time.Time) int64 { return now.Unix() / int64(f.step) }

// matches finds the highest unspent step of the window that has the code.
func (f *oracleFactor) matches(code string, now time.Time) (step int64, ok bool) {
	at := f.current(now)
	for step = at + int64(f.skew); step >= at-int64(f.skew); step-- {
		if step > f.last && f.app.Code(time.Unix(step*int64(f.step), 0)) == code {
			return step, true
		}
	}
	return 0, false
}

// guess spends the code or counts it.
func (f *oracleFactor) guess(code string, now time.Time) bool {
	step, ok := f.matches(code, now)
	if !ok {
		f.failures++
		return false
	}
	f.last, f.failures = step, 0
	return true
}

func (f *oracleFactor) wellFormed(code string) bool {
	return len(code) == f.digits && !slices.ContainsFunc([]byte(code), func(c byte) bool { return c < '0' || c > '9' })
}

// admits is whether a window takes one more, and when it will if not.
func (w oracleWindow) admits(now time.Time, life time.Duration, max int) (bool, time.Duration) {
	if w.count == 0 || !w.from.Add(life).After(now) || w.count < max {
		return true, 0
	}
	return false, w.from.Add(life).Sub(now)
}

func (w *oracleWindow) take(now time.Time, life time.Duration) {
	if w.count == 0 || !w.from.Add(life).After(now) {
		*w = oracleWindow{from: now}
	}
	w.count++
}

// admit is what creating a challenge costs.
func (f *oracleFactor) admit(now time.Time) (v verdict) {
	if f.locked() {
		return verdict{code: verify.CodeChallengeAttempts}
	}
	perHour, perDay := 50, 100
	if f.digits <= 4 {
		perHour, perDay = 10, 10
	}
	hourly, wait := f.hour.admits(now, time.Hour, perHour)
	daily, longer := f.day.admits(now, 24*time.Hour, perDay)
	if !hourly || !daily {
		return verdict{code: verify.CodeChallengesCreated, after: max(wait, longer)}
	}
	f.hour.take(now, time.Hour)
	f.day.take(now, 24*time.Hour)
	return verdict{}
}

func (f *oracleFactor) create(code string, now time.Time) verdict {
	switch {
	case f.absent(now):
		return verdict{code: verify.CodeNotFound}
	case !f.verified:
		return verdict{code: verify.CodeFactorUnverified}
	case code != "" && !f.wellFormed(code):
		return verdict{code: verify.CodeInvalidRequest}
	}
	v := f.admit(now)
	if v.code == 0 && code != "" {
		v.right = f.guess(code, now)
	}
	return v
}

func (f *oracleFactor) verify(code string, now time.Time) verdict {
	switch {
	case f.absent(now):
		return verdict{code: verify.CodeNotFound}
	case f.verified:
		return verdict{}
	case !f.wellFormed(code):
		return verdict{code: verify.CodeInvalidRequest}
	case f.locked():
		return verdict{code: verify.CodeFactorAttempts}
	}
	if !f.guess(code, now) {
		return verdict{}
	}
	f.verified = true
	return verdict{right: true}
}

func (f *oracleFactor) unlock(now time.Time) {
	f.failures, f.hour, f.day = 0, oracleWindow{}, oracleWindow{}
	f.last = min(f.last, f.current(now)+2) // the widest skew there is
}

func (c *oracleChallenge) status(now time.Time) verify.Status {
	if c.want.Status == verify.Pending && (!c.want.ExpirationDate.After(now) || c.want.DateCreated.After(now.Add(time.Minute))) {
		return verify.Expired
	}
	return c.want.Status
}

func (c *oracleChallenge) respond(code string, metadata map[string]string, now time.Time) (v verdict) {
	switch {
	case c.factor.gone:
		return verdict{code: verify.CodeNotFound}
	case c.status(now) == verify.Expired:
		return verdict{code: verify.CodeChallengeExpired}
	case c.want.Status != verify.Pending:
		return verdict{code: verify.CodeChallengeResponded}
	case c.want.WrongCodes >= 5:
		return verdict{code: verify.CodeChallengeAttempts}
	case code == "":
		c.want.Metadata, c.want.DateUpdated = metadata, now
		return verdict{}
	case !c.factor.wellFormed(code):
		return verdict{code: verify.CodeInvalidRequest}
	case c.factor.locked():
		return verdict{code: verify.CodeChallengeAttempts}
	}
	if v.right = c.factor.guess(code, now); v.right {
		c.want.Status, c.want.DateResponded = verify.Approved, now
	} else {
		c.want.WrongCodes++
	}
	c.want.DateUpdated = now
	if metadata != nil {
		c.want.Metadata = metadata
	}
	return v
}

// check is CheckCode: the factor that approved, or the verdict.
func (o *oracle) check(code string, now time.Time) (by *oracleFactor, v verdict) {
	var asked []*oracleFactor
	v = verdict{code: verify.CodeFactorUnverified}
	for _, f := range o.factors {
		if f.gone || !f.verified {
			continue
		}
		if !f.wellFormed(code) {
			v.code = verify.CodeInvalidRequest
			continue
		}
		asked = append(asked, f)
	}
	if len(asked) == 0 {
		return nil, v
	}
	// One that the code is right for is asked before the others.
	slices.SortStableFunc(asked, func(a, b *oracleFactor) int {
		_, first := a.matches(code, now)
		_, second := b.matches(code, now)
		return cmp.Compare(rank(first), rank(second))
	})
	looked, refused := false, verdict{}
	for _, f := range asked {
		if admitted := f.admit(now); admitted.code != 0 {
			refused = sooner(refused, admitted)
			continue
		}
		looked = true
		if f.guess(code, now) {
			return f, verdict{right: true}
		}
	}
	if looked {
		return nil, verdict{}
	}
	return nil, refused
}

// sooner is the refusal that time lifts first; time lifts no lock.
func sooner(a, b verdict) verdict {
	if a.code == 0 || b.after > 0 && (a.after == 0 || b.after < a.after) {
		return b
	}
	return a
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}
