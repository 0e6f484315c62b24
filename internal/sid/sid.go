// Package sid makes and reads SIDs, the names of all records: two letters that
// tell the kind of record, then 32 lower-case hex digits.
//
// The 16 bytes behind the letters are two halves. The first is the record's
// integer key in the store: 43 bits of milliseconds since 1970 and 20 bits of
// sequence, so that keys ascend by creation and one b-tree serves lookups,
// appends and pages. The second is random and compared at every lookup, so that
// knowing when a record was made does not let anyone name it.
package sid

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	sequenceBits = 20
	maxMillis    = 1<<43 - 1 // in the year 2248
	// rewind is how far the clock may step back before keys follow it. Within
	// it, keys go on ascending from the last one; beyond it a corrected clock is
	// believed, because keys also say how old a record is.
	rewind = int64(1000) << sequenceBits
)

// A SID is the binary form of a record's name, without its two letters.
type SID struct {
	Key  int64 // never negative
	Tail int64 // 64 random bits
}

// String gives the SID its prefix: 34 characters in all.
func (s SID) String(prefix string) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(s.Key))
	binary.BigEndian.PutUint64(raw[8:], uint64(s.Tail))
	text := make([]byte, 0, 34)
	text = append(text, prefix...)
	return string(hex.AppendEncode(text, raw[:]))
}

// Bytes is the SID's 16 bytes, what sealed values are bound to.
func (s SID) Bytes() (raw [16]byte) {
	binary.BigEndian.PutUint64(raw[:8], uint64(s.Key))
	binary.BigEndian.PutUint64(raw[8:], uint64(s.Tail))
	return raw
}

// Parse reads a SID that must carry the given prefix. A SID has one spelling:
// upper-case hex is refused.
func Parse(prefix, text string) (SID, bool) {
	if len(text) != 34 || text[:2] != prefix {
		return SID{}, false
	}
	var raw [16]byte
	for _, c := range []byte(text[2:]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return SID{}, false
		}
	}
	if _, err := hex.Decode(raw[:], []byte(text[2:])); err != nil {
		return SID{}, false
	}
	s := SID{
		Key:  int64(binary.BigEndian.Uint64(raw[:8])),
		Tail: int64(binary.BigEndian.Uint64(raw[8:])),
	}
	return s, s.Key >= 0
}

// KeyAt is the smallest key a record made at t can have: what lies below it is
// older. Times outside 1970 to 2248 count as the nearest end.
func KeyAt(t time.Time) int64 {
	return min(max(t.UnixMilli(), 0), maxMillis) << sequenceBits
}

// A Generator makes SIDs whose keys ascend within a process. It is safe for
// concurrent use if its source of randomness is.
type Generator struct {
	random io.Reader

	mu   sync.Mutex
	last int64
}

// NewGenerator returns a Generator that draws on random.
func NewGenerator(random io.Reader) *Generator { return &Generator{random: random} }

// Jump is called when a key was taken. Another process then counts on through the
// same keys, and behind it every next one would be taken too: the generator leaves
// its neighbourhood by chance.
func (g *Generator) Jump() error {
	var raw [2]byte
	if _, err := io.ReadFull(g.random, raw[:]); err != nil {
		return fmt.Errorf("sid: reading randomness: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last += int64(binary.BigEndian.Uint16(raw[:]))
	return nil
}

// New returns a SID for a record made at now. Two processes may, very rarely,
// make the same key; the store then refuses the second, and its writer asks for
// another. It fails if the source of randomness does, and at the end of the time
// that keys can tell.
func (g *Generator) New(now time.Time) (SID, error) {
	var raw [12]byte
	if _, err := io.ReadFull(g.random, raw[:]); err != nil {
		return SID{}, fmt.Errorf("sid: reading randomness: %w", err)
	}
	// The sequence starts by chance in the lower half, so that processes that
	// share a millisecond rarely meet and each has room to count on.
	chance := int64(binary.BigEndian.Uint32(raw[8:])) >> (32 - sequenceBits + 1)
	key := KeyAt(now) | chance

	g.mu.Lock()
	defer g.mu.Unlock()
	if key <= g.last && g.last-key < rewind {
		key = g.last + 1
	}
	if key < 0 {
		return SID{}, errors.New("sid: no keys are left: the clock is past the year 2248")
	}
	g.last = key
	return SID{Key: key, Tail: int64(binary.BigEndian.Uint64(raw[:8]))}, nil
}
