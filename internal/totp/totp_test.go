package totp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"
)

// oracleCode is RFC 4226 section 5.3 written out over the standard library.
func oracleCode(c Config, seed []byte, step int64) string {
	mac := hmac.New(map[Algorithm]func() hash.Hash{SHA1: sha1.New, SHA256: sha256.New, SHA512: sha512.New}[c.Alg], seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	value := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	modulus := uint32(math.Pow10(c.Digits))
	return fmt.Sprintf("%0*d", c.Digits, value%modulus)
}

// twin is the check one would write first: the library's own. It trims.
func twin(c Config, seed []byte, code string, now time.Time) bool {
	alg, _ := c.Alg.hash()
	ok, err := pquerna.ValidateCustom(code, base32.StdEncoding.EncodeToString(seed), now, pquerna.ValidateOpts{
		Period: uint(c.Period), Skew: uint(c.Skew), Digits: otp.Digits(c.Digits), Algorithm: alg,
	})
	return ok && err == nil
}

func TestStep(t *testing.T) {
	t.Parallel()
	c := Config{Alg: SHA1, Digits: 6, Period: 30}
	tests := []struct {
		t    time.Time
		want int64
	}{
		{time.Unix(0, 0), 0},
		{time.Unix(29, 999999999), 0},
		{time.Unix(30, 0), 1},
		{time.Unix(0, -1), -1},
		{time.Unix(-1, 0), -1},
		{time.Unix(-29, 0), -1},
		{time.Unix(-30, 0), -1},
		{time.Unix(-30, -1), -2},
		{time.Unix(-31, 0), -2},
		{time.Time{}, -62135596800 / 30},
	}
	for _, tt := range tests {
		if got := c.Step(tt.t); got != tt.want {
			t.Errorf("Step(%v) = %d, want %d", tt.t.UTC(), got, tt.want)
		}
	}
}

// The acceptance set at the edges of a step must equal the oracle's, for every
// skew and period, whatever was spent before.
func TestWindowBounds(t *testing.T) {
	t.Parallel()
	accepted := 0
	for skew := range 3 {
		for _, period := range []int{20, 30, 60} {
			c := Config{Alg: SHA1, Digits: 8, Period: period, Skew: skew}
			seed := digitSeed(20)
			const edge = 37037037
			for _, ns := range []int64{-1, 0, 1} {
				now := time.Unix(edge*int64(period), ns)
				current := int64(edge)
				if ns < 0 {
					current--
				}
				for offset := int64(-3); offset <= 3; offset++ {
					for spent := int64(-4); spent <= 3; spent++ {
						step, after := current+offset, current+spent
						want := offset >= -int64(skew) && offset <= int64(skew) && step > after
						got, ok, err := c.Match(seed, oracleCode(c, seed, step), now, after)
						if err != nil || ok != want || ok && got != step {
							t.Errorf("skew %d, period %d, edge%+dns, offset %+d, spent %+d: step %d, %v, %v; want %v", skew, period, ns, offset, spent, got-current, ok, err, want)
						}
						if ok {
							accepted++
						}
					}
				}
			}
		}
	}
	if accepted == 0 {
		t.Fatal("nothing was accepted: the test tests nothing")
	}
}

// Random configurations, seeds and times against an oracle that tries every
// step. Three digits make coincidences within a window common.
func TestMatchAgainstOracle(t *testing.T) {
	t.Parallel()
	random := seededRand(t)
	hits := 0
	for range 3000 {
		c := Config{
			Alg:    []Algorithm{SHA1, SHA256, SHA512}[random.IntN(3)],
			Digits: 3 + random.IntN(6), Period: 20 + random.IntN(41), Skew: random.IntN(3),
		}
		seed := make([]byte, 16+random.IntN(49))
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		now := time.Unix(random.Int64N(1<<33), random.Int64N(1e9))
		current := now.Unix() / int64(c.Period)
		after := current + random.Int64N(7) - 3
		code := oracleCode(c, seed, current+random.Int64N(7)-3)

		want, wantOK := int64(0), false
		for step := current - int64(c.Skew); step <= current+int64(c.Skew); step++ {
			if step > after && oracleCode(c, seed, step) == code {
				want, wantOK = step, true
			}
		}
		got, ok, err := c.Match(seed, code, now, after)
		if err != nil || ok != wantOK || got != want {
			t.Fatalf("%+v, seed %x, code %s, now %d, after %d: %d, %v, %v; want %d, %v", c, seed, code, now.Unix(), after, got, ok, err, want, wantOK)
		}
		if ok {
			hits++
		}
	}
	if hits < 300 {
		t.Fatalf("only %d of 3000 accepted: the test has lost its point", hits)
	}
}

// One code at two steps of a window: the higher is taken, and then none, so that
// one string does not succeed twice.
func TestMatchHighestFirst(t *testing.T) {
	t.Parallel()
	c := Config{Alg: SHA1, Digits: 3, Period: 30, Skew: 1}
	seed := digitSeed(20)
	step := int64(1)
	for oracleCode(c, seed, step) != oracleCode(c, seed, step+1) {
		step++
	}
	code, now := oracleCode(c, seed, step), time.Unix(step*30, 0)
	for _, tt := range []struct {
		after, want int64
		ok          bool
	}{{-1, step + 1, true}, {step - 1, step + 1, true}, {step, step + 1, true}, {step + 1, 0, false}} {
		if got, ok, err := c.Match(seed, code, now, tt.after); got != tt.want || ok != tt.ok || err != nil {
			t.Errorf("after %d: %d, %v, %v; want %d, %v", tt.after, got, ok, err, tt.want, tt.ok)
		}
	}
}

// Near and before 1970 a window holds only steps that exist.
func TestNegativeSteps(t *testing.T) {
	t.Parallel()
	c := Config{Alg: SHA1, Digits: 8, Period: 30, Skew: 2}
	seed := digitSeed(20)
	for current := int64(-4); current <= 3; current++ {
		window, err := c.window(seed, current)
		if err != nil {
			t.Fatal(err)
		}
		var want []int64
		for step := max(0, current-2); step <= current+2; step++ {
			want = append(want, step)
		}
		var got []int64
		for _, s := range window {
			got = append(got, s.step)
		}
		if !slices.Equal(got, want) {
			t.Errorf("window around %d: %v, want %v", current, got, want)
		}
	}
	for _, step := range []int64{-1, -2} {
		if code, err := c.Code(seed, step); !errors.Is(err, ErrConfig) || code != "" {
			t.Errorf("Code(%d) = %q, %v; want ErrConfig", step, code, err)
		}
		// What a wrapped counter would have given must not be accepted.
		if _, ok, _ := c.Match(seed, oracleCode(c, seed, step), time.Unix(0, 0), math.MinInt64); ok {
			t.Errorf("the code of step %d was accepted", step)
		}
	}
}

// spellings are ways to write a code that are not the code.
func spellings(code string) map[string]string {
	shift := func(zero rune) (s string) {
		for _, d := range code {
			s += string(zero + d - '0')
		}
		return s
	}
	return map[string]string{
		"leading space": " " + code, "trailing space": code + " ", "newline": code + "\n", "CRLF": code + "\r\n",
		"tab": "\t" + code, "no-break space": code + "\u00a0", "zero-width space": code + "\u200b", "BOM": "\ufeff" + code,
		"full-width": shift('０'), "Arabic-Indic": shift('٠'), "Devanagari": shift('०'), "last full-width": code[:len(code)-1] + "３",
		"plus": "+" + code, "minus": "-" + code, "plus in place": "+" + code[1:], "zero more": "0" + code,
		"one less": code[:len(code)-1], "NUL": code + "\x00", "NUL in place": code[:len(code)-1] + "\x00",
		"space in place": code[:len(code)-1] + " ", "space inside": code[:3] + " " + code[3:], "dash inside": code[:3] + "-" + code[3:],
		"underscore": code[:3] + "_" + code[3:], "percent once": "%3" + code[:1] + code[1:], "percent twice": url.QueryEscape(url.QueryEscape(" " + code)),
		"hex": "0x" + code, "twice": code + code, "empty": "", "invalid UTF-8": code[:len(code)-1] + "\xff",
	}
}

func acceptedSpellings(code string, match func(string) bool) (accepted []string) {
	for name, s := range spellings(code) {
		if match(s) {
			accepted = append(accepted, name)
		}
	}
	slices.Sort(accepted)
	return accepted
}

func TestOneSpelling(t *testing.T) {
	t.Parallel()
	c := Config{Alg: SHA1, Digits: 6, Period: 30, Skew: 1}
	seed, now := digitSeed(20), time.Unix(1111111111, 0)
	code := oracleCode(c, seed, c.Step(now))
	wantCount(t, len(spellings(code)), 29)

	match := func(s string) bool {
		_, ok, err := c.Match(seed, s, now, -1)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		return ok
	}
	if !match(code) {
		t.Fatal("the code itself was refused")
	}
	if got := acceptedSpellings(code, match); len(got) != 0 {
		t.Errorf("accepted: %q", got)
	}
	// The table must be able to catch something: the library alone accepts every
	// spelling that white space makes.
	got := acceptedSpellings(code, func(s string) bool { return twin(c, seed, s, now) })
	if want := []string{"CRLF", "leading space", "newline", "no-break space", "tab", "trailing space"}; !slices.Equal(got, want) {
		t.Errorf("the trimming twin accepted %q, want %q", got, want)
	}
	for name, s := range spellings(code) {
		if WellFormed(s, 6) {
			t.Errorf("%s: WellFormed(%q, 6)", name, s)
		}
	}
	for b := range 256 {
		if got, want := WellFormed("12345"+string([]byte{byte(b)}), 6), b >= '0' && b <= '9'; got != want {
			t.Errorf("WellFormed with byte %#x: %v", b, got)
		}
	}
	if WellFormed("", 0) || WellFormed("", -1) || !WellFormed("000", 3) {
		t.Error("WellFormed: wrong about the edges")
	}
}

func TestConfigRanges(t *testing.T) {
	t.Parallel()
	good := Config{Alg: SHA1, Digits: 6, Period: 30, Skew: 1}
	change := func(f func(*Config)) Config { c := good; f(&c); return c }
	valid, invalid := []Config{good}, []Config{{}}
	for d := -1; d <= 10; d++ {
		c := change(func(c *Config) { c.Digits = d })
		if d >= 3 && d <= 8 {
			valid = append(valid, c)
		} else {
			invalid = append(invalid, c)
		}
	}
	for _, p := range []int{20, 60} {
		valid = append(valid, change(func(c *Config) { c.Period = p }))
	}
	for _, p := range []int{-30, 0, 19, 61, math.MaxInt} {
		invalid = append(invalid, change(func(c *Config) { c.Period = p }))
	}
	for _, s := range []int{0, 2} {
		valid = append(valid, change(func(c *Config) { c.Skew = s }))
	}
	for _, s := range []int{-1, 3, math.MaxInt} {
		invalid = append(invalid, change(func(c *Config) { c.Skew = s }))
	}
	for _, a := range []Algorithm{"", "SHA1", "md5", "sha-1", "sha1 "} {
		invalid = append(invalid, change(func(c *Config) { c.Alg = a }))
	}
	for _, c := range valid {
		if err := c.Check(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range invalid {
		_, codeErr := c.Code(digitSeed(20), 1)
		_, ok, matchErr := c.Match(digitSeed(20), "000000", time.Unix(0, 0), -1)
		for _, err := range []error{c.Check(), codeErr, matchErr} {
			if !errors.Is(err, ErrConfig) || ok {
				t.Errorf("%+v: %v, %v; want ErrConfig", c, ok, err)
			}
		}
	}
	for _, n := range []int{0, 15, 65} {
		_, codeErr := good.Code(make([]byte, n), 1)
		_, _, matchErr := good.Match(make([]byte, n), "000000", time.Unix(0, 0), -1)
		if !errors.Is(codeErr, ErrSecret) || !errors.Is(matchErr, ErrSecret) {
			t.Errorf("seed of %d bytes: %v, %v; want ErrSecret", n, codeErr, matchErr)
		}
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	// Skew 0, 1, 2 for each length; capped at 100, never below 1.
	want := map[int][3]int{8: {100, 100, 100}, 7: {100, 100, 100}, 6: {100, 100, 100}, 5: {100, 33, 20}, 4: {10, 3, 2}, 3: {1, 1, 1}}
	for _, digits := range slices.Sorted(maps.Keys(want)) {
		for skew := range 3 {
			c := Config{Alg: SHA1, Digits: digits, Period: 30, Skew: skew}
			if got := c.Budget(100); got != want[digits][skew] {
				t.Errorf("%d digits, skew %d: %d, want %d", digits, skew, got, want[digits][skew])
			}
			if got := c.Budget(1); got != 1 {
				t.Errorf("%d digits, skew %d, at most 1: %d", digits, skew, got)
			}
		}
	}
	if got := (Config{Digits: 6, Skew: 1}).Budget(1000); got != 333 {
		t.Errorf("uncapped: %d, want 333", got)
	}
}

// seededRand returns a source whose seed is in the log, to repeat a failure.
func seededRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func BenchmarkMatch(b *testing.B) {
	seed, now := digitSeed(20), time.Unix(1111111111, 0)
	c := Config{Alg: SHA1, Digits: 6, Period: 30, Skew: 1}
	// The library returns at the first hit, the current step being its first;
	// Match always computes all three. A miss costs both the same.
	for name, code := range map[string]string{"hit": "050471", "miss": "000000"} {
		b.Run("ours/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := c.Match(seed, code, now, -1); err != nil || ok != (name == "hit") {
					b.Fatal(ok, err)
				}
			}
		})
		b.Run("pquerna/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if twin(c, seed, code, now) != (name == "hit") {
					b.Fatal(name)
				}
			}
		})
	}
}
