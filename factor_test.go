package verify_test

import (
	"bytes"
	"image"
	"image/png"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// The URI is Twilio's, to the byte: order of parameters, a raw colon, %20.
func TestFactorURI(t *testing.T) {
	t.Parallel()
	e := verifytest.NewEngine(t)
	for _, c := range []struct {
		issuer, name string
		params       verify.TOTPParams
		want         string
	}{
		{
			"test-issuer", "John’s Account Name", verify.TOTPParams{Secret: rfcSecret},
			"otpauth://totp/test-issuer:John%E2%80%99s%20Account%20Name?secret=" + rfcSecret + "&issuer=test-issuer&algorithm=SHA1&digits=6&period=30",
		},
		{
			"", "ann", verify.TOTPParams{Secret: rfcSecret, Alg: "sha512", CodeLength: 8, TimeStep: 60},
			"otpauth://totp/Acme%20Corp:ann?secret=" + rfcSecret + "&issuer=Acme%20Corp&algorithm=SHA512&digits=8&period=60",
		},
		{
			"A+B:C", "a&secret=AAAA&issuer=Evil", verify.TOTPParams{Secret: rfcSeed(32), Alg: "sha256"},
			"otpauth://totp/A%2BB%3AC:a%26secret%3DAAAA%26issuer%3DEvil?secret=" + strings.TrimRight(rfcSeed(32), "=") + "&issuer=A%2BB%3AC&algorithm=SHA256&digits=6&period=30",
		},
	} {
		svc := enginetest.Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme Corp", TOTP: verify.TOTPSettings{Issuer: c.issuer}}))(t)
		f := enginetest.Must(e.CreateFactor(t.Context(), svc.SID, "user-0001", verify.FactorParams{FriendlyName: c.name, TOTP: &c.params}))(t)
		if f.Binding.URI != c.want {
			t.Errorf("got\n%s\nwant\n%s", f.Binding.URI, c.want)
		}
		if want := strings.TrimRight(c.params.Secret, "="); f.Binding.Secret != want {
			t.Errorf("secret %s, want %s", f.Binding.Secret, want)
		}
	}
}

// TOTP-9: a name adds no parameter and changes none, whatever it holds.
func TestFactorURIIsNotInjected(t *testing.T) {
	t.Parallel()
	e := verifytest.NewEngine(t, enginetest.Unlimited)
	for _, hostile := range []string{
		"a&secret=AAAA&issuer=Evil", "x:y", "a%26b", "a%253Db", "a/../b", "?secret=AAAA", "#secret", "a+b c", "😀", strings.Repeat("😀", 64), "://", "a;b=c", "\"><script>",
	} {
		svc := enginetest.Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme", TOTP: verify.TOTPSettings{Issuer: hostile}}))(t)
		f := enginetest.Must(e.CreateFactor(t.Context(), svc.SID, "user-0001", verify.FactorParams{FriendlyName: hostile, TOTP: &verify.TOTPParams{}}))(t)
		u := enginetest.Must(url.Parse(f.Binding.URI))(t)
		q := enginetest.Must(url.ParseQuery(u.RawQuery))(t)
		want := url.Values{"secret": {f.Binding.Secret}, "issuer": {hostile}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
		if !reflect.DeepEqual(q, want) || u.Fragment != "" || u.Host != "totp" || u.Scheme != "otpauth" {
			t.Errorf("%q makes %s", hostile, f.Binding.URI)
		}
		// The label's colon is the only one that is not encoded.
		issuer, name, ok := strings.Cut(u.EscapedPath(), ":")
		if !ok || strings.Contains(name, ":") || enginetest.Must(url.PathUnescape(issuer[1:]))(t) != hostile || enginetest.Must(url.PathUnescape(name))(t) != hostile {
			t.Errorf("%q makes the label %s", hostile, u.EscapedPath())
		}
		if strings.Contains(f.Binding.URI, "+") || strings.HasSuffix(f.Binding.URI, f.Binding.Secret) {
			t.Errorf("%q makes %s", hostile, f.Binding.URI)
		}
	}
	// The twin builds it as one is tempted to, and is taken in.
	naive := enginetest.Must(url.Parse("otpauth://totp/Acme:" + "a?secret=AAAA&issuer=Evil" + "?secret=" + rfcSecret))(t)
	if naive.Query().Get("secret") != "AAAA" {
		t.Error("the attack has no teeth")
	}
}

// TOTP-7: weak and malformed secrets are 60314, and no part of them is told.
func TestFactorSecret(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t, enginetest.Unlimited))
	encode := func(size int) string { return noPadding.EncodeToString(bytes.Repeat([]byte{0xa5}, size)) }
	for _, good := range []string{encode(16), encode(17), encode(20), encode(64), rfcSeed(64), rfcSeed(32), rfcSeed(16)} {
		f, err := s.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{Secret: good}})
		if err != nil || f.Binding.Secret != strings.TrimRight(good, "=") {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"A", "AAAA", encode(15), encode(65), encode(1000), "=", "========", strings.ToLower(rfcSecret), "g" + rfcSecret[1:],
		rfcSecret[:31] + "1", rfcSecret[:31] + "8", rfcSecret[:31] + "0", rfcSecret[:16] + " " + rfcSecret[16:], " " + rfcSecret, rfcSecret + "\n", rfcSecret + "=",
		rfcSecret[:16] + "-" + rfcSecret[16:], encode(16) + "=", encode(16) + "=======", encode(16)[:25] + "B", rfcSecret + "A",
		"\x00" + rfcSecret, rfcSecret + "Ａ", strings.Repeat("A", 1<<20),
	} {
		_, err := s.CreateFactor(t.Context(), s.Service, s.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &verify.TOTPParams{Secret: bad}})
		got := enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeBindingInvalid)
		if got.Param != "Binding.Secret" || len(bad) > 4 && strings.Contains(err.Error(), bad[:5]) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func TestFactorParams(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t, enginetest.Unlimited))
	long := func(n int) map[string]string { return map[string]string{"k": strings.Repeat("é", n-len(`{"k":""}`))} }
	type P = verify.FactorParams
	type T = verify.TOTPParams
	for _, c := range []struct {
		name  string
		p     P
		code  int
		param string
	}{
		{"64 characters", P{FriendlyName: strings.Repeat("ä", 64), TOTP: &T{}}, 0, ""},
		{"65 characters", P{FriendlyName: strings.Repeat("ä", 65), TOTP: &T{}}, verify.CodeInvalidRequest, "FriendlyName"},
		{"no name", P{TOTP: &T{}}, verify.CodeMissingParameter, "FriendlyName"},
		{"bidi", P{FriendlyName: "a\u202eb", TOTP: &T{}}, verify.CodeInvalidRequest, "FriendlyName"},
		{"line end", P{FriendlyName: "a\r\nb", TOTP: &T{}}, verify.CodeInvalidRequest, "FriendlyName"},
		{"not UTF-8", P{FriendlyName: "a\xff", TOTP: &T{}}, verify.CodeInvalidRequest, "FriendlyName"},
		{"no type", P{FriendlyName: "a"}, verify.CodeMissingParameter, "TOTP"},
		{"no such hash", P{FriendlyName: "a", TOTP: &T{Alg: "md5"}}, verify.CodeInvalidRequest, "Config.Alg"},
		{"hash in capitals", P{FriendlyName: "a", TOTP: &T{Alg: "SHA1"}}, verify.CodeInvalidRequest, "Config.Alg"},
		{"step 19", P{FriendlyName: "a", TOTP: &T{TimeStep: 19}}, verify.CodeInvalidRequest, "Config.TimeStep"},
		{"step 20", P{FriendlyName: "a", TOTP: &T{TimeStep: 20}}, 0, ""},
		{"step 60", P{FriendlyName: "a", TOTP: &T{TimeStep: 60}}, 0, ""},
		{"step 61", P{FriendlyName: "a", TOTP: &T{TimeStep: 61}}, verify.CodeInvalidRequest, "Config.TimeStep"},
		{"step -30", P{FriendlyName: "a", TOTP: &T{TimeStep: -30}}, verify.CodeInvalidRequest, "Config.TimeStep"},
		{"2 digits", P{FriendlyName: "a", TOTP: &T{CodeLength: 2}}, verify.CodeInvalidRequest, "Config.CodeLength"},
		{"3 digits", P{FriendlyName: "a", TOTP: &T{CodeLength: 3}}, 0, ""},
		{"8 digits", P{FriendlyName: "a", TOTP: &T{CodeLength: 8}}, 0, ""},
		{"9 digits", P{FriendlyName: "a", TOTP: &T{CodeLength: 9}}, verify.CodeInvalidRequest, "Config.CodeLength"},
		{"skew -1", P{FriendlyName: "a", TOTP: &T{Skew: new(-1)}}, verify.CodeInvalidRequest, "Config.Skew"},
		{"skew 2", P{FriendlyName: "a", TOTP: &T{Skew: new(2)}}, 0, ""},
		{"skew 3", P{FriendlyName: "a", TOTP: &T{Skew: new(3)}}, verify.CodeInvalidRequest, "Config.Skew"},
		{"metadata of 1024", P{FriendlyName: "a", TOTP: &T{}, Metadata: long(1024)}, 0, ""},
		{"metadata of 1025", P{FriendlyName: "a", TOTP: &T{}, Metadata: long(1025)}, verify.CodeInvalidRequest, "Metadata"},
		{"metadata not UTF-8", P{FriendlyName: "a", TOTP: &T{}, Metadata: map[string]string{"\xff": ""}}, verify.CodeInvalidRequest, "Metadata"},
	} {
		f, err := s.CreateFactor(t.Context(), s.Service, s.Identity, c.p)
		if c.code == 0 {
			if err != nil || !reflect.DeepEqual(f.Metadata, c.p.Metadata) || f.FriendlyName != c.p.FriendlyName {
				t.Errorf("%s: %v, %+v", c.name, err, f)
			}
			continue
		}
		if got := enginetest.Refused(t, err, verify.ErrInvalid, c.code); got.Param != c.param {
			t.Errorf("%s: the error is about %q, want %q", c.name, got.Param, c.param)
		}
	}
}

