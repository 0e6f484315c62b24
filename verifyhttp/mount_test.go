package verifyhttp_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"testing"

	"github.com/seed4eca3270/verify/verifyhttp"
)

var absolute = regexp.MustCompile(`"(https?:[^"]*)"`)

// walkURLs makes one of everything and follows every URL in every answer.
func walkURLs(t *testing.T, w *world, prefix, origin string, secure bool) {
	t.Helper()
	send := func(method, target string, pairs ...string) answer {
		t.Helper()
		r := w.request(method, target, encode(pairs...))
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		return w.send(r)
	}
	at := func(a answer, key string) string {
		t.Helper()
		u := a.text(key)
		if len(u) < len(origin) || u[:len(origin)] != origin {
			t.Fatalf("%s is %q, not below %s", key, u, origin)
		}
		return prefix + u[len(origin):]
	}
	service := send("POST", prefix+"/v2/Services", "FriendlyName", "Acme").want(201, 0)
	entity := send("POST", at(service, "links.entities"), "Identity", ann).want(201, 0)
	factor := send("POST", at(entity, "links.new_factors"), "FriendlyName", "x", "FactorType", "totp").want(201, 0)
	send("POST", at(entity, "links.factors"), "FriendlyName", "y", "FactorType", "totp").want(201, 0)
	app := w.scan(factor)
	send("POST", at(factor, "url"), "AuthPayload", app.Code(w.engine.Clock.Now())).want(200, 0).is("status", "verified")
	challenge := send("POST", at(entity, "links.challenges"), "FactorSid", factor.text("sid")).want(201, 0)
	answers := []answer{service, entity, factor, challenge, send("GET", prefix+"/v2/Services?PageSize=1&x=/v2/Services"),
		send("GET", at(service, "links.entities")+"?PageSize=1"), send("GET", at(entity, "links.factors")+"?PageSize=1"), send("GET", at(entity, "links.challenges"))}
	answers = append(answers, send("GET", at(answers[6], "meta.next_page_url")))
	for i, a := range answers {
		found := absolute.FindAllStringSubmatch(string(a.body), -1)
		if len(found) == 0 {
			t.Errorf("answer %d has no URL: %s", i, a.body)
		}
		for _, m := range found {
			if len(m[1]) < len(origin) || m[1][:len(origin)] != origin {
				t.Errorf("answer %d: %s is not below %s", i, m[1], origin)
				continue
			}
			want := 200
			switch path.Base(m[1]) {
			case "VerificationCheck", "Notifications", "Verifications", "AccessTokens":
				want = 405 // there is only POST
			case "RateLimits", "MessagingConfigurations", "Webhooks":
				want = 404 // not built yet
			}
			if followed := send("GET", prefix+m[1][len(origin):]); followed.status != want {
				t.Errorf("answer %d: %s: got %d, want %d: %s", i, m[1], followed.status, want, followed.body)
			}
		}
		if i < 4 {
			same := send("GET", at(a, "url")).want(200, 0)
			same.is("sid", a.text("sid")).is("url", a.text("url"))
		}
	}
}

func TestMounts(t *testing.T) {
	t.Parallel()
	mux := func(pattern, strip string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			m := http.NewServeMux()
			if strip != "" {
				h = http.StripPrefix(strip, h)
			}
			m.Handle(pattern, h)
			return m
		}
	}
	for name, c := range map[string]struct {
		under  func(http.Handler) http.Handler
		prefix string
		secure bool
	}{
		"bare":               {under: func(h http.Handler) http.Handler { return h }},
		"bare, TLS":          {under: func(h http.Handler) http.Handler { return h }, secure: true},
		"mux at root":        {under: mux("/", "")},
		"mux at /v2/":        {under: mux("/v2/", "")},
		"mux of one host":    {under: mux(host+"/v2/", "")},
		"prefix":             {under: mux("/mfa/", "/mfa"), prefix: "/mfa"},
		"prefix, TLS":        {under: mux("/mfa/", "/mfa"), prefix: "/mfa", secure: true},
		"long prefix":        {under: mux("/a/v2/Services/", "/a/v2/Services"), prefix: "/a/v2/Services"},
		"prefix of wildcard": {under: mux("/{tenant}/", "/acme"), prefix: "/acme"},
		"prefix in two":      {under: func(h http.Handler) http.Handler { return http.StripPrefix("/a", http.StripPrefix("/b", h)) }, prefix: "/a/b"},
		"prefix with escape": {under: func(h http.Handler) http.Handler { return http.StripPrefix("/m a", h) }, prefix: "/m%20a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := "http://"
			if c.secure {
				scheme = "https://"
			}
			walkURLs(t, newWorld(t).under(c.under), c.prefix, scheme+host+c.prefix, c.secure)
		})
	}
}

