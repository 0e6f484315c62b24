package totp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestNewSeed(t *testing.T) {
	t.Parallel()
	for alg, want := range map[Algorithm]int{SHA1: 20, SHA256: 32, SHA512: 64} {
		source := bytes.Repeat([]byte{7, 1, 9}, 40)
		seed, err := NewSeed(iotest.OneByteReader(bytes.NewReader(source)), alg)
		if err != nil || !bytes.Equal(seed, source[:want]) {
			t.Errorf("%s: %x, %v; want the source's first %d bytes", alg, seed, err, want)
		}
		// One byte too few.
		seed, err = NewSeed(bytes.NewReader(source[:want-1]), alg)
		if !errors.Is(err, io.ErrUnexpectedEOF) || seed != nil {
			t.Errorf("%s, short source: %x, %v", alg, seed, err)
		}
		broken := errors.New("no entropy")
		seed, err = NewSeed(iotest.ErrReader(broken), alg)
		if !errors.Is(err, broken) || seed != nil {
			t.Errorf("%s, failing source: %x, %v", alg, seed, err)
		}
		seed, err = NewSeed(io.MultiReader(bytes.NewReader(source[:want-1]), iotest.ErrReader(broken)), alg)
		if !errors.Is(err, broken) || seed != nil {
			t.Errorf("%s, source that fails late: %x, %v", alg, seed, err)
		}
	}
	if seed, err := NewSeed(rand.Reader, "md5"); !errors.Is(err, ErrConfig) || seed != nil {
		t.Errorf("md5: %x, %v", seed, err)
	}
}

func TestSeedsDiffer(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for range 10000 {
		seed, err := NewSeed(rand.Reader, SHA1)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(seed)] {
			t.Fatalf("a seed came twice")
		}
		seen[string(seed)] = true
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	const (
		s20 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		s32 = s20 + "GEZDGNBVGY3TQOJQGEZA"
		s64 = s20 + s20 + s20 + "GEZDGNA"
	)
	good := map[string]int{s20: 20, s32: 32, s32 + "====": 32, s64: 64, s64 + "=": 64, strings.Repeat("A", 26): 16, strings.Repeat("A", 26) + "======": 16}
	for s, n := range good {
		seed, err := ParseSecret(s)
		if err != nil || !bytes.Equal(seed, digitSeed(n)) && !bytes.Equal(seed, make([]byte, n)) {
			t.Errorf("%q: %x, %v", s, seed, err)
		}
	}
	bad := map[string]string{
		"empty": "", "only padding": "========", "too short": "AAAA", "15 bytes": strings.Repeat("A", 24),
		"65 bytes": strings.Repeat("A", 104), "huge": strings.Repeat("A", 1<<20),
		"lower case": strings.ToLower(s20), "one lower case": "g" + s20[1:],
		"space first": " " + s20, "space last": s20 + " ", "spaces": "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
		"newline last": s20 + "\n", "newline inside": s20[:8] + "\n" + s20[8:], "carriage return": s20[:8] + "\r" + s20[8:],
		"newline before padding": s32 + "\n====", "newline in padding": s32 + "==\n==",
		"0": "0" + s20[1:], "1": "1" + s20[1:], "8": "8" + s20[1:], "9": "9" + s20[1:], "dash": s20[:16] + "-" + s20[16:],
		"full-width": "Ａ" + s20[1:], "Kelvin sign": "\u212a" + s20[1:], "NUL": s20 + "\x00",
		"needless padding": s20 + "=", "a block of padding": s20 + "========", "short padding": s32 + "===", "long padding": s32 + "=====",
		"padding and a block": s32 + "====" + "========", "padding inside": s20[:16] + "====" + s20[16:],
		// 28 characters carry 140 bits, 17 bytes are 136: four bits must be zero.
		"trailing bits": strings.Repeat("A", 27) + "B", "trailing bits, 16 bytes": strings.Repeat("A", 25) + "B",
		"trailing bits, padded": strings.Repeat("A", 25) + "B======",
		// Lengths that no whole number of bytes has.
		"33 characters": s20 + "A", "35 characters": s20 + "AAA", "38 characters": s20 + "AAAAAA", "33 padded": s20 + "A=======",
	}
	wantCount(t, len(good)+len(bad), 7+37)
	for name, s := range bad {
		seed, err := ParseSecret(s)
		if !errors.Is(err, ErrSecret) || seed != nil {
			t.Errorf("%s: %x, %v; want ErrSecret", name, seed, err)
		}
		// An error goes to logs and to clients. (Only for texts long enough not
		// to be in the message by chance.)
		if len(s) > 8 && err != nil && strings.Contains(err.Error(), strings.TrimSpace(s)[:8]) {
			t.Errorf("%s: the error quotes the secret: %v", name, err)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	for _, s := range []string{"", "AAAA", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA====", strings.Repeat("A", 25) + "B", "AAAAAAAAAAAAAAAA\nAAAAAAAAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seed, err := ParseSecret(s)
		if err != nil {
			if seed != nil || !errors.Is(err, ErrSecret) {
				t.Fatalf("%q: %x with error %v", s, seed, err)
			}
			return
		}
		if len(seed) < 16 || len(seed) > 64 {
			t.Fatalf("%q: %d bytes accepted", s, len(seed))
		}
		if text := FormatSecret(seed); text != strings.TrimRight(s, "=") {
			t.Fatalf("%q accepted, but it is written %q", s, text)
		}
		if s != FormatSecret(seed) && len(s)%8 != 0 {
			t.Fatalf("%q: incomplete padding accepted", s)
		}
	})
}
