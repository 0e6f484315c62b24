package verifyhttp_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed4eca3270/verify/verifyhttp"
)

const (
	account = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	token   = "9b1f0c5e-Token"
	apiKey  = "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	secret  = "another secret"
)

func tokens() map[string]string {
	return map[string]string{account: token, apiKey: secret, "": "", "nobody": ""}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func withAuth(a verifyhttp.Authenticator) func(*verifyhttp.Config) {
	return func(c *verifyhttp.Config) { c.Authenticate = a }
}

// naiveAuth is how one does it at first.
func naiveAuth(r *http.Request) (string, bool) {
	name, password, _ := r.BasicAuth()
	return name, tokens()[name] == password
}

// checkAuth tries what HTTP-1 names, and compares what those get who stay out.
func checkAuth(w *world) (wrongs []string) {
	cases := []struct {
		name    string
		headers []string
		in      bool
	}{
		{"account", []string{basic(account, token)}, true},
		{"API key", []string{basic(apiKey, secret)}, true},
		{"scheme in lower case", []string{"b" + basic(account, token)[1:]}, true},
		{"scheme in upper case", []string{"BASIC" + basic(account, token)[5:]}, true},
		{"no header", nil, false},
		{"empty header", []string{""}, false},
		{"wrong token", []string{basic(account, "wrong")}, false},
		{"token of another", []string{basic(account, secret)}, false},
		{"token in lower case", []string{basic(account, strings.ToLower(token))}, false},
		{"token and more", []string{basic(account, token+"x")}, false},
		{"token and NUL", []string{basic(account, token+"\x00")}, false},
		{"token and newline", []string{basic(account, token+"\n")}, false},
		{"start of the token", []string{basic(account, token[:len(token)-1])}, false},
		{"empty token", []string{basic(account, "")}, false},
		{"unknown account", []string{basic("AC"+strings.Repeat("0", 32), token)}, false},
		{"unknown account, empty token", []string{basic("AC"+strings.Repeat("0", 32), "")}, false},
		{"account in lower case", []string{basic(strings.ToLower(account), token)}, false},
		{"account configured without token", []string{basic("nobody", "")}, false},
		{"nothing but a colon", []string{basic("", "")}, false},
		{"only a token", []string{basic("", token)}, false},
		{"no colon", []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(account+token))}, false},
		{"no base64", []string{"Basic " + account + ":" + token}, false},
		{"no scheme", []string{basic(account, token)[6:]}, false},
		{"two spaces", []string{"Basic  " + basic(account, token)[6:]}, false},
		{"another scheme", []string{"Bearer " + basic(account, token)[6:]}, false},
		{"right twice", []string{basic(account, token), basic(account, token)}, false},
		{"right, then wrong", []string{basic(account, token), basic(account, "wrong")}, false},
		{"wrong, then right", []string{basic(account, "wrong"), basic(account, token)}, false},
		{"two in one", []string{basic(account, token) + ", " + basic(account, token)}, false},
		{"a megabyte", []string{basic(account, strings.Repeat("x", 1<<20))}, false},
	}
	outside := ""
	for _, c := range cases {
		r := w.request(http.MethodGet, "/v2/Services", "")
		r.Header["Authorization"] = c.headers
		a := w.send(r)
		switch {
		case c.in && !a.got(200, 0):
			wrongf(&wrongs, "%s: got %d %s, want 200", c.name, a.status, a.body)
		case !c.in && !a.got(401, 20003):
			wrongf(&wrongs, "%s: got %d, want 401/20003", c.name, a.status)
		case !c.in && outside == "":
			outside = a.bytes()
		case !c.in && a.bytes() != outside:
			wrongf(&wrongs, "%s: got\n%s\nwant\n%s", c.name, a.bytes(), outside)
		}
	}
	return wrongs
}

func TestBasicAuth(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkAuth(newWorld(t, withAuth(verifyhttp.BasicAuth(tokens())))))
	twin := newWorld(t, withAuth(naiveAuth))
	twin.naive = true
	refusesTwin(t, checkAuth(twin))
}

func TestUnauthorizedHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withAuth(verifyhttp.BasicAuth(tokens())))
	a := w.get("/v2/Services").want(401, 20003)
	if got, want := a.header.Get("Date"), w.engine.Clock.Now().UTC().Format(http.TimeFormat); got != want {
		t.Errorf("Date is %q, want %q", got, want)
	}
	if a.header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
	// Who stays out learns nothing of what there is, not even paths.
	for _, r := range []*http.Request{
		w.request(http.MethodGet, "/nothing", ""), w.request(http.MethodPut, "/v2/Services", ""),
		w.request(http.MethodGet, "/v2//Services", ""), w.request(http.MethodGet, "/v2/Services?PageSize=x", ""),
	} {
		if got := w.send(r); got.bytes() != a.bytes() {
			t.Errorf("%s %s: got\n%s\nwant\n%s", r.Method, r.RequestURI, got.bytes(), a.bytes())
		}
	}
}

// A touchy body counts who touches it.
type touchy struct{ reads atomic.Int64 }

func (b *touchy) Read([]byte) (int, error) {
	b.reads.Add(1)
	return 0, io.EOF
}

func (b *touchy) Close() error { return nil }

// checkUntouched: nothing is read of a body before its sender is let in (HTTP-4).
func checkUntouched(w *world) (wrongs []string) {
	for _, method := range []string{"POST", "PUT", "DELETE", "GET"} {
		body := &touchy{}
		r := w.request(method, "/v2/Services", "")
		r.Body, r.ContentLength = body, 1<<40
		w.send(r)
		if n := body.reads.Load(); n > 0 {
			wrongf(&wrongs, "%s: %d reads", method, n)
		}
	}
	return wrongs
}

func TestUnauthorizedBodyIsNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withAuth(verifyhttp.BasicAuth(tokens())))
	refusesNone(t, checkUntouched(w))
	refusesTwin(t, checkUntouched(w.twin(func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // as many a middleware does
		next.ServeHTTP(a, r)
	})))
}

func TestNobodyIsLetInByNoTokens(t *testing.T) {
	t.Parallel()
	for name, tokens := range map[string]map[string]string{
		"nil": nil, "none": {}, "empty": {"": ""}, "no name": {"": token}, "no token": {account: ""},
	} {
		w := newWorld(t, withAuth(verifyhttp.BasicAuth(tokens)))
		for _, header := range []string{"", basic("", ""), basic("", token), basic(account, "")} {
			r := w.request(http.MethodGet, "/v2/Services", "")
			r.Header.Set("Authorization", header)
			if a := w.send(r); !a.got(401, 20003) {
				t.Errorf("%s, %q: got %d", name, header, a.status)
			}
		}
	}
}

func TestTokensAreTakenOnce(t *testing.T) {
	t.Parallel()
	own := map[string]string{account: token}
	w := newWorld(t, withAuth(verifyhttp.BasicAuth(own)))
	own[account], own["intruder"] = "changed", "x"
	for header, status := range map[string]int{basic(account, token): 200, basic(account, "changed"): 401, basic("intruder", "x"): 401} {
		r := w.request(http.MethodGet, "/v2/Services", "")
		r.Header.Set("Authorization", header)
		if a := w.send(r); a.status != status {
			t.Errorf("%s: got %d, want %d", header, a.status, status)
		}
	}
}

func TestAllowAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withAuth(verifyhttp.AllowAll))
	for _, headers := range [][]string{nil, {"nonsense"}, {basic("a", "b"), basic("c", "d")}} {
		r := w.request(http.MethodGet, "/v2/Services", "")
		r.Header["Authorization"] = headers
		w.send(r).want(200, 0)
	}
}
