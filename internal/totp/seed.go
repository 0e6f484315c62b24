package totp

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a seed in bytes. RFC 4226 section 4 R6 demands 128 bits; above 512
// nothing is gained, for the longest HMAC output here is 64 bytes.
const (
	minSeed, maxSeed = 16, 64
)

// ErrSecret is matched by every error about a shared secret. Such errors name
// the reason and never quote the secret, nor a part of it.
var ErrSecret = errors.New("totp: invalid secret")

// unpadded is base32 as key URIs carry it.
var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

func checkSeed(seed []byte) error {
	if len(seed) < minSeed || len(seed) > maxSeed {
		return fmt.Errorf("%w: %d bytes, want %d to %d", ErrSecret, len(seed), minSeed, maxSeed)
	}
	return nil
}

// NewSeed reads a new seed from rand, as many bytes as the output of alg's hash
// (RFC 6238 section 5.1): 20, 32 or 64. An unknown alg is ErrConfig; a failing
// or short rand is an error that wraps rand's. There is no second try and no
// other source: a seed of poor randomness is worse than none.
func NewSeed(rand io.Reader, alg Algorithm) ([]byte, error) {
	h, ok := alg.hash()
	if !ok {
		return nil, fmt.Errorf("%w: algorithm %q is none of sha1, sha256, sha512", ErrConfig, alg)
	}
	seed := make([]byte, h.Hash().Size())
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("totp: reading randomness for a seed: %w", err)
	}
	return seed, nil
}

// ParseSecret decodes a seed of 16 to 64 bytes from base32 (RFC 4648 section 6):
// upper case only, no white space, padding either absent or complete, unused
// trailing bits zero. So a seed has two spellings, with padding and without, and
// FormatSecret gives the second. Errors match ErrSecret.
func ParseSecret(s string) ([]byte, error) {
	// Bounds the work before anything is decoded.
	if len(s) > base32.StdEncoding.EncodedLen(maxSeed) {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrSecret, maxSeed)
	}
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		// The standard decoder skips line ends. The comparison below would catch
		// them, but could not say what is wrong.
		if c := body[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return nil, fmt.Errorf("%w: character %d is not of the base32 alphabet A-Z, 2-7", ErrSecret, i+1)
		}
	}
	seed, err := unpadded.DecodeString(body)
	if err != nil {
		return nil, fmt.Errorf("%w: not base32", ErrSecret)
	}
	if err := checkSeed(seed); err != nil {
		return nil, err
	}
	if unpadded.EncodeToString(seed) != body {
		// The standard decoder drops trailing bits, and even whole characters
		// that do not make a byte. Two texts for one seed would let the same
		// secret be enrolled twice as if it were another (RFC 4648 section 3.5).
		return nil, fmt.Errorf("%w: bits or characters are left over after its last whole byte", ErrSecret)
	}
	if s != body && base32.StdEncoding.EncodeToString(seed) != s {
		return nil, fmt.Errorf("%w: wrong padding", ErrSecret)
	}
	return seed, nil
}

// FormatSecret encodes a seed in base32 without padding, the form authenticator
// apps expect.
func FormatSecret(seed []byte) string {
	return unpadded.EncodeToString(seed)
}