func TestFactorQR(t *testing.T) {
	t.Parallel()
	s := enginetest.NewScene(t, verifytest.NewEngine(t))
	binding := s.Enrol(verify.TOTPParams{}).Factor.Binding
	smallest := 0
	for size := 1; size <= 256; size++ {
		if _, err := binding.QR(size); err == nil {
			smallest = size
			break
		}
	}
	if smallest < 29 || smallest > 100 { // version 1 with its quiet zone, and far more than is needed
		t.Errorf("the smallest image has %d pixels", smallest)
	}
	for _, size := range []int{smallest, 256, 1000, 4096} {
		img := enginetest.Must(binding.QR(size))(t)
		if got := img.Bounds(); got != image.Rect(0, 0, size, size) {
			t.Errorf("size %d: %v", size, got)
		}
		if size == 4096 {
			continue // the same again, slowly
		}
		decoded := enginetest.Must(png.Decode(bytes.NewReader(enginetest.Must(binding.PNG(size))(t))))(t)
		if !samePixels(img, decoded) {
			t.Errorf("size %d: image and PNG differ", size)
		}
	}
	for _, size := range []int{-1 << 63, -1, 0, 1, smallest - 1, 4097, 1 << 40} {
		_, err := binding.QR(size)
		_, pngErr := binding.PNG(size)
		for _, err := range []error{err, pngErr} {
			enginetest.Refused(t, err, verify.ErrInvalid, 0)
			if strings.Contains(err.Error(), binding.Secret) {
				t.Error("the error holds the secret")
			}
		}
	}
	text := enginetest.Must(binding.Text())(t)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for _, line := range lines {
		if len([]rune(line)) != len([]rune(lines[0])) {
			t.Errorf("line %q is of another width", line)
		}
	}
	if len(lines) < 12 || len([]rune(lines[0])) < 2*len(lines)-2 {
		t.Errorf("%d lines of %d characters", len(lines), len([]rune(lines[0])))
	}
}

func samePixels(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, bl2, _ := b.At(x, y).RGBA()
			if r != r2 || g != g2 || bl != bl2 {
				return false
			}
		}
	}
	return true
}

// Whatever names are allowed, the factor can be shown as a QR code: it cannot be
// had again.
func TestFactorQROfLongestNames(t *testing.T) {
	t.Parallel()
	e := verifytest.NewEngine(t)
	for _, c := range []struct{ name, char string }{{"ASCII", "x"}, {"two bytes", "ü"}, {"three bytes", "銀"}, {"four bytes", "😀"}} {
		long := strings.Repeat(c.char, 64)
		svc := enginetest.Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme", TOTP: verify.TOTPSettings{Issuer: long}}))(t)
		f, err := e.CreateFactor(t.Context(), svc.SID, "user-0001", verify.FactorParams{FriendlyName: long, TOTP: &verify.TOTPParams{Alg: "sha512"}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, err := f.Binding.PNG(512); err != nil {
			t.Errorf("%s: a URI of %d bytes: %v", c.name, len(f.Binding.URI), err)
		}
		if _, err := f.Binding.Text(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := (verify.Binding{}).PNG(256); err == nil {
		t.Error("the zero Binding is drawn")
	}
}
