package sid_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
)

// chance is a reproducible source; its seed is printed.
func chance(t *testing.T) io.Reader {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

// zeros is the chance that always comes out lowest, ones the one that comes out
// highest.
type (
	zeros struct{}
	ones  struct{}
)

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0xff
	}
	return len(p), nil
}

func mustNew(t *testing.T, g *sid.Generator, now time.Time) sid.SID {
	t.Helper()
	id, err := g.New(now)
	if err != nil {
		t.Fatal(err)
	}
	if id.Key < 0 {
		t.Fatalf("negative key %d", id.Key)
	}
	return id
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id   sid.SID
		text string
	}{
		{sid.SID{}, "VA00000000000000000000000000000000"},
		{sid.SID{Key: 1, Tail: 2}, "VA00000000000000010000000000000002"},
		{sid.SID{Key: math.MaxInt64, Tail: -1}, "VA7fffffffffffffffffffffffffffffff"},
		{sid.SID{Key: 0x0123456789abcdef, Tail: math.MinInt64}, "VA0123456789abcdef8000000000000000"},
	} {
		if got := c.id.String("VA"); got != c.text {
			t.Errorf("%+v prints as %q, want %q", c.id, got, c.text)
		}
		if got, ok := sid.Parse("VA", c.text); !ok || got != c.id {
			t.Errorf("%q reads as %+v (%t), want %+v", c.text, got, ok, c.id)
		}
		if raw := c.id.Bytes(); hex.EncodeToString(raw[:]) != c.text[2:] {
			t.Errorf("%+v has the bytes %x, want %s", c.id, raw, c.text[2:])
		}
	}
}

// A SID has one spelling (HTTP-3).
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const good = "VA19b796dd6006d362f0677fb8639b82e9"
	if _, ok := sid.Parse("VA", good); !ok {
		t.Fatalf("%q is refused", good)
	}
	for _, text := range []string{
		"", "VA", good[2:], good[:33], good + "0", good + "\n", " " + good, good[:33] + " ", good[:33] + "g", good[:33] + "\x00",
		strings.ToUpper(good), "va" + good[2:], "Va" + good[2:], "YE" + good[2:], "AC" + good[2:],
		"VA" + strings.ToUpper(good[2:]), "VA8" + good[3:], "VAf" + good[3:], // a key is never negative
		"VA+9b796dd6006d362f0677fb8639b82e9", "VA0x" + good[4:], "VA" + strings.Repeat("é", 16), strings.Repeat("V", 1<<20),
	} {
		if got, ok := sid.Parse("VA", text); ok {
			t.Errorf("%.40q reads as %+v (%t)", text, got, ok)
		}
	}
	if _, ok := sid.Parse("YF", good); ok {
		t.Error("a SID of another kind is taken")
	}
}

func TestKeysTellTheTime(t *testing.T) {
	t.Parallel()
	g := sid.NewGenerator(chance(t))
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range 1000 {
		at := start.Add(time.Duration(i) * 7 * time.Millisecond)
		id := mustNew(t, g, at)
		if id.Key < sid.KeyAt(at) || id.Key >= sid.KeyAt(at.Add(time.Millisecond)) {
			t.Fatalf("the key of %v is %d, outside %d to %d", at, id.Key, sid.KeyAt(at), sid.KeyAt(at.Add(time.Millisecond)))
		}
	}
	for _, c := range []struct {
		at   time.Time
		want int64
	}{
		{time.Time{}, 0}, {time.Unix(-1, 0), 0}, {time.Unix(0, 0), 0}, {time.UnixMilli(1), 1 << 20}, {time.UnixMicro(1999), 1 << 20},
		{time.UnixMilli(1<<43 - 1), (1<<43 - 1) << 20}, {time.UnixMilli(1 << 43), (1<<43 - 1) << 20},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), (1<<43 - 1) << 20},
	} {
		if got := sid.KeyAt(c.at); got != c.want {
			t.Errorf("KeyAt(%v) = %d, want %d", c.at, got, c.want)
		}
	}
}

// More SIDs in one millisecond than the sequence has room for run into the next.
func TestKeysAscendInOneMillisecond(t *testing.T) {
	t.Parallel()
	const many = 1<<20 + 1000
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, random := range map[string]io.Reader{"zeros": zeros{}, "ones": ones{}} {
		g := sid.NewGenerator(random)
		last := int64(-1)
		for range many {
			id := mustNew(t, g, now)
			if id.Key <= last {
				t.Fatalf("%s: key %d after %d", name, id.Key, last)
			}
			last = id.Key
		}
		if last >= sid.KeyAt(now.Add(3*time.Millisecond)) {
			t.Errorf("%s: %d SIDs ran %d keys past their millisecond", name, many, last-sid.KeyAt(now))
		}
	}
}

