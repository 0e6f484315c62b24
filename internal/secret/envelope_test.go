package secret

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

var here = Place{Table: "factors", Column: "seed", Row: [16]byte{1, 2, 3}}

func TestSealOpen(t *testing.T) {
	t.Parallel()
	old, newer := testKey(t, 7, 1), testKey(t, 2, 2)
	before, after := testRing(t, old), testRing(t, old, newer)
	for _, size := range []int{0, 1, 15, 16, 17, 20, 64, 4096} {
		plaintext := bytes.Repeat([]byte{0xa5}, size)
		for _, r := range []*Keyring{before, after} {
			envelope := r.Seal(here, plaintext)
			if len(envelope) != size+Overhead {
				t.Errorf("envelope of %d bytes for %d, want %d more", len(envelope), size, Overhead)
			}
			if id, err := KeyID(envelope); err != nil || id != r.Newest() {
				t.Errorf("sealed under %d, %v; want the newest, %d", id, err, r.Newest())
			}
			if size > 8 && bytes.Contains(envelope, plaintext[:8]) {
				t.Error("the plaintext is in the envelope")
			}
			kept := bytes.Clone(envelope)
			got, err := after.Open(here, envelope)
			if err != nil || got == nil || !bytes.Equal(got, plaintext) {
				t.Errorf("%d bytes: %x, %v", size, got, err)
			}
			if !bytes.Equal(envelope, kept) || bytes.Count(plaintext, []byte{0xa5}) != size {
				t.Error("an argument was changed")
			}
		}
	}
	// A ring without the key says so, and not that the value is damaged.
	envelope := after.Seal(here, []byte("x"))
	if got, err := before.Open(here, envelope); !errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrTampered) || got != nil {
		t.Errorf("unknown key: %q, %v", got, err)
	}
	// Another key under the same id.
	if got, err := testRing(t, testKey(t, 2, 9)).Open(here, envelope); !errors.Is(err, ErrTampered) || got != nil {
		t.Errorf("wrong key: %q, %v", got, err)
	}
}

// A value opens nowhere but at its place.
func TestPlaceIsBound(t *testing.T) {
	t.Parallel()
	r := NewRandomKeyring()
	row, other := [16]byte{1}, [16]byte{15: 1}
	places := []Place{
		{"factors", "seed", row}, {"factors", "seed", other}, {"factors", "code", row}, {"challenges", "seed", row},
		{"factor", "sseed", row}, {"factorss", "eed", row}, {"", "factorsseed", row}, {"factorsseed", "", row}, {"seed", "factors", row}, {"Factors", "seed", row},
		{"factors", "seed", [16]byte{}}, {"factors\x00", "seed", row}, {},
	}
	if len(places) != 13 {
		t.Fatalf("%d places", len(places))
	}
	for i, from := range places {
		envelope := r.Seal(from, []byte("12345678901234567890"))
		for j, to := range places {
			got, err := r.Open(to, envelope)
			if i == j {
				if err != nil {
					t.Errorf("%+v: %v", to, err)
				}
			} else if !errors.Is(err, ErrTampered) || got != nil {
				t.Errorf("sealed at %+v, opened at %+v: %q, %v", from, to, got, err)
			}
		}
	}
}

// Every change to every byte, every cut and every addition is an error.
func TestTampering(t *testing.T) {
	t.Parallel()
	r := testRing(t, testKey(t, 1, 1), testKey(t, 3, 2), testKey(t, 2, 3))
	envelope := r.Seal(here, []byte("12345678901234567890"))
	refused := func(what string, changed []byte) {
		t.Helper()
		got, err := r.Open(here, changed)
		if !errors.Is(err, ErrTampered) && !errors.Is(err, ErrUnknownKey) || got != nil {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		// Only a changed id can look like a missing key.
		if errors.Is(err, ErrUnknownKey) && bytes.Equal(changed[1:5], envelope[1:5]) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range envelope {
		for bit := range 8 {
			changed := bytes.Clone(envelope)
			changed[i] ^= 1 << bit
			refused(fmt.Sprintf("byte %d, bit %d", i, bit), changed)
		}
		refused(fmt.Sprintf("cut to %d", i), envelope[:i])
	}
	refused("nil", nil)
	refused("a byte more", append(bytes.Clone(envelope), 0))
	refused("a byte before", append([]byte{1}, envelope...))
	refused("zeros", make([]byte, 100))
	refused("twice", append(bytes.Clone(envelope), envelope...))
	// The tag of one, the text of another.
	other := r.Seal(here, []byte("09876543210987654321"))
	refused("mixed", append(bytes.Clone(envelope[:len(envelope)-16]), other[len(other)-16:]...))

	for _, bad := range [][]byte{nil, {1}, envelope[:minEnvelope-1], append([]byte{2}, envelope[1:]...)} {
		if id, err := KeyID(bad); !errors.Is(err, ErrTampered) || id != 0 {
			t.Errorf("KeyID(%x) = %d, %v", bad, id, err)
		}
	}
}

func TestNoncesDiffer(t *testing.T) {
	t.Parallel()
	r := NewRandomKeyring()
	seen := make(map[[12]byte]bool)
	for range 100_000 {
		nonce := [12]byte(r.Seal(here, nil)[prefixSize:])
		if seen[nonce] {
			t.Fatalf("nonce %x came twice", nonce)
		}
		seen[nonce] = true
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := testRing(t, testKey(t, 1, 1), testKey(t, 2, 2))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			plaintext := []byte(strings.Repeat(fmt.Sprint(g), 20))
			for range 200 {
				got, err := r.Open(here, r.Seal(here, plaintext))
				if err != nil || !bytes.Equal(got, plaintext) {
					t.Errorf("%q, %v", got, err)
					return
				}
				_, _ = r.Fingerprint(2)
			}
		})
	}
	wg.Wait()
}

func FuzzOpen(f *testing.F) {
	r := testRing(f, testKey(f, 1, 1), testKey(f, 2, 2))
	// Not from Seal: each fuzzing process would have another one.
	genuine := manual(f, 2, material(2), []byte("twelve bytes"), here, []byte("12345678901234567890"))
	f.Add(genuine)
	f.Add(genuine[:minEnvelope])
	f.Add([]byte{1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, envelope []byte) {
		got, err := r.Open(here, envelope)
		if bytes.Equal(envelope, genuine) {
			if err != nil || string(got) != "12345678901234567890" {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		if err == nil || got != nil || !errors.Is(err, ErrTampered) && !errors.Is(err, ErrUnknownKey) {
			t.Fatalf("%x: %q, %v", envelope, got, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r, seed := NewRandomKeyring(), make([]byte, 20)
	b.ReportAllocs()
	for b.Loop() {
		r.Seal(here, seed)
	}
}

func BenchmarkOpen(b *testing.B) {
	r := NewRandomKeyring()
	envelope := r.Seal(here, make([]byte, 20))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Open(here, envelope); err != nil {
			b.Fatal(err)
		}
	}
}
