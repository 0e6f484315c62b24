// Package totp computes and checks time-based one-time codes (RFC 4226 and
// RFC 6238).
//
// The arithmetic is github.com/pquerna/otp's. What this package adds is what
// that library leaves to its caller: Match answers which time step a code
// belongs to, so that the caller can spend it, where a bare yes would leave no
// way to refuse the same code twice; a code has one spelling and no other; and
// a shared secret is decoded strictly.
//
// Nothing here reads a clock, a global or a source of randomness that was not
// passed in. All functions are safe for concurrent use.
package totp

import (
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// Algorithm is the hash below the HMAC, spelled as the Verify API spells it.
type Algorithm string

// The hashes RFC 6238 section 1.2 allows.
const (
	SHA1   Algorithm = "sha1"
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// Limits of a Config. maxSkew bounds the window, and with it how much a guess
// is worth and how long a code lives (RFC 6238 section 5.2).
const (
	minDigits, maxDigits = 3, 8
	minPeriod, maxPeriod = 20, 60
	maxSkew              = 2
)

// ErrConfig is matched by every error about a Config or Algorithm outside its
// range.
var ErrConfig = errors.New("totp: invalid configuration")

// Config says how the codes of one factor are made. Its zero value is not
// valid; Check tells.
type Config struct {
	Alg    Algorithm
	Digits int // length of a code, 3 to 8
	Period int // length of a time step in seconds, 20 to 60
	Skew   int // steps accepted on each side of the current one, 0 to 2
}

// Check returns nil if every field is in its range, else an error that matches
// ErrConfig and names the first field that is not.
func (c Config) Check() error {
	if _, ok := c.Alg.hash(); !ok {
		return fmt.Errorf("%w: algorithm %q is none of sha1, sha256, sha512", ErrConfig, c.Alg)
	}
	if c.Digits < minDigits || c.Digits > maxDigits {
		return fmt.Errorf("%w: %d digits, want %d to %d", ErrConfig, c.Digits, minDigits, maxDigits)
	}
	if c.Period < minPeriod || c.Period > maxPeriod {
		return fmt.Errorf("%w: period of %d seconds, want %d to %d", ErrConfig, c.Period, minPeriod, maxPeriod)
	}
	if c.Skew < 0 || c.Skew > maxSkew {
		return fmt.Errorf("%w: skew of %d steps, want 0 to %d", ErrConfig, c.Skew, maxSkew)
	}
	return nil
}

// hash maps an Algorithm to the library's. It is a closed list on purpose: the
// library also knows MD5, and its zero value is SHA-1, so passing unknown names
// through would weaken a factor without a word.
func (a Algorithm) hash() (otp.Algorithm, bool) {
	switch a {
	case SHA1:
		return otp.AlgorithmSHA1, true
	case SHA256:
		return otp.AlgorithmSHA256, true
	case SHA512:
		return otp.AlgorithmSHA512, true
	}
	return 0, false
}

// Step returns the number of the time step that contains t: the floor of Unix
// seconds divided by Period (RFC 6238 section 4.2, with T0 = 0). Before 1970 it
// is negative. Step panics if Period is 0, which Check refuses.
func (c Config) Step(t time.Time) int64 {
	seconds, period := t.Unix(), int64(c.Period)
	step := seconds / period
	if seconds%period < 0 {
		step-- // Go's division truncates towards zero
	}
	return step
}

// Code returns the code of one time step: exactly Digits ASCII digits, leading
// zeros kept. It fails with ErrConfig if c is out of range or step is negative,
// and with ErrSecret if seed is not 16 to 64 bytes long.
func (c Config) Code(seed []byte, step int64) (string, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	if step < 0 {
		return "", fmt.Errorf("%w: negative step %d", ErrConfig, step)
	}
	if err := checkSeed(seed); err != nil {
		return "", err
	}
	return c.code(base32.StdEncoding.EncodeToString(seed), step)
}

// code is Code after the checks. The library takes seeds in base32 only, so a
// caller with several steps to compute encodes once.
func (c Config) code(secret string, step int64) (string, error) {
	alg, _ := c.Alg.hash()
	code, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{
		Digits:    otp.Digits(c.Digits),
		Algorithm: alg,
	})
	if err != nil {
		// Not wrapped: whatever the library would quote, it would quote a secret.
		return "", fmt.Errorf("%w: the library refused it", ErrSecret)
	}
	return code, nil
}

// Match finds the time step that code belongs to, among those from Skew before
// to Skew after the one that contains now (RFC 6238 section 5.2), and returns
// the highest that is greater than after, the last step already spent. Pass -1
// when none was.
//
// ok is false, and err nil, if nothing matches or if code is not exactly Digits
// ASCII digits. Match spends nothing: the caller must raise its stored step to
// the returned one in a single conditional update, else two callers could both
// win with one code. err matches ErrConfig or ErrSecret as in Code.
//
// Two steps of a window have the same code once in 10^Digits. Highest first
// means that such a code is spent for both, so that no string succeeds twice; the
// price is that the genuine codes of the steps between are then refused, and the
// user waits for the next.
func (c Config) Match(seed []byte, code string, now time.Time, after int64) (step int64, ok bool, err error) {
	if err := c.Check(); err != nil {
		return 0, false, err
	}
	if err := checkSeed(seed); err != nil {
		return 0, false, err
	}
	// Before any code is computed. The library's own Validate functions trim
	// white space first; callers that counted attempts or remembered used codes
	// by their spelling could be fooled with a trailing space.
	if !WellFormed(code, c.Digits) {
		return 0, false, nil
	}

	// All codes are computed before the first is compared, so that the time
	// taken does not tell whether, or where in the window, code matched.
	window, err := c.window(seed, c.Step(now))
	if err != nil {
		return 0, false, err
	}
	// From the lowest step up, so that the highest match is written last. The
	// comparison is in constant time; the branch on its result is no leak, for
	// the result is what the caller is told.
	for _, s := range window {
		equal := subtle.ConstantTimeCompare([]byte(s.code), []byte(code)) == 1
		if equal && s.step > after {
			step, ok = s.step, true
		}
	}
	return step, ok, nil
}

// slot is one step of a window and its code.
type slot struct {
	step int64
	code string
}

// window returns the steps within Skew of current, ascending, with their codes.
// Steps before 1970 are left out: as a counter they would wrap round to 2^64
// and name codes of the far future.
func (c Config) window(seed []byte, current int64) ([]slot, error) {
	secret := base32.StdEncoding.EncodeToString(seed)
	window := make([]slot, 0, 2*maxSkew+1)
	for step := current - int64(c.Skew); step <= current+int64(c.Skew); step++ {
		if step < 0 {
			continue
		}
		code, err := c.code(secret, step)
		if err != nil {
			return nil, err
		}
		window = append(window, slot{step, code})
	}
	return window, nil
}

// WellFormed reports whether code is exactly digits ASCII digits. No sign, no
// white space, no other script's digits; with digits below 1 nothing is.
func WellFormed(code string, digits int) bool {
	if digits < 1 || len(code) != digits {
		return false
	}
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	return true
}

// Budget returns how many consecutive failures lock a factor: as many guesses
// as have, together, a chance of one in a thousand to hit one of the window's
// 2*Skew+1 codes, but at least 1 and at most limit. With 6 digits and Skew 1 that
// is 333; with 4 digits 3. c must pass Check, and limit be at least 1.
func (c Config) Budget(limit int) int {
	guesses := 1
	for range c.Digits - 3 { // 0.001 * 10^Digits
		guesses *= 10
	}
	guesses /= 2*c.Skew + 1
	return min(limit, max(1, guesses))
}
