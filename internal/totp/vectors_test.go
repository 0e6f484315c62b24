package totp

import (
	"strings"
	"testing"
	"time"
)

// digitSeed is the RFCs' seed: the ten ASCII digits from 1, over and over.
func digitSeed(n int) []byte {
	return []byte(strings.Repeat("1234567890", n/10+1)[:n])
}

// wantCount keeps a table from losing rows without a word.
func wantCount(t *testing.T, got, want int) {
	t.Helper()
	if got != want {
		t.Fatalf("%d vectors loaded, want %d", got, want)
	}
}

func checkCode(t *testing.T, c Config, seed []byte, step int64, want string) {
	t.Helper()
	got, err := c.Code(seed, step)
	if err != nil || got != want {
		t.Errorf("%s, %d digits, step %#x: %q, %v; want %q", c.Alg, c.Digits, step, got, err, want)
	}
	// The same vector through the window: found at its own step, unspent.
	now := time.Unix(step*int64(c.Period), 0)
	if s, ok, err := c.Match(seed, want, now, step-1); err != nil || !ok || s != step {
		t.Errorf("Match(%q): %#x, %v, %v; want step %#x", want, s, ok, err, step)
	}
}

// RFC 4226 appendix D.
func TestRFC4226AppendixD(t *testing.T) {
	t.Parallel()
	codes := strings.Fields("755224 287082 359152 969429 338314 254676 287922 162583 399871 520489")
	wantCount(t, len(codes), 10)
	for counter, want := range codes {
		checkCode(t, Config{Alg: SHA1, Digits: 6, Period: 30}, digitSeed(20), int64(counter), want)
	}
}

var rfc6238Times = []int64{59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000}

// RFC 6238 appendix B, with the seeds of its erratum: each as long as the hash.
func TestRFC6238AppendixB(t *testing.T) {
	t.Parallel()
	steps := []int64{0x1, 0x23523EC, 0x23523ED, 0x273EF07, 0x3F940AA, 0x27BC86AA}
	tests := []struct {
		alg    Algorithm
		length int
		codes  string
	}{
		{SHA1, 20, "94287082 07081804 14050471 89005924 69279037 65353130"},
		{SHA256, 32, "46119246 68084774 67062674 91819424 90698825 77737706"},
		{SHA512, 64, "90693936 25091201 99943326 93441116 38618901 47863826"},
	}
	loaded := 0
	for _, tt := range tests {
		c := Config{Alg: tt.alg, Digits: 8, Period: 30}
		for i, want := range strings.Fields(tt.codes) {
			loaded++
			if step := c.Step(time.Unix(rfc6238Times[i], 0)); step != steps[i] {
				t.Errorf("Step(%d) = %#x, want %#x", rfc6238Times[i], step, steps[i])
			}
			checkCode(t, c, digitSeed(tt.length), steps[i], want)
		}
	}
	wantCount(t, loaded, 18)
}

// Derived from appendix B: shorter codes are the tails of longer ones, and a
// seed shorter than the hash is neither padded nor repeated.
func TestDerivedVectors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		alg            Algorithm
		digits, length int
		codes          string
	}{
		{SHA1, 6, 20, "287082 081804 050471 005924 279037 353130"},
		{SHA256, 6, 32, "119246 084774 062674 819424 698825 737706"},
		{SHA512, 6, 64, "693936 091201 943326 441116 618901 863826"},
		{SHA1, 7, 20, "4287082 7081804 4050471 9005924 9279037 5353130"},
		{SHA256, 8, 20, "32247374 34756375 74584430 42829826 78428693 24142410"},
		{SHA512, 8, 20, "69342147 63049338 54380122 76671578 56464532 69481994"},
		{SHA1, 3, 20, "082 804 471 924 037 130"},
	}
	loaded := 0
	for _, tt := range tests {
		c := Config{Alg: tt.alg, Digits: tt.digits, Period: 30}
		for i, want := range strings.Fields(tt.codes) {
			loaded++
			checkCode(t, c, digitSeed(tt.length), rfc6238Times[i]/30, want)
		}
	}
	wantCount(t, loaded, 42)
}

func TestLeadingZeros(t *testing.T) {
	t.Parallel()
	tests := map[int64]string{25193: "000039", 26383: "000066", 42496: "000021", 65371: "000010", 100410: "000029"}
	wantCount(t, len(tests), 5)
	for counter, want := range tests {
		checkCode(t, Config{Alg: SHA1, Digits: 6, Period: 30}, digitSeed(20), counter, want)
		// Without its zeros it is no code.
		c := Config{Alg: SHA1, Digits: 6, Period: 30}
		if _, ok, _ := c.Match(digitSeed(20), strings.TrimLeft(want, "0"), time.Unix(counter*30, 0), -1); ok {
			t.Errorf("%q accepted without its leading zeros", want)
		}
	}
}

// Counters above 2^31 and 2^32 must not wrap; the oracle is the standard
// library's HMAC.
func TestLargeCounters(t *testing.T) {
	t.Parallel()
	for _, alg := range []Algorithm{SHA1, SHA256, SHA512} {
		for _, step := range []int64{1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 52} {
			c := Config{Alg: alg, Digits: 8, Period: 30}
			checkCode(t, c, digitSeed(20), step, oracleCode(c, digitSeed(20), step))
		}
	}
}
