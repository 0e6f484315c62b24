//go:build unix

package verify_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
)

// DUR-6: whatever byte of a file is wrong, no wrong code becomes right, nothing
// panics, and errors are those that programs know.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	for name, keepLog := range map[string]bool{"file": false, "file and log": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, random := newWreck(t, keepLog), storetest.Random(t)
			rounds, noticed, failures, letIn := storetest.Scale(t, 150), 0, 0, 0
			for range rounds {
				where := ""
				s, remove := w.afloat(t, func(suffix string, text []byte) []byte {
					if keepLog == (suffix == "-wal") || random.IntN(4) == 0 {
						where += flip(random, suffix, text)
					}
					return text
				})
				n, wrongs := s.use(t.Context())
				for _, wrong := range wrongs {
					t.Errorf("%s: %s", where, wrong)
				}
				if failures += n; n > 0 {
					noticed++
				}
				if failsOpen(s.Path) {
					letIn++
				}
				remove()
			}
			t.Logf("%d of %d flips were noticed, by %d calls; the naive twin let users in after %d", noticed, rounds, failures, letIn)
			if !storetest.Small() && (noticed == 0 || letIn == 0) {
				t.Error("the damage did none: the test tests nothing")
			}
		})
	}
}

// failsOpen is how an application decides that takes every error for "this user
// has no second factor": whether it lets anybody in without a code.
func failsOpen(path string) bool {
	raw, err := storetest.OpenRaw(path)
	if err != nil {
		return true
	}
	defer raw.Close()
	for n := range damageUsers {
		var factors int
		err := raw.QueryRow(`SELECT COUNT(*) FROM factors f JOIN entities e ON e.id = f.entity_id
			WHERE e.identity_key = ? AND f.status = 'verified'`, identityOf(n)).Scan(&factors)
		if err != nil || factors == 0 {
			return true
		}
	}
	return false
}

// flip changes bytes near one another, often one only, and most often where there
// is something.
func flip(random *rand.Rand, suffix string, text []byte) (where string) {
	at := random.IntN(len(text))
	for random.IntN(20) > 0 && text[at] == 0 {
		at = random.IntN(len(text))
	}
	for i := range 1 + random.IntN(3)*random.IntN(3) {
		k := min(at+i, len(text)-1)
		text[k] ^= byte(1 + random.IntN(255))
	}
	return fmt.Sprintf("[mfa.db%s at %d]", suffix, at)
}

// Coarser damage: a header that is none, files that end too early, pages of
// nothing.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	w := newWreck(t, false)
	size := len(w.files[""])
	cases := map[string]func(text []byte) []byte{
		"header of zeros":    func(text []byte) []byte { clear(text[:16]); return text },
		"header of another":  func(text []byte) []byte { copy(text, "PK\x03\x04"); return text },
		"page size":          func(text []byte) []byte { text[16] ^= 0xff; return text },
		"schema page":        func(text []byte) []byte { clear(text[100:4096]); return text },
		"second half zeros":  func(text []byte) []byte { clear(text[size/2:]); return text },
		"second half noise":  func(text []byte) []byte { noise(text[size/2:]); return text },
		"empty":              func(text []byte) []byte { return nil },
		"ends in the header": func(text []byte) []byte { return text[:50] },
		"ends after a page":  func(text []byte) []byte { return text[:4096] },
		"ends in a page":     func(text []byte) []byte { return text[:4096*2+1000] },
		"one page short":     func(text []byte) []byte { return text[:size-4096] },
		"one byte short":     func(text []byte) []byte { return text[:size-1] },
		"all noise":          func(text []byte) []byte { noise(text); return text },
	}
	for name, damage := range cases {
		s, remove := w.afloat(t, func(suffix string, text []byte) []byte { return damage(text) })
		failures, wrongs := s.use(t.Context())
		for _, wrong := range wrongs {
			t.Errorf("%s: %s", name, wrong)
		}
		if failures == 0 {
			t.Errorf("%s: nobody noticed", name)
		}
		remove()
	}
}

// A log that is damaged counts as far as it is whole; the index beside it is made
// anew.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	w := newWreck(t, true)
	cases := map[string]func(text []byte) []byte{
		"header of zeros":   func(text []byte) []byte { clear(text[:32]); return text },
		"magic":             func(text []byte) []byte { text[0] ^= 0xff; return text },
		"salt":              func(text []byte) []byte { text[16] ^= 0xff; return text },
		"first frame":       func(text []byte) []byte { noise(text[32 : 32+24]); return text },
		"second half noise": func(text []byte) []byte { noise(text[len(text)/2:]); return text },
		"ends in a frame":   func(text []byte) []byte { return text[:len(text)-1000] },
		"ends in header":    func(text []byte) []byte { return text[:20] },
		"all noise":         func(text []byte) []byte { noise(text); return text },
		"empty":             func(text []byte) []byte { return nil },
	}
	for name, damage := range cases {
		for _, of := range []string{"-wal", "-shm"} {
			s, remove := w.afloat(t, func(suffix string, text []byte) []byte {
				if suffix == of {
					return damage(text)
				}
				return text
			})
			_, wrongs := s.use(t.Context())
			raw, err := storetest.OpenRaw(s.Path)
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range append(wrongs, sound(t, raw)...) {
				t.Errorf("%s of mfa.db%s: %s", name, of, wrong)
			}
			raw.Close()
			remove()
		}
	}
}

func noise(text []byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range text {
		text[i] = byte(random.Uint32())
	}
}

// A header that is none is recognised for what it is.
func TestDamagedHeaderIsCorrupt(t *testing.T) {
	t.Parallel()
	w := newWreck(t, false)
	s, remove := w.afloat(t, func(_ string, text []byte) []byte { clear(text[:16]); return text })
	defer remove()
	keys, err := verify.ParseKeys(siteKeys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.Open(t.Context(), s.Path, verify.Config{Keys: keys}); !errors.Is(err, verify.ErrCorrupt) {
		t.Errorf("opened with %v", err)
	}
}
