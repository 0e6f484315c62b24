package verify

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isSID reports whether text is the SID of a record that lives elsewhere, such as
// a credential: prefix and 32 hexadecimal digits of either case.
func isSID(prefix, text string) bool {
	if len(text) != 34 || text[:2] != prefix {
		return false
	}
	_, err := hex.DecodeString(text[2:])
	return err == nil
}

// checkText accepts text that a person will read: valid UTF-8 within limit
// runes, without control characters and without the marks that make text display
// in another order than it is stored.
func checkText(code int, param, text string, limit int) error {
	if !utf8.ValidString(text) {
		return invalid(code, param, "not valid UTF-8")
	}
	if utf8.RuneCountInString(text) > limit {
		return invalid(code, param, "longer than %d characters", limit)
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return invalid(code, param, "control character %U", r)
		}
	}
	return nil
}

// checkIdentity accepts what names an entity: 8 to 64 ASCII letters, digits and
// dashes.
func checkIdentity(identity string) error {
	if identity == "" {
		return missing("Identity")
	}
	if len(identity) < 8 || len(identity) > 64 {
		return invalid(CodeInvalidRequest, "Identity", "want 8 to 64 characters")
	}
	for _, c := range []byte(identity) {
		if !isAlphanumeric(c) && c != '-' {
			return invalid(CodeInvalidRequest, "Identity", "want letters, digits and dashes only")
		}
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// identityKey is how an identity is looked up: whatever its case.
func identityKey(identity string) string { return strings.ToLower(identity) }

// encodeMap is the stored form of metadata and hidden details: a JSON object of
// at most 1024 characters, or nothing when the map is nil.
func encodeMap(param string, m map[string]string) (string, error) {
	if m == nil {
		return "", nil
	}
	for key, value := range m {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return "", invalid(CodeInvalidRequest, param, "not valid UTF-8")
		}
	}
	text, err := encodeJSON(m)
	if err != nil {
		return "", invalid(CodeInvalidRequest, param, "%v", err)
	}
	if utf8.RuneCountInString(text) > 1024 {
		return "", invalid(CodeInvalidRequest, param, "longer than 1024 characters as JSON")
	}
	return text, nil
}

// encodeJSON writes a stored form, in which < is one character and not six.
func encodeJSON(v any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

// decode reads what this package stored as JSON. Text that does not parse was
// changed by someone else.
func decode(text string, into any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return internal(ErrCorrupt, fmt.Errorf("stored JSON: %w", err))
	}
	return nil
}
