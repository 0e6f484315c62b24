package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"testing"
)

// material is a key's bytes for a test: n, n+1, n+2, …
func material(n byte) []byte {
	b := make([]byte, materialSize)
	for i := range b {
		b[i] = n + byte(i)
	}
	return b
}

func testKey(t testing.TB, id uint32, n byte) Key {
	t.Helper()
	k, err := NewKey(id, material(n))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testRing(t testing.TB, keys ...Key) *Keyring {
	t.Helper()
	r, err := NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 24, 31, 33, 64} {
		if k, err := NewKey(1, make([]byte, n)); !errors.Is(err, ErrKey) || k != (Key{}) {
			t.Errorf("%d bytes: %v, %v", n, k, err)
		}
	}
	if k, err := NewKey(0, material(1)); !errors.Is(err, ErrKey) || k != (Key{}) {
		t.Errorf("id 0: %v, %v", k, err)
	}
	if _, err := NewKey(math.MaxUint32, material(1)); err != nil {
		t.Error(err)
	}
	// The caller may wipe what it passed.
	m := material(1)
	k, err := NewKey(1, m)
	if err != nil {
		t.Fatal(err)
	}
	clear(m)
	envelope := testRing(t, testKey(t, 1, 1)).Seal(Place{}, []byte("x"))
	if _, err := testRing(t, k).Open(Place{}, envelope); err != nil {
		t.Errorf("the key changed with the caller's slice: %v", err)
	}
}

func TestNewKeyring(t *testing.T) {
	t.Parallel()
	a, b, c := testKey(t, 7, 1), testKey(t, 2, 2), testKey(t, 9, 3)
	for name, keys := range map[string][]Key{
		"none": nil, "zero Key": {a, {}}, "same id": {a, b, testKey(t, 7, 9)}, "same key": {a, b, testKey(t, 8, 1)}, "twice": {a, a},
	} {
		if r, err := NewKeyring(keys...); !errors.Is(err, ErrKey) || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	r := testRing(t, a, c, b)
	if r.Newest() != 2 || !slices.Equal(r.IDs(), []uint32{7, 9, 2}) {
		t.Errorf("newest %d of %v, want 2 of [7 9 2]", r.Newest(), r.IDs())
	}
	r.IDs()[0] = 1
	if !r.Has(7) || !r.Has(9) || !r.Has(2) || r.Has(0) || r.Has(1) || r.Has(3) {
		t.Error("Has is wrong")
	}
	if r := NewRandomKeyring(); r.Newest() != 1 {
		t.Errorf("random ring: %v", r)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	r := testRing(t, testKey(t, 7, 1), testKey(t, 2, 2))
	one, err1 := r.Fingerprint(7)
	two, err2 := r.Fingerprint(2)
	if err1 != nil || err2 != nil || len(one) != FingerprintSize || bytes.Equal(one, two) {
		t.Fatalf("%x, %v; %x, %v", one, err1, two, err2)
	}
	// Stored in databases, so it must never change. This value, and those of
	// TestFormat and TestMAC, were computed by another implementation (OpenSSL's).
	if want := "bb628a2ba7b30669db2d72b8da64389b"; hex.EncodeToString(one) != want {
		t.Errorf("fingerprint %x, want %s", one, want)
	}
	clear(one)
	if again, _ := r.Fingerprint(7); bytes.Equal(again, one) {
		t.Error("the fingerprint changed with the caller's slice")
	}
	if f, err := r.Fingerprint(3); !errors.Is(err, ErrUnknownKey) || f != nil {
		t.Errorf("unknown: %x, %v", f, err)
	}
	a, _ := NewRandomKeyring().Fingerprint(1)
	b, _ := NewRandomKeyring().Fingerprint(1)
	if bytes.Equal(a, b) {
		t.Error("two random rings have the same key")
	}
}

// manual builds an envelope from the description of the format alone, with a
// nonce of its choice.
func manual(t testing.TB, id uint32, m, nonce []byte, p Place, plaintext []byte) []byte {
	t.Helper()
	sealKey, err := hkdf.Key(sha256.New, m, nil, "verify key 1: seal", 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(sealKey)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	prefix := binary.BigEndian.AppendUint32([]byte{1}, id)
	var data []byte
	for _, part := range []string{string(prefix), p.Table, p.Column, string(p.Row[:])} {
		data = append(data, 0, 0, 0, 0, 0, 0, 0, byte(len(part)))
		data = append(data, part...)
	}
	return gcm.Seal(append(prefix, nonce...), nonce, plaintext, data)
}

// The stored format: an envelope made elsewhere opens, and stays what it is.
func TestFormat(t *testing.T) {
	t.Parallel()
	p := Place{Table: "factors", Column: "seed", Row: [16]byte{1, 2, 3, 15: 16}}
	envelope := manual(t, 7, material(1), []byte("twelve bytes"), p, []byte("12345678901234567890"))
	if want := "01000000077477656c766520627974657346cc1ca65bd73aa266f1c9c1581207c1c9ac4b5d474d18f6a2d2e509dd15cefde216ffb2"; hex.EncodeToString(envelope) != want {
		t.Errorf("envelope %x, want %s", envelope, want)
	}
	got, err := testRing(t, testKey(t, 7, 1), testKey(t, 8, 2)).Open(p, envelope)
	if err != nil || string(got) != "12345678901234567890" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestMAC(t *testing.T) {
	t.Parallel()
	key := material(1)
	inputs := [][]string{
		{"l"}, {"l", ""}, {"l", "", ""}, {"", "l"}, {"l", "ab", "c"}, {"l", "a", "bc"}, {"l", "abc"}, {"l", "", "abc"}, {"l", "abc", ""},
		{"la", "bc"}, {"", "labc"}, {"labc"}, {"l", "a", "b", "c"},
		{"l", "a\x00\x00\x00\x00\x00\x00\x00\x01b"}, {"l", "a", "b"},
	}
	seen := make(map[string][]string)
	for _, in := range inputs {
		var parts [][]byte
		for _, s := range in[1:] {
			parts = append(parts, []byte(s))
		}
		sum := MAC(key, in[0], parts...)
		if len(sum) != 32 {
			t.Fatalf("%d bytes", len(sum))
		}
		if other, ok := seen[string(sum)]; ok {
			t.Errorf("%q and %q have the same MAC", in, other)
		}
		seen[string(sum)] = in
		if bytes.Equal(sum, MAC(material(2), in[0], parts...)) {
			t.Errorf("%q: the key makes no difference", in)
		}
	}
	if len(seen) != 15 {
		t.Errorf("%d inputs, want 15", len(seen))
	}
	if want := "017b13c99a9067bf291b32d58c9937b617cf4bc094f7aa390af4b1d55d18bf0d"; hex.EncodeToString(MAC(key, "label", []byte("ab"), []byte("c"))) != want {
		t.Errorf("MAC %x, want %s", MAC(key, "label", []byte("ab"), []byte("c")), want)
	}
}
