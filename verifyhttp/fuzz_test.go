package verifyhttp_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed4eca3270/verify/verifyhttp"
)

// What is accepted of a form can be written down again and means the same; what
// is refused leaves nothing behind.
func FuzzForm(f *testing.F) {
	for _, text := range []string{
		"", "&", "a", "a=", "=a", "a=b&a=c", "a;b=c;d", "a=1", "a=-1", "a=01", "a=%31", "a=true", "a=FALSE", "a=%zz", "a=%00", "a=%ff", "a=+", "%5C.=%5C.",
		"a=2026-01-02T03:04:05-05:00", "a=2026-01-02T03:04:05.5Z", `a={"b":"c"}`, `a="{\"b\":\"c\"}"`, "a={}", "a=null", "a=x,+y,,z", "a=https://example.com",
		strings.Repeat("a&", 499), strings.Repeat("a&", 500), "a=[[[[[[", "a=\"\\ud800\"", "a=9223372036854775807", "a=9999-12-31T23:59:60Z", "ſ=K",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form, err := verifyhttp.ReadForm(text)
		if err != nil {
			if form.Values() != nil {
				t.Fatalf("refused, yet %v", form.Values())
			}
			return
		}
		n := 0
		for key, values := range form.Values() {
			n += len(values)
			for _, text := range append(values, key) {
				if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
					t.Errorf("%q is no text", text)
				}
			}
		}
		if n > verifyhttp.MaxParameters {
			t.Errorf("%d parameters", n)
		}
		again, err := verifyhttp.ReadForm(form.Values().Encode())
		if err != nil || !maps.EqualFunc(again.Values(), form.Values(), slices.Equal) {
			t.Errorf("%q: %v, read again: %v, %v", text, form.Values(), again.Values(), err)
		}
		for key := range form.Values() {
			scalars(t, form, key)
		}
	})
}

// scalars reads a parameter in every way there is.
func scalars(t *testing.T, form *verifyhttp.Form, key string) {
	t.Helper()
	value := form.Text(key)
	if err := form.Refused(); (err == nil) != (value != nil) || (err == nil) != (len(form.Values()[key]) == 1) {
		t.Fatalf("%q: %v, %v of %q", key, value, err, form.Values()[key])
	}
	check := func(way string, accepted, empty, same bool) {
		t.Helper()
		switch err := form.Refused(); {
		case err == nil && accepted && !same:
			t.Errorf("%q as %s: %q is not what it was", key, way, *value)
		case err == nil && !accepted, err != nil && !empty:
			t.Errorf("%q as %s: %v, accepted: %t, empty: %t", key, way, err, accepted, empty)
		}
	}
	number := form.Number(key)
	check("number", number != nil, number == nil, number != nil && strconv.Itoa(*number) == *value)
	boolean := form.Boolean(key)
	check("boolean", boolean != nil, boolean == nil, boolean != nil && strings.EqualFold(strconv.FormatBool(*boolean), *value))
	date := form.Date(key)
	text := date.Format(time.RFC3339Nano)
	read, err := time.Parse(time.RFC3339, text)
	if year := date.Year(); year >= 0 && year <= 9999 { // beyond, after the offset is applied, there is no text
		check("date", true, date.IsZero(), err == nil && read.Equal(date) && date.Location() == time.UTC)
	}
	_ = form.Refused()
	list := form.List(key)
	check("list", list != nil, list == nil, list != nil && !slices.ContainsFunc(*list, func(item string) bool {
		return item == "" || item != strings.TrimSpace(item) || strings.Contains(item, ",")
	}))
	object := form.Object(key)
	twice := map[string]string{}
	if text, err := json.Marshal(object); err != nil || json.Unmarshal(text, &twice) != nil {
		t.Errorf("%q as object: %v", key, err)
	}
	check("object", object != nil, len(object) == 0, reflect.DeepEqual(object, twice))
}

// A page token is one that the engine has given out, or none.
func FuzzPageToken(f *testing.F) {
	w := newWorld(f)
	for range 4 {
		w.service()
	}
	issued := map[string]bool{"": true}
	for size := range 4 {
		at := "/v2/Services?PageSize=" + strconv.Itoa(size+1)
		for a := w.get(at); ; a = w.get(at) {
			for _, key := range []string{"meta.next_page_url", "meta.previous_page_url"} {
				u, err := url.Parse(a.text(key))
				if err != nil {
					f.Fatal(err)
				}
				issued[u.Query().Get("PageToken")] = true
			}
			if at = strings.TrimPrefix(a.text("meta.next_page_url"), origin); at == "" {
				break
			}
		}
	}
	for token := range issued {
		f.Add(token)
		f.Add(token + "=")
		f.Add(strings.ToLower(token))
	}
	f.Add("' OR 1=1 --")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("\x00\xff")
	f.Fuzz(func(t *testing.T, token string) {
		x := *w
		x.tb = t
		a := x.get("/v2/Services?PageToken=" + url.QueryEscape(token))
		switch {
		case a.got(200, 0) && issued[token], a.got(400, 60306) && !issued[token]:
		case a.got(400, 20400) && (!utf8.ValidString(token) || strings.ContainsRune(token, 0)):
		default:
			t.Errorf("%q, issued: %t: got %d %s", token, issued[token], a.status, a.body)
		}
	})
}

// Any path at all has an answer, and it is not that the server has failed.
func FuzzPath(f *testing.F) {
	w := newWorld(f)
	service := w.service()
	a := w.enrol(w.entity(service, ann))
	for _, o := range operations() {
		f.Add(o.path)
	}
	for _, target := range []string{
		service, a.entity, a.factor, a.entity + "/Challenges?PageSize=5", service + "%2FEntities", service + "/Entities/%2e%2e", service + "//Entities", service + "/Entities/user%252D0001",
		"/", "*", "//", "/v2/Services/%00", "/v2/Services/%c0%af", "http://elsewhere/v2/Services", "/v2/Services?%zz", "/v2/Services;x", "/v2/Services#x", "/v2/Services/..;/",
	} {
		f.Add(target)
	}
	known := []int{200, 400, 404, 405}
	f.Fuzz(func(t *testing.T, target string) {
		x := *w
		x.tb = t // whose answers are looked at by send
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			if r := parse(method, target, nil); r != nil {
				if a := x.send(r); !slices.Contains(known, a.status) {
					t.Errorf("%s %q: got %d %s", method, target, a.status, a.body)
				}
			}
			r := parse(method, "/", nil)
			r.URL = &url.URL{Path: target} // a middleware's
			if a := x.send(r); !slices.Contains(known, a.status) {
				t.Errorf("%s, path %q: got %d %s", method, target, a.status, a.body)
			}
		}
	})
}
