package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// leaks looks for a secret in a text, in every form in which Go or a person
// would print bytes, and names those found. A run of 6 bytes counts.
func leaks(text string, secret []byte) (found []string) {
	const run = 6
	text = strings.ToLower(text)
	contains := func(form, s string) {
		if strings.Contains(text, strings.ToLower(s)) {
			found = append(found, form)
		}
	}
	for start := 0; start+run <= len(secret); start++ {
		part := secret[start : start+run]
		contains("raw", string(part))
		contains("hex", hex.EncodeToString(part))
		contains("spaced hex", fmt.Sprintf("% x", part))
		contains("Go syntax", strings.Trim(fmt.Sprintf("%#v", part)[len("[]byte"):], "{}"))
		contains("decimal", strings.Trim(fmt.Sprint(part), "[]"))
		contains("JSON array", strings.ReplaceAll(strings.Trim(fmt.Sprint(part), "[]"), " ", ","))
		contains("quoted", strings.Trim(fmt.Sprintf("%q", part), `"`))
	}
	for start := range 3 { // wherever the secret begins within a group
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			contains("base64", e.EncodeToString(secret[start:start+run]))
		}
	}
	for start := range 5 {
		contains("base32", base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret[start : start+10])[:16])
	}
	// As the words of a key schedule.
	for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
		a, b := order.Uint32(secret), order.Uint32(secret[4:])
		contains("words", fmt.Sprint(a, b))
		contains("words", fmt.Sprintf("%#x, %#x", a, b))
	}
	return found
}

// printAll is everything v becomes when printed, logged or marshalled, alone and
// inside of other values.
func printAll(v any) map[string]string {
	out := make(map[string]string)
	type holder struct {
		Exported any
		hidden   any
	}
	values := map[string]any{"": v, " in a struct": holder{v, v}, " in a slice": []any{v}, " in a map": map[string]any{"k": v}, " in a pointer": &holder{v, v}}
	for where, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%# x", "%q", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%p", "%T", "%w", "%10.3v", "%!"} {
			out[verb+where] = fmt.Sprintf(verb, v)
		}
		out["error"+where] = fmt.Errorf("failed: %v", v).Error()
		if b, err := json.Marshal(v); err == nil {
			out["json"+where] = string(b)
		}
		var buf bytes.Buffer
		slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&buf, nil)).Info("x", "v", v, slog.Group("g", "v", v))
		out["slog"+where] = buf.String()
	}
	if b, err := xml.Marshal(v); err == nil {
		out["xml"] = string(b)
	}
	return out
}

// canary is material whose every run of bytes is easy to tell.
func canary() []byte {
	return []byte("\xc4\xe1nary-\x8fQ7bytes*of~key\xb2\xd3material!\x99\x01")[:materialSize]
}

func TestNothingPrintsAKey(t *testing.T) {
	t.Parallel()
	k, err := NewKey(7, canary())
	if err != nil {
		t.Fatal(err)
	}
	r := testRing(t, k, testKey(t, 9, 1))
	secrets := map[string][]byte{"material": canary()}
	for _, label := range []string{labelSeal, labelFingerprint} {
		if secrets[label], err = hkdf.Key(sha256.New, canary(), nil, label, 32); err != nil {
			t.Fatal(err)
		}
	}
	// Structs by value with fields that are not exported: there fmt sees no
	// methods.
	type embedded struct {
		k Key
		r Keyring
		p *Keyring
	}
	count := 0
	for name, v := range map[string]any{"Key": k, "*Key": &k, "*Keyring": r, "Keyring": *r, "**Keyring": &r, "embedded": embedded{k, *r, r}, "keys": []Key{k}, "map": map[Key]*Keyring{k: r}} {
		for how, text := range printAll(v) {
			count++
			for what, s := range secrets {
				if found := leaks(text, s); found != nil {
					t.Errorf("%s, %s prints the %s as %q: %s", name, how, what, found, text)
				}
			}
		}
	}
	if count < 8*100 {
		t.Errorf("only %d ways to print tried", count)
	}

	// What is printed instead.
	for v, want := range map[any]string{k: "secret.Key(id=7)", Key{}: "secret.Key(none)", r: "secret.Keyring(ids=[7 9])"} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			if got := fmt.Sprintf(verb, v); got != want {
				t.Errorf("%s: %q, want %q", verb, got, want)
			}
		}
		if b, err := json.Marshal(map[string]any{"k": v}); err != nil || string(b) != `{"k":"`+want+`"}` {
			t.Errorf("json: %s, %v", b, err)
		}
		var buf bytes.Buffer
		slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "v", v)
		if !strings.Contains(buf.String(), want) {
			t.Errorf("slog: %s lacks %s", buf.String(), want)
		}
	}
	if k.String() != k.GoString() || r.String() != r.GoString() {
		t.Error("GoString differs from String")
	}
}

// The hunt must be able to find: two types as one would write them first.
func TestHuntFinds(t *testing.T) {
	t.Parallel()
	type bare struct{ Material []byte }
	how := printAll(bare{canary()})
	for _, way := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d", "json", "slog"} {
		if leaks(how[way], canary()) == nil {
			t.Errorf("%s: nothing found in %s", way, how[way])
		}
	}
	// With methods on it, but the bytes within reach of reflection.
	how = printAll(halfMasked{[materialSize]byte(canary())})
	if leaks(how["%v"], canary()) != nil {
		t.Errorf("%%v: %s", how["%v"])
	}
	type hidden struct{ k halfMasked }
	if text := fmt.Sprintf("%+v", hidden{halfMasked{[materialSize]byte(canary())}}); leaks(text, canary()) == nil {
		t.Errorf("nothing found in %s", text)
	}
	if leaks(how["%p"], canary()) == nil {
		t.Errorf("%%p: nothing found in %s", how["%p"])
	}
}

type halfMasked struct{ material [materialSize]byte }

func (h halfMasked) Format(s fmt.State, _ rune) { fmt.Fprint(s, "masked") }
