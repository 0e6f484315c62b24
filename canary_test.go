package verify_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

// The canaries: a secret, a code that the user enters, the key. Each is sought in
// every form in which it could come out.
type canaries map[string][]string

func newCanaries() canaries { return make(canaries) }

// bytes adds a secret of bytes in all usual encodings.
func (c canaries) bytes(name string, raw []byte) {
	c[name] = append(c[name],
		string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
		base32.StdEncoding.EncodeToString(raw), strings.TrimRight(base32.StdEncoding.EncodeToString(raw), "="),
		strings.TrimRight(base64.StdEncoding.EncodeToString(raw), "="), strings.TrimRight(base64.URLEncoding.EncodeToString(raw), "="),
		strings.Trim(fmt.Sprint(raw), "[]"), // as fmt prints bytes
		strings.Trim(strings.ReplaceAll(fmt.Sprintf("%#v", raw), "[]byte{", ""), "}"), url.QueryEscape(string(raw)),
	)
}

func (c canaries) text(name, text string) {
	c[name] = append(c[name], text, hex.EncodeToString([]byte(text)), base64.StdEncoding.EncodeToString([]byte(text)))
}

// seen names the canaries that are in the text.
func (c canaries) seen(text []byte) (names []string) {
	for name, forms := range c {
		for _, form := range forms {
			if bytes.Contains(text, []byte(form)) {
				names = append(names, fmt.Sprintf("%s (as %.8s…)", name, form))
			}
		}
	}
	return names
}

// printed is a value in every way in which it may be printed or logged. %p is not
// among them: fmt asks no method about it, and vet refuses it for what is no
// pointer.
func printed(v any) (out []string) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "%X", "%d", "%t", "%U"} {
		out = append(out, fmt.Sprintf(verb, v), fmt.Sprintf(verb, []any{v}), fmt.Sprintf(verb, struct{ V any }{v}))
	}
	for _, value := range []any{v, []any{v}, map[string]any{"v": v}} {
		if text, err := json.Marshal(value); err == nil {
			out = append(out, string(text))
		}
	}
	var b bytes.Buffer
	for _, h := range []slog.Handler{
		slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}), slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}),
	} {
		log := slog.New(h).With("with", v)
		log.Debug("a value", "value", v, slog.Group("group", "value", v))
	}
	return append(out, b.String())
}

// The hunt has teeth: what is not masked is found, in each way of printing.
func TestSecrecyFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	c := newCanaries()
	seed := []byte("canary: seed of TOTP")
	c.bytes("seed", seed)
	c.text("code", "73918462")
	type naive struct {
		Secret []byte
		Code   string
	}
	for _, v := range []any{naive{seed, "73918462"}, &naive{seed, "73918462"}, errors.New(noPadding.EncodeToString(seed) + " 73918462")} {
		found := make(map[string]int)
		for _, text := range printed(v) {
			for _, name := range c.seen([]byte(text)) {
				found[name[:4]]++
			}
		}
		if found["seed"] < 5 || found["code"] < 5 {
			t.Errorf("%T: found %v", v, found)
		}
	}
}
