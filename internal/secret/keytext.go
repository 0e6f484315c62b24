package secret

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// The text form of a keyring is lines. One that starts with "#" is a comment,
// one of white space alone is nothing, and every other is a key:
//
//	verify-key-1 <id in decimal> <standard base64 of 32 bytes>
//
// with single spaces. The last key seals. A key has one spelling.
const keyWord = "verify-key-1"

// keyLine is one key of a text, not yet derived.
type keyLine struct {
	id       uint32
	material []byte
}

// ParseKeyring reads keys from their text form. Errors match ErrKey and name a
// line by its number: what a line says is a key.
func ParseKeyring(text string) (*Keyring, error) {
	lines, err := parseLines(text)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(lines))
	for i, line := range lines {
		if keys[i], err = NewKey(line.id, line.material); err != nil {
			return nil, err
		}
	}
	return NewKeyring(keys...)
}

// FormatKey returns a key as one line of the text form, without a line end. It
// is the key itself: whoever reads it can open everything.
func FormatKey(id uint32, material []byte) string {
	return keyWord + " " + strconv.FormatUint(uint64(id), 10) + " " + base64.StdEncoding.EncodeToString(material)
}

func parseLines(text string) ([]keyLine, error) {
	var lines []keyLine
	number := 0
	for text := range strings.SplitSeq(text, "\n") {
		number++
		if strings.HasPrefix(text, "#") || strings.TrimSpace(text) == "" {
			continue
		}
		line, ok := parseLine(text)
		if !ok {
			return nil, fmt.Errorf("%w: line %d is not of the form %q", ErrKey, number, keyWord+" <id> <base64 of 32 bytes>")
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// parseLine answers yes or no rather than with an error, because the errors of
// strconv quote their input, and in a line with a field missing that is the key.
func parseLine(text string) (keyLine, bool) {
	fields := strings.Split(text, " ")
	if len(fields) != 3 {
		return keyLine{}, false
	}
	id, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		return keyLine{}, false
	}
	material, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(material) != materialSize {
		return keyLine{}, false
	}
	// Refuses another first word, leading zeros, carriage returns and spare bits
	// in one go: only what would be written so is read.
	if FormatKey(uint32(id), material) != text {
		return keyLine{}, false
	}
	return keyLine{uint32(id), material}, true
}
