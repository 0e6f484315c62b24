// Package secret seals what a database must not reveal when it is stolen.
//
// A Keyring holds the keys, which live outside the database; Seal and Open bind
// every ciphertext to its key and to the table, column and row it was written
// for. The cipher is AES-256-GCM with random nonces, the subkeys come from
// HKDF-SHA-256, both from the standard library.
//
// Keys never leave this package: what holds one prints as a mask, and no error
// quotes a key, a line of a key file or a plaintext.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// materialSize is the length of a key's material in bytes, that of an AES-256
// key.
const materialSize = 32

// FingerprintSize is the length of a key's fingerprint in bytes.
const FingerprintSize = 16

// Labels that keep the subkeys of one key apart (the info of RFC 5869 section
// 3.2). They are part of the stored format: changing one makes every database
// unreadable.
const (
	labelSeal        = "verify key 1: seal"
	labelFingerprint = "verify key 1: fingerprint"
)

// ErrKey is matched by every error about a key, a keyring or its text that is
// not as it must be.
var ErrKey = errors.New("secret: invalid key")

// Key is one key with its id. The zero Key is not usable; NewKey makes one. A
// Key may be copied, and used by several goroutines.
type Key struct {
	// A pointer, and not only for the copying: where fmt ignores methods (verb
	// %p, a field that is not exported) it walks through structs, but prints the
	// address of a pointer.
	k *key
}

// key holds what was derived from the material, never the material itself.
type key struct {
	id          uint32
	aead        cipher.AEAD
	fingerprint [FingerprintSize]byte
}

// NewKey makes a key from an id of at least 1 and 32 bytes of material, which
// must come from a cryptographic source of randomness. NewKey keeps no reference
// to material; the caller may wipe it. Errors match ErrKey.
func NewKey(id uint32, material []byte) (Key, error) {
	if id == 0 {
		return Key{}, fmt.Errorf("%w: id 0, want at least 1", ErrKey)
	}
	if len(material) != materialSize {
		return Key{}, fmt.Errorf("%w: %d bytes of material, want %d", ErrKey, len(material), materialSize)
	}
	// The material itself is never used with a cipher or a MAC: two uses of one
	// key are safe only if it can be shown that they do not meet. No salt is
	// needed, for the material is uniform already (RFC 5869 section 3.1).
	sealKey, err := hkdf.Key(sha256.New, material, nil, labelSeal, 32)
	if err != nil {
		return Key{}, fmt.Errorf("%w: deriving: %w", ErrKey, err)
	}
	fingerprintKey, err := hkdf.Key(sha256.New, material, nil, labelFingerprint, 32)
	if err != nil {
		return Key{}, fmt.Errorf("%w: deriving: %w", ErrKey, err)
	}
	block, err := aes.NewCipher(sealKey)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	// The nonces come from the runtime's own generator and cannot be injected. A
	// repeated nonce under one key gives away the difference of two plaintexts
	// and lets anyone forge (NIST SP 800-38D appendix A), and a reader handed in
	// for the sake of a test could repeat.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k := &key{id: id, aead: aead}
	copy(k.fingerprint[:], MAC(fingerprintKey, labelFingerprint))
	return Key{k}, nil
}

// randomMaterial is fresh material for a key. crypto/rand never fails: it ends
// the process instead.
func randomMaterial() []byte {
	material := make([]byte, materialSize)
	rand.Read(material)
	return material
}
