package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// lengthSize is the size in bytes of the length before each part.
const lengthSize = 8

// MAC returns the 32 bytes of HMAC-SHA-256 under key over label and parts, each
// preceded by its length: ("ab", "c") and ("a", "bc") differ, and so do ("a")
// and ("a", ""). Use one label for one purpose; key should be 32 random bytes.
// Compare results with hmac.Equal if one side is a claim.
func MAC(key []byte, label string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	message := appendPart(nil, []byte(label))
	for _, part := range parts {
		message = appendPart(message, part)
	}
	mac.Write(message)
	return mac.Sum(nil)
}

func appendPart(b, part []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
	return append(b, part...)
}