// Within a second the keys go on ascending; beyond it a corrected clock is
// believed, for keys also say how old a record is.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		back    time.Duration
		ascends bool
	}{
		{time.Millisecond, true}, {500 * time.Millisecond, true}, {998 * time.Millisecond, true},
		{1002 * time.Millisecond, false}, {time.Hour, false}, {20 * 365 * 24 * time.Hour, false},
	} {
		g := sid.NewGenerator(chance(t))
		before, after := mustNew(t, g, now), mustNew(t, g, now.Add(-c.back))
		if (after.Key > before.Key) != c.ascends {
			t.Errorf("%v back: key %d after %d, ascending: %t", c.back, after.Key, before.Key, !c.ascends)
		}
		if !c.ascends && (after.Key < sid.KeyAt(now.Add(-c.back)) || after.Key >= sid.KeyAt(now.Add(time.Millisecond-c.back))) {
			t.Errorf("%v back: key %d does not tell the time", c.back, after.Key)
		}
		if next := mustNew(t, g, now.Add(-c.back)); next.Key == after.Key || next.Key == before.Key {
			t.Errorf("%v back: a key comes twice", c.back)
		}
	}
}

// At the end of what a key can tell, in 2248, every record is as old as the next.
// Keys must not run over into negative ones, which no SID can have.
func TestEndOfTime(t *testing.T) {
	t.Parallel()
	g := sid.NewGenerator(ones{})
	seen := make(map[int64]bool)
	for i := range 1<<19 + 10 {
		id, err := g.New(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			return // refusing is fine
		}
		if id.Key < 0 {
			t.Fatalf("SID %d has the negative key %d", i, id.Key)
		}
		if seen[id.Key] {
			return // so is a key that the store refuses
		}
		seen[id.Key] = true
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 12_500
	var mu sync.Mutex
	random := chance(t)
	g := sid.NewGenerator(readerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return random.Read(p)
	}))
	all := make([][]sid.SID, goroutines)
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for n := range each {
				id, err := g.New(time.UnixMilli(int64(1e12) + int64(n/100)))
				if err != nil {
					t.Error(err)
					return
				}
				all[i] = append(all[i], id)
			}
		})
	}
	wg.Wait()
	keys, tails := make(map[int64]bool), make(map[int64]bool)
	for _, ids := range all {
		if !slices.IsSortedFunc(ids, func(a, b sid.SID) int { return int(a.Key - b.Key) }) {
			t.Error("a goroutine saw its keys descend")
		}
		for _, id := range ids {
			keys[id.Key], tails[id.Tail] = true, true
		}
	}
	if len(keys) != goroutines*each || len(tails) != goroutines*each {
		t.Errorf("%d keys and %d tails, want %d of each", len(keys), len(tails), goroutines*each)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TOTP-7: poor randomness is an error, never a SID.
func TestRandomnessFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		random io.Reader
		want   error
	}{
		"broken": {iotest.ErrReader(broken), broken}, "empty": {bytes.NewReader(nil), io.EOF},
		"short": {bytes.NewReader(make([]byte, 11)), io.ErrUnexpectedEOF},
	} {
		id, err := sid.NewGenerator(c.random).New(time.Unix(0, 0))
		if !errors.Is(err, c.want) || id != (sid.SID{}) {
			t.Errorf("%s: %+v, %v; want %v", name, id, err, c.want)
		}
	}
	if _, err := sid.NewGenerator(iotest.OneByteReader(chance(t))).New(time.Unix(0, 0)); err != nil {
		t.Errorf("a reader of single bytes: %v", err)
	}
}

// Whatever is accepted prints as it was read.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "VA", "VA19b796dd6006d362f0677fb8639b82e9", "VAF9b796dd6006d362f0677fb8639b82e9", "YF00000000000000000000000000000000"} {
		f.Add("VA", text)
	}
	f.Fuzz(func(t *testing.T, prefix, text string) {
		id, ok := sid.Parse(prefix, text)
		if !ok {
			return
		}
		if got := id.String(prefix); got != text {
			t.Errorf("%q reads as %+v, which prints as %q", text, id, got)
		}
		if id.Key < 0 || len(text) != 34 {
			t.Errorf("%q reads as %+v", text, id)
		}
	})
}

// Two processes whose clocks agree may run through the same keys. Who jumps leaves
// the other's run, and its own keys go on ascending.
func TestJump(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	far := 0
	for range 100 {
		g := sid.NewGenerator(chance(t))
		before := mustNew(t, g, now)
		if err := g.Jump(); err != nil {
			t.Fatal(err)
		}
		after := mustNew(t, g, now)
		if after.Key <= before.Key {
			t.Fatalf("key %d after %d", after.Key, before.Key)
		}
		if after.Key-before.Key > 500 {
			far++
		}
	}
	if far < 90 {
		t.Errorf("%d of 100 jumps left a run of 500 keys, want nearly all", far)
	}
}
