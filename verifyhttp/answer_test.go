package verifyhttp_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An answer is what came back.
type answer struct {
	tb     testing.TB
	status int
	header http.Header
	body   []byte
}

var requestID = regexp.MustCompile(`^RQ[0-9a-f]{32}$`)

// check holds of every answer, so every test tests it.
func (a answer) check(r *http.Request) {
	a.tb.Helper()
	fail := func(what string) {
		a.tb.Helper()
		a.tb.Errorf("%s %.200s: %s: %d %v %.500s", r.Method, r.RequestURI, what, a.status, a.header, a.body)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} { // HTTP-8
		if got := a.header.Values(name); !slices.Equal(got, []string{want}) {
			fail(name)
		}
	}
	for name := range a.header {
		if name == "Set-Cookie" || name == "Location" || strings.HasPrefix(name, "Access-Control-") {
			fail(name)
		}
	}
	if got := a.header.Values("Twilio-Request-Id"); len(got) != 1 || !requestID.MatchString(got[0]) {
		fail("request id")
	}
	if (a.header["Retry-After"] != nil) && a.status != http.StatusTooManyRequests {
		fail("Retry-After without need")
	}
	if a.status == http.StatusNoContent {
		if len(a.body) > 0 || a.header["Content-Type"] != nil {
			fail("204 with a body")
		}
		return
	}
	if got := a.header.Values("Content-Type"); !slices.Equal(got, []string{"application/json; charset=utf-8"}) {
		fail("Content-Type")
	}
	var object map[string]any
	if err := json.Unmarshal(a.body, &object); err != nil {
		fail(err.Error())
		return
	}
	if a.status < 400 {
		return
	}
	code, _ := object["code"].(float64)
	message, _ := object["message"].(string)
	switch {
	case !slices.Equal(slices.Sorted(maps.Keys(object)), []string{"code", "message", "more_info", "status"}):
		fail("error body")
	case object["status"] != float64(a.status):
		fail("status in body")
	case code < 20000, message == "":
		fail("code or message")
	case object["more_info"] != "https://www.twilio.com/docs/errors/"+strconv.Itoa(int(code)):
		fail("more_info")
	}
}

// A counting test is one whose failures are counted, not reported.
type counting struct {
	testing.TB
	n int
}

func (c *counting) Errorf(string, ...any) { c.n++ }
func (c *counting) Error(...any)          { c.n++ }

// What every test looks at must be able to fail.
func TestAnswerCheckCanFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, bad, gone := w.get("/v2/Services"), w.get("/nothing"), w.delete(w.service())
	header := func(name string, values ...string) func(*answer) {
		return func(a *answer) { a.header[name] = values }
	}
	body := func(old, new string) func(*answer) {
		return func(a *answer) { a.body = []byte(strings.Replace(string(a.body), old, new, 1)) }
	}
	for i, c := range []struct {
		of     answer
		change func(*answer)
	}{
		{good, header("X-Content-Type-Options")}, {good, header("Cache-Control", "private")}, {good, header("Cache-Control", "no-store", "public")},
		{good, header("Set-Cookie", "a=b")}, {good, header("Access-Control-Allow-Origin", "*")}, {good, header("Location", "/")}, {good, header("Retry-After", "1")},
		{good, header("Twilio-Request-Id")}, {good, header("Twilio-Request-Id", "RQ1")}, {good, header("Content-Type", "text/html")}, {good, header("Content-Type", "application/json")},
		{good, body("{", "")}, {gone, header("Content-Type", "application/json; charset=utf-8")}, {gone, func(a *answer) { a.body = []byte("{}") }},
		{bad, body("{", `{"details":{},`)}, {bad, body(`"code":20404,`, "")}, {bad, body(`"code":20404`, `"code":"20404"`)}, {bad, body(`"status":404`, `"status":400`)},
		{bad, body("errors/20404", "errors/20400")}, {bad, func(a *answer) { a.body = []byte("404 page not found") }},
	} {
		counted := &counting{TB: t}
		a := answer{tb: counted, status: c.of.status, header: c.of.header.Clone(), body: c.of.body}
		if a.check(w.request("GET", "/", "")); counted.n != 0 {
			t.Errorf("%d: fails as it is", i)
		}
		c.change(&a)
		if a.check(w.request("GET", "/", "")); counted.n == 0 {
			t.Errorf("%d: passes", i)
		}
	}
}

// value is a value of the body, by its keys with dots between.
func (a answer) value(path string) any {
	var at any
	if err := json.Unmarshal(a.body, &at); err != nil {
		return nil
	}
	for key := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	return at
}

// text is a text of the body, empty if there is none.
func (a answer) text(path string) string {
	text, _ := a.value(path).(string)
	return text
}

func (a answer) code() int {
	code, _ := a.value("code").(float64)
	return int(code)
}

// got tells whether the answer has this status and, if it is an error, code.
func (a answer) got(status, code int) bool {
	return a.status == status && (status < 400 || a.code() == code)
}

// want ends the test unless the answer has this status and code.
func (a answer) want(status, code int) answer {
	a.tb.Helper()
	if !a.got(status, code) {
		a.tb.Fatalf("got %d %.500s, want %d/%d", a.status, a.body, status, code)
	}
	return a
}

// is compares a value of the body.
func (a answer) is(path string, want any) answer {
	a.tb.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := a.value(path); got != want {
		a.tb.Errorf("%s is %#v, want %#v in %.500s", path, got, want, a.body)
	}
	return a
}

// keys are those of an object in the body, sorted.
func (a answer) keys(path string) []string {
	if path == "" {
		var object map[string]any
		_ = json.Unmarshal(a.body, &object)
		return slices.Sorted(maps.Keys(object))
	}
	object, _ := a.value(path).(map[string]any)
	return slices.Sorted(maps.Keys(object))
}

// bytes is all that a client gets, but for the request id. What the client sent
// itself may be replaced by a star, to compare answers to several requests.
func (a answer) bytes(own ...string) string {
	header := a.header.Clone()
	header.Del("Twilio-Request-Id")
	var b strings.Builder
	b.WriteString(strconv.Itoa(a.status) + "\n")
	_ = header.Write(&b) // sorted; a Builder takes all
	body := string(a.body)
	for _, text := range own {
		body = strings.ReplaceAll(body, text, "*")
	}
	return b.String() + "\n" + body
}
