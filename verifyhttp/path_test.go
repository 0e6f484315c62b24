package verifyhttp_test

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

// naivePath is what several layers make of a path that each reads in its own way.
func naivePath(next http.Handler, a http.ResponseWriter, r *http.Request) {
	twice, err := url.PathUnescape(r.URL.Path)
	if err != nil {
		twice = r.URL.Path
	}
	again := r.Clone(r.Context())
	again.URL = &url.URL{Path: path.Clean(twice)}
	next.ServeHTTP(a, again)
}

// checkPaths is HTTP-11: a path is read once, and names what it names or nothing.
func checkPaths(w *world) (wrongs []string) {
	service := w.service()
	sid := strings.TrimPrefix(service, "/v2/Services/")
	w.entity(service, ann)
	long := strings.Repeat("long", 16)
	w.entity(service, long)
	for _, c := range []struct {
		target   string
		status   int
		code     int
		identity string // of what is found
	}{
		{service + "/Entities/" + ann, 200, 0, ann},
		{service + "/Entities/USER-0001", 200, 0, ann}, // letter case is kept, not told apart
		{service + "/Entities/user%2D0001", 200, 0, ann},
		{service + "/Entities/%75%73er-0001", 200, 0, ann},
		{service + "/Entities/user%252D0001", 400, 60306, ""},
		{service + "/Entities/user%25252D0001", 400, 60306, ""},
		{service + "/Entities/user-0001%00", 400, 60306, ""},
		{service + "/Entities/user-0001%20", 400, 60306, ""},
		{service + "/Entities/user-0001%0A", 400, 60306, ""},
		{service + "/Entities/user-0001%2F", 400, 60306, ""},
		{service + "/Entities/user-0001%2FFactors", 400, 60306, ""},
		{service + "/Entities/user-0001%252FFactors", 400, 60306, ""},
		{service + "/Entities/x%2F..%2Fuser-0001", 400, 60306, ""},
		{service + "/Entities/user+0001", 400, 60306, ""},
		{service + "/Entities/user;0001", 400, 60306, ""},
		{service + "/Entities/user-0001;a=b", 400, 60306, ""},
		{service + "/Entities/user-0001.json", 400, 60306, ""},
		{service + "/Entities/user%C0%AD0001", 400, 60306, ""}, // an overlong dash
		{service + "/Entities/user%E0%80%AD0001", 400, 60306, ""},
		{service + "/Entities/%C0%AE%C0%AE/Entities", 404, 20404, ""}, // overlong dots
		{service + "/Entities/%ff%fe%ff%fe%ff%fe%ff%fe", 400, 60306, ""},
		{service + "/Entities/ｕser-0001", 400, 60306, ""},
		{service + "/Entities/" + long, 200, 0, long},
		{service + "/Entities/" + long + "x", 400, 60306, ""},
		{service + "/Entities/" + long[:63], 404, 20404, ""},
		{service + "/Entities/user-01", 400, 60306, ""},
		{service + "/Entities/" + strings.Repeat("x", 100000), 400, 60306, ""},
		{service + "/Entities/..", 404, 20404, ""},
		{service + "/Entities/%2e%2e", 400, 60306, ""},
		{service + "/Entities/%2e%2e%2fuser-0001", 400, 60306, ""},
		{service + "/Entities/./" + ann, 404, 20404, ""},
		{service + "/Entities/../Entities/" + ann, 404, 20404, ""},
		{service + "/Entities/%2e%2e/Entities/" + ann, 404, 20404, ""},
		{service + "/Entities//" + ann, 404, 20404, ""},
		{service + "//Entities/" + ann, 404, 20404, ""},
		{service + "/Entities/" + ann + "/", 404, 20404, ""},
		{service + "/Entities/" + ann + "//", 404, 20404, ""},
		{service + "/Entities/" + ann + "/.", 404, 20404, ""},
		{service + "/Entities/" + ann + "/x/..", 404, 20404, ""},
		{service + `/Entities\` + ann, 404, 20404, ""},
		{service + "/Entities%2F" + ann, 404, 20404, ""},
		{service + "%2FEntities%2F" + ann, 404, 20404, ""},
		{service + "%252FEntities", 404, 20404, ""},
		{service + "/entities/" + ann, 404, 20404, ""},
		{service + "/Entities/" + ann + "%3F", 400, 60306, ""},
		{service + "/", 404, 20404, ""},
		{service + "%00", 404, 20404, ""},
		{service + "%0A", 404, 20404, ""},
		{service + "%20", 404, 20404, ""},
		{service + "0", 404, 20404, ""},
		{service[:len(service)-1], 404, 20404, ""},
		{"/v2/Services/VA" + strings.ToUpper(sid[2:]), 404, 20404, ""},
		{"/v2/Services/va" + sid[2:], 404, 20404, ""},
		{"/v2/Services/YE" + sid[2:], 404, 20404, ""},
		{"/v2/Services/" + sid[2:], 404, 20404, ""},
		{"/v2/Services/%2F", 404, 20404, ""},
		{"/v2/Services/%2F/Entities", 404, 20404, ""},
		{"/v2/Services/%2F/" + sid, 404, 20404, ""},
		{"/v2/Services/%2e/" + sid, 404, 20404, ""},
		{"/v2/Services/..%2FServices/" + sid, 404, 20404, ""},
		{"/v2/Services/../Services/" + sid, 404, 20404, ""},
		{"//v2/Services/" + sid, 404, 20404, ""},
		{"/v2//Services/" + sid, 404, 20404, ""},
		{"/./v2/Services/" + sid, 404, 20404, ""},
		{"/V2/Services/" + sid, 404, 20404, ""},
		{"/v2/services/" + sid, 404, 20404, ""},
		{"/v1/Services/" + sid, 404, 20404, ""},
		{"/v2/Services;a=b/" + sid, 404, 20404, ""},
		{"/v2/Services.json", 404, 20404, ""},
		{"/v2/Services/", 404, 20404, ""},
		{"/v2/Services//", 404, 20404, ""},
		{"/v2", 404, 20404, ""},
		{"/v2/", 404, 20404, ""},
		{"/", 404, 20404, ""},
		{"/favicon.ico", 404, 20404, ""},
		{"/v2/Services/" + sid + "/Nothing", 404, 20404, ""},
		{"/v2/Services/" + sid + "/Entities/" + ann + "/Factors/x/y/z", 404, 20404, ""},
	} {
		a := w.get(c.target)
		if got := a.text("identity"); !a.got(c.status, c.code) || got != c.identity {
			wrongf(&wrongs, "%.200q: got %d/%d %q, want %d/%d %q", c.target, a.status, a.code(), got, c.status, c.code, c.identity)
		}
	}
	return wrongs
}

func TestPathsAreReadOnce(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkPaths(newWorld(t)))
	refusesTwin(t, checkPaths(newWorld(t).twin(naivePath)))
}

// A + of a path is a plus, as in a phone number.
func TestPlusInPathIsNoSpace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for target, want := range map[string]string{
		"/v2/SafeList/Numbers/+18001234567":   "+18001234567",
		"/v2/SafeList/Numbers/%2B18001234567": "+18001234567",
		"/v2/SafeList/Numbers/%2018001234567": " 18001234567",
	} {
		r := w.request("GET", target, "")
		w.send(r).want(404, 20404)
		if got := r.PathValue("PhoneNumber"); got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
}

// Targets that are not paths at all are no reason to fall over.
func TestStrangeTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ method, target string }{
		{"OPTIONS", "*"}, {"CONNECT", "example.com:443"}, {"CONNECT", "/v2/Services"}, {"GET", "http://elsewhere.example.com"},
	} {
		if a := w.send(w.request(c.method, c.target, "")); a.status != 404 && a.status != 405 {
			t.Errorf("%s %s: got %d %s", c.method, c.target, a.status, a.body)
		}
	}
	w.send(w.request("GET", "http://elsewhere.example.com/v2/Services", "")).want(200, 0)
	for _, u := range []*url.URL{{}, {Path: "v2/Services"}, {Opaque: "v2/Services"}, {Path: "/v2/Services/\x00\xff"}, {Path: "/v2/..//"}} {
		r := w.request("GET", "/", "")
		r.URL = u
		w.send(r).want(404, 20404)
	}
}
