package secret

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// An envelope is
//
//	version (1 byte) | key id (4, big endian) | nonce (12) | ciphertext | tag (16)
//
// The version and the id are in clear, for they say how to open the rest, and
// are authenticated as part of the additional data.
const (
	version     = 1
	prefixSize  = 1 + 4
	minEnvelope = prefixSize + 12 + 16
)

// Overhead is how many bytes longer an envelope is than its plaintext.
const Overhead = minEnvelope

// ErrTampered is matched by the error about an envelope that was changed, cut
// short, or moved from the place it was sealed for. Never take it for absence:
// a damaged seed is not a missing one.
var ErrTampered = errors.New("secret: sealed value was tampered with or damaged")

// Place is where a sealed value is stored. A value opens only at the place it
// was sealed for: without that, whoever can write to the database could give
// one user another's seed by copying a cell.
type Place struct {
	Table, Column string
	Row           [16]byte
}

// additionalData spells out what is authenticated besides the plaintext. Every
// part is preceded by its length, so that no two places read the same.
func (p Place) additionalData(prefix []byte) []byte {
	data := make([]byte, 0, prefixSize+len(p.Table)+len(p.Column)+len(p.Row)+4*lengthSize)
	for _, part := range [][]byte{prefix, []byte(p.Table), []byte(p.Column), p.Row[:]} {
		data = appendPart(data, part)
	}
	return data
}

// Seal encrypts plaintext, which may be empty, under the newest key for one
// place. The same plaintext gives another envelope each time. The envelope
// shows the plaintext's length.
//
// With random nonces one key must not seal more than 2^32 values (NIST SP
// 800-38D section 8.3): a thousand a second for 49 days. Add a key before.
func (r *Keyring) Seal(p Place, plaintext []byte) []byte {
	return r.newest().seal(p, plaintext)
}

// SealWith is Seal under a key of the caller's choice, so that a ring may hold a
// key that is not in use yet. The error matches ErrUnknownKey if the ring does
// not hold it.
func (r *Keyring) SealWith(id uint32, p Place, plaintext []byte) ([]byte, error) {
	k := r.find(id)
	if k == nil {
		return nil, fmt.Errorf("%w: %d", ErrUnknownKey, id)
	}
	return k.seal(p, plaintext), nil
}

func (k *key) seal(p Place, plaintext []byte) []byte {
	envelope := make([]byte, prefixSize, len(plaintext)+Overhead)
	envelope[0] = version
	binary.BigEndian.PutUint32(envelope[1:], k.id)
	return k.aead.Seal(envelope, nil, plaintext, p.additionalData(envelope))
}

// Open decrypts what Seal made for the same place, under whichever key of the
// ring it names. The error matches ErrUnknownKey if that key is not in the ring,
// else ErrTampered; nothing is returned besides an error. The plaintext is never
// nil otherwise.
func (r *Keyring) Open(p Place, envelope []byte) ([]byte, error) {
	id, err := KeyID(envelope)
	if err != nil {
		return nil, err
	}
	k := r.find(id)
	if k == nil {
		return nil, fmt.Errorf("%w: %d", ErrUnknownKey, id)
	}
	prefix, sealed := envelope[:prefixSize], envelope[prefixSize:]
	plaintext, err := k.aead.Open([]byte{}, nil, sealed, p.additionalData(prefix))
	if err != nil {
		// There is one reason, and the standard library does not say it better.
		return nil, fmt.Errorf("%w: in %s.%s under key %d", ErrTampered, p.Table, p.Column, id)
	}
	return plaintext, nil
}

// KeyID returns the id of the key that an envelope says it was sealed with. Only
// Open tells whether that is true: use KeyID to find what is to be sealed anew,
// never to trust. An envelope too short or of another version is ErrTampered.
func KeyID(envelope []byte) (uint32, error) {
	if len(envelope) < minEnvelope {
		return 0, fmt.Errorf("%w: %d bytes, an envelope has at least %d", ErrTampered, len(envelope), minEnvelope)
	}
	if envelope[0] != version {
		return 0, fmt.Errorf("%w: version %d, want %d", ErrTampered, envelope[0], version)
	}
	return binary.BigEndian.Uint32(envelope[1:]), nil
}
