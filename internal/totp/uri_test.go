package totp

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var uriConfig = Config{Alg: SHA1, Digits: 6, Period: 30, Skew: 1}

func TestURIExact(t *testing.T) {
	t.Parallel()
	tests := []struct {
		issuer, account string
		length          int
		c               Config
		want            string
	}{
		{"test-issuer", "John’s Account Name", 20, uriConfig, "otpauth://totp/test-issuer:John%E2%80%99s%20Account%20Name?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=test-issuer&algorithm=SHA1&digits=6&period=30"},
		{"a:b", "x+y@z", 32, Config{Alg: SHA256, Digits: 8, Period: 60}, "otpauth://totp/a%3Ab:x%2By%40z?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA&issuer=a%3Ab&algorithm=SHA256&digits=8&period=60"},
		{"A-z_0.9~", "!*'()", 64, Config{Alg: SHA512, Digits: 3, Period: 20}, "otpauth://totp/A-z_0.9~:%21%2A%27%28%29?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA&issuer=A-z_0.9~&algorithm=SHA512&digits=3&period=20"},
	}
	for _, tt := range tests {
		if got := URI(tt.issuer, tt.account, digitSeed(tt.length), tt.c); got != tt.want {
			t.Errorf("URI(%q, %q)\n got %s\nwant %s", tt.issuer, tt.account, got, tt.want)
		}
	}
}

// Every byte outside the unreserved set of RFC 3986 section 2.3 is encoded.
func TestEscape(t *testing.T) {
	t.Parallel()
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	for b := range 256 {
		in := string([]byte{byte(b)})
		want := in
		if !strings.Contains(unreserved, in) {
			const hex = "0123456789ABCDEF"
			want = string([]byte{'%', hex[b>>4], hex[b&15]})
		}
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// problem reads a key URI back as an app would and says what is wrong, or "".
func problem(uri, issuer, account string, seed []byte) string {
	u, err := url.Parse(uri)
	if err != nil {
		return err.Error()
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return err.Error()
	}
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Fragment != "" || u.User != nil || len(q) != 5 {
		return "not the expected shape"
	}
	for _, name := range []string{"secret", "issuer", "algorithm", "digits", "period"} {
		if len(q[name]) != 1 {
			return "not exactly one " + name
		}
	}
	if q.Get("secret") != FormatSecret(seed) {
		return "another secret"
	}
	if q.Get("issuer") != issuer {
		return "another issuer"
	}
	label := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), ":")
	if len(label) != 2 {
		return "the label has not two parts"
	}
	if got, err := url.PathUnescape(label[0]); err != nil || got != issuer {
		return "another issuer in the label"
	}
	if got, err := url.PathUnescape(label[1]); err != nil || got != account {
		return "another account in the label"
	}
	if u.Path != "/"+issuer+":"+account {
		return "the decoded path differs"
	}
	if strings.HasPrefix(uri[strings.LastIndexByte(uri, '&'):], "&secret=") {
		return "the secret comes last"
	}
	for i := range len(uri) {
		if uri[i] <= ' ' || uri[i] >= 0x7f || uri[i] == '+' {
			return "a byte that should have been encoded"
		}
	}
	return ""
}

// naiveURI is what one writes first; the test below must see through it.
func naiveURI(issuer, account string, seed []byte) string {
	return "otpauth://totp/" + issuer + ":" + account + "?secret=" + FormatSecret(seed) + "&issuer=" + issuer + "&algorithm=SHA1&digits=6&period=30"
}

func TestURIInjection(t *testing.T) {
	t.Parallel()
	hostile := []string{
		"a&secret=AAAA&issuer=Evil", "x?secret=AAAA&issuer=Evil#", "x:y", "a%26b", "a%3Ab", "a/../b", "..", ".", "//evil.example", "a\r\nb", "a\nSet-Cookie: b",
		"😀👩‍👩‍👧", "\u202eevil\u202c", "a+b c", "a;b=1", "a#b", "a@b", "100%", "%zz", "\x00", "\xff\xfe", strings.Repeat("é", 64), "ſecret=K",
	}
	wantCount(t, len(hostile), 23)
	seed := digitSeed(20)
	var missed []string
	for _, s := range hostile {
		for _, pair := range [][2]string{{s, "account"}, {"issuer", s}, {s, s}} {
			if p := problem(URI(pair[0], pair[1], seed, uriConfig), pair[0], pair[1], seed); p != "" {
				t.Errorf("%q, %q: %s", pair[0], pair[1], p)
			}
		}
		if problem(naiveURI(s, s, seed), s, s, seed) == "" {
			missed = append(missed, s)
		}
	}
	// These are harmless even unencoded; all others must betray the twin.
	if want := []string{"a/../b", "..", ".", "//evil.example", "a@b"}; !slices.Equal(missed, want) {
		t.Errorf("the naive twin passed with %q, want %q", missed, want)
	}
}

func FuzzURI(f *testing.F) {
	f.Add("issuer", "a&secret=AAAA&issuer=Evil", 20)
	f.Add("x:y", "a%26b", 64)
	f.Add("\u202e", "a\r\nb", 16)
	f.Fuzz(func(t *testing.T, issuer, account string, length int) {
		seed := digitSeed(16 + (length%49+49)%49)
		uri := URI(issuer, account, seed, uriConfig)
		if p := problem(uri, issuer, account, seed); p != "" {
			t.Fatalf("%q, %q: %s: %s", issuer, account, p, uri)
		}
		if !utf8.ValidString(uri) {
			t.Fatalf("%q is not UTF-8", uri)
		}
	})
}
