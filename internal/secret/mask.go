package secret

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// Both types answer every usual way to print a value with their ids alone.
// Format comes before String and GoString for every verb, %x and %#v included;
// those are here for code that calls them by name. All are on the value, so
// that the pointer has them too.

var (
	_ fmt.Formatter  = Key{}
	_ fmt.Formatter  = Keyring{}
	_ slog.LogValuer = Key{}
	_ slog.LogValuer = Keyring{}
)

// String returns the key's id and no more, like "secret.Key(id=7)".
func (k Key) String() string {
	if k.k == nil {
		return "secret.Key(none)"
	}
	return "secret.Key(id=" + strconv.FormatUint(uint64(k.k.id), 10) + ")"
}

// GoString is String.
func (k Key) GoString() string { return k.String() }

// Format writes String, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, k.String()) }

// LogValue is String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is String. There is no way back.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalJSON is String as a JSON string. There is no way back.
func (k Key) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, k.String()), nil }

// String returns the ids of the keys and no more, like
// "secret.Keyring(ids=[1 7])".
func (r Keyring) String() string { return fmt.Sprintf("secret.Keyring(ids=%d)", r.IDs()) }

// GoString is String.
func (r Keyring) GoString() string { return r.String() }

// Format writes String, whatever the verb.
func (r Keyring) Format(s fmt.State, _ rune) { io.WriteString(s, r.String()) }

// LogValue is String.
func (r Keyring) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText is String. There is no way back.
func (r Keyring) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalJSON is String as a JSON string. There is no way back.
func (r Keyring) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, r.String()), nil }
