package verify

import (
	"crypto/rand"
	"io"
	"log/slog"
	"math"
	"sync"
	"time"
)

// Config is how an [Engine] is set up. It is taken by value, and the zero value
// of every field is a good choice except Keys, which a database file needs.
type Config struct {
	// Keys seal what must not be read from a stolen database. A file does not
	// open without the keys it was sealed with. Zero: an error for a file; for
	// ":memory:", keys made up on the spot.
	Keys Keys
	// Clock tells the time. Zero: time.Now. It must be safe for concurrent use.
	Clock func() time.Time
	// Rand is where generated TOTP secrets and SIDs come from. Zero: crypto/rand.
	// Keys and nonces come from crypto/rand whatever this is. It need not be safe
	// for concurrent use. A Rand that fails fails the call, and nothing is stored.
	Rand io.Reader
	// Logger receives what has no caller to be returned to: a factor that was
	// locked, file modes that were tightened, a failed sweep of Run. No record
	// holds a code, a secret or an identity. Zero: discard.
	Logger *slog.Logger
	// AccountSID is shown on every record. Zero: one is made with the database
	// and kept there.
	AccountSID string
	// Limits bound guessing and growth. Zero: Twilio's numbers.
	Limits Limits
	// Retention is how long Sweep keeps what is over.
	Retention Retention
}

// Limits of an [Engine]. In every field zero means the default and -1 off. They
// are numbers of this process: give all that share a file the same.
type Limits struct {
	// ChallengeAttempts is how many wrong codes a challenge takes. Default 5.
	ChallengeAttempts int
	// EnrolmentAttempts is how many wrong codes an unverified factor takes.
	// Default 5.
	EnrolmentAttempts int
	// FactorFailures is how many wrong codes in a row, over all challenges, lock
	// a verified factor until UnlockFactor. Default 100. It and EnrolmentAttempts
	// cannot be turned off altogether: the budget is at most a thousandth of the
	// codes there are, divided by those valid at a time, so that guessing succeeds
	// less than once in a thousand locks; and at least 1, which for codes of 3
	// digits is once in 333 with Skew 1, and once in 200 with Skew 2.
	FactorFailures int
	// ChallengesPerHour and ChallengesPerDay bound the challenges of a factor
	// with codes of five digits or more. Default 50 and 100.
	ChallengesPerHour, ChallengesPerDay int
	// ShortCodeChallengesPerDay bounds the challenges of a factor with codes of
	// four digits or fewer. Default 10.
	ShortCodeChallengesPerDay int
	// TOTPFactors is how many TOTP factors an entity may have. Default 100.
	TOTPFactors int
	// FactorsPerDay is how many factors may be created for an entity in a day.
	// Default 100.
	FactorsPerDay int
}

// Retention says how long after its creation a record may be swept. In every
// field zero means the default and -1 forever.
type Retention struct {
	// Challenges: default 30 days, and never less than an hour, the longest
	// that a challenge can be pending.
	Challenges time.Duration
	// UnverifiedFactors: enrolments that nobody finished. Default 24 hours.
	UnverifiedFactors time.Duration
}

// check refuses what cannot be meant.
func (c Config) check() error {
	if c.AccountSID != "" && !isSID("AC", c.AccountSID) {
		return &Error{Param: "Config.AccountSID", Message: "Config.AccountSID: want AC and 32 hexadecimal digits", Err: ErrInvalid}
	}
	l := c.Limits
	if min(l.ChallengeAttempts, l.EnrolmentAttempts, l.FactorFailures, l.ChallengesPerHour, l.ChallengesPerDay,
		l.ShortCodeChallengesPerDay, l.TOTPFactors, l.FactorsPerDay) < -1 {
		return &Error{Param: "Config.Limits", Message: "Config.Limits: want -1 for off, 0 for the default, or more", Err: ErrInvalid}
	}
	if min(c.Retention.Challenges, c.Retention.UnverifiedFactors) < -1 {
		return &Error{Param: "Config.Retention", Message: "Config.Retention: want -1 for ever, 0 for the default, or more", Err: ErrInvalid}
	}
	return nil
}

// filled returns the configuration with every zero replaced by what it means.
func (c Config) filled() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader // safe for concurrent use as it is
	} else {
		c.Rand = &lockedReader{r: c.Rand}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	l := &c.Limits
	fill(&l.ChallengeAttempts, 5)
	fill(&l.EnrolmentAttempts, 5)
	fill(&l.FactorFailures, 100)
	fill(&l.ChallengesPerHour, 50)
	fill(&l.ChallengesPerDay, 100)
	fill(&l.ShortCodeChallengesPerDay, 10)
	fill(&l.TOTPFactors, 100)
	fill(&l.FactorsPerDay, 100)
	if c.Retention.Challenges == 0 {
		c.Retention.Challenges = 30 * 24 * time.Hour
	}
	if c.Retention.UnverifiedFactors == 0 {
		c.Retention.UnverifiedFactors = 24 * time.Hour
	}
	if c.Retention.Challenges > 0 {
		c.Retention.Challenges = max(c.Retention.Challenges, maxChallengeLife)
	}
	return c
}

// fill applies a default. Off becomes a number that no count reaches.
func fill(field *int, standard int) {
	switch {
	case *field == 0:
		*field = standard
	case *field < 0:
		*field = math.MaxInt32
	}
}

// A lockedReader makes any reader safe for concurrent use.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
