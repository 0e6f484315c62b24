package secret

import (
	"errors"
	"fmt"
	"slices"
)

// ErrUnknownKey is matched by the error about a key id that is not in the
// Keyring: a key is missing from the key file, or the wrong file was given.
var ErrUnknownKey = errors.New("secret: unknown key id")

// Keyring is a set of keys of which the newest seals and all open. It never
// changes, so it is safe for concurrent use. The zero Keyring holds no key and
// panics when asked to seal; NewKeyring makes one.
type Keyring struct {
	keys []*key // in the order given; the last one is the newest
}

// NewKeyring makes a ring of at least one key. The last one seals. Ids must
// differ, and so must the keys: the same key under a second id is a rotation
// that changed nothing. Errors match ErrKey.
func NewKeyring(keys ...Key) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: a keyring needs at least one", ErrKey)
	}
	r := &Keyring{}
	for _, added := range keys {
		if added.k == nil {
			return nil, fmt.Errorf("%w: the zero Key", ErrKey)
		}
		for _, k := range r.keys {
			if k.id == added.k.id {
				return nil, fmt.Errorf("%w: id %d is there twice", ErrKey, k.id)
			}
			if k.fingerprint == added.k.fingerprint {
				return nil, fmt.Errorf("%w: ids %d and %d are the same key", ErrKey, k.id, added.k.id)
			}
		}
		r.keys = append(r.keys, added.k)
	}
	return r, nil
}

// NewRandomKeyring makes a ring of one new key with id 1, which dies with the
// process. It is for databases in memory.
func NewRandomKeyring() *Keyring {
	k, err := NewKey(1, randomMaterial())
	if err != nil {
		// Only a standard library without AES or SHA-256 comes here.
		panic(err)
	}
	return &Keyring{keys: []*key{k.k}}
}

// Newest returns the id of the key that seals.
func (r *Keyring) Newest() uint32 { return r.newest().id }

// Has reports whether the ring holds the key with this id.
func (r *Keyring) Has(id uint32) bool { return r.find(id) != nil }

// IDs returns the ids of all keys in the order given to NewKeyring, the newest
// last. The slice is the caller's.
func (r *Keyring) IDs() []uint32 {
	ids := make([]uint32, len(r.keys))
	for i, k := range r.keys {
		ids[i] = k.id
	}
	return ids
}

// Fingerprint returns 16 bytes by which a database can recognise a key without
// holding it. They are made with a subkey of their own and tell nothing about
// the one that seals. An id that is not in the ring is ErrUnknownKey.
func (r *Keyring) Fingerprint(id uint32) ([]byte, error) {
	k := r.find(id)
	if k == nil {
		return nil, fmt.Errorf("%w: %d", ErrUnknownKey, id)
	}
	return slices.Clone(k.fingerprint[:]), nil
}

func (r *Keyring) newest() *key { return r.keys[len(r.keys)-1] }

// find walks the keys: a ring holds a handful.
func (r *Keyring) find(id uint32) *key {
	for _, k := range r.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}