// A client may write the whole URL in place of the path.
func TestWholeURLAsTarget(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/mfa", "/a/b", "/m%20a"} {
		strip, err := url.PathUnescape(prefix)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t).under(func(h http.Handler) http.Handler { return http.StripPrefix(strip, h) })
		a := w.get("http://"+host+prefix+"/v2/Services?PageSize=5").want(200, 0)
		a.is("meta.url", "http://"+host+prefix+"/v2/Services?PageSize=5&Page=0")
	}
}

// A request that came from no server names no target: there is no prefix then.
func TestRequestThatCameFromNoServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for uri, want := range map[string]string{"": "", "?": "", "nonsense": "", "/elsewhere": "", "/mfa/v2/Services": "/mfa", "mfa/v2/Services": ""} {
		r := w.request("GET", "/v2/Services", "")
		r.RequestURI = uri
		w.send(r).want(200, 0).is("meta.url", origin+want+"/v2/Services?PageSize=50&Page=0")
	}
}

func TestBaseURLWins(t *testing.T) {
	t.Parallel()
	base := func(c *verifyhttp.Config) { c.BaseURL = "https://login.example.com/x/" }
	walkURLs(t, newWorld(t, base), "", "https://login.example.com/x", false)
	w := newWorld(t, base).under(func(h http.Handler) http.Handler { return http.StripPrefix("/mfa", h) })
	walkURLs(t, w, "/mfa", "https://login.example.com/x", true)
}

// naiveProxy believes what a client says that a proxy has said.
func naiveProxy(next http.Handler, a http.ResponseWriter, r *http.Request) {
	if h := r.Header.Get("X-Forwarded-Host"); h != "" {
		r.Host = h
	}
	if r.Header.Get("X-Forwarded-Proto") == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	next.ServeHTTP(a, r)
}

// checkProxyHeaders: anybody can send those of HTTP-10.
func checkProxyHeaders(w *world) (wrongs []string) {
	service := w.service()
	plain := w.get(service)
	for name, value := range map[string]string{
		"X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil", "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Port": "444",
		"X-Real-IP": "10.0.0.1", "Forwarded": "for=10.0.0.1;host=evil.example.com;proto=https", "X-Original-URL": "/v2/Services", "X-Rewrite-URL": "/v2/Services",
		"X-Original-Host": "evil.example.com", "X-Host": "evil.example.com", "X-WEBAUTH-USER": "admin", "X-Forwarded-User": "admin", "X-Forwarded-Scheme": "https",
		"Origin": "https://evil.example.com", "Referer": "https://evil.example.com/", "Twilio-Request-Id": "RQ" + noService[2:],
	} {
		r := w.request("GET", service, "")
		r.Header.Set(name, value)
		a := w.send(r)
		if a.bytes() != plain.bytes() || a.header.Get("Twilio-Request-Id") == value {
			wrongf(&wrongs, "%s: got\n%s\nwant\n%s", name, a.bytes(), plain.bytes())
		}
	}
	return wrongs
}

func TestProxyHeadersAreIgnored(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkProxyHeaders(newWorld(t)))
	refusesTwin(t, checkProxyHeaders(newWorld(t).twin(naiveProxy)))
}
