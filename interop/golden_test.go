package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

// TestGolden holds requests and answers, byte by byte, against the files in
// testdata. A change there is a change of the wire, to be seen by whoever reviews
// it.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, scene := range map[string]func(*golden){
		"services": goldenServices, "entities": goldenEntities, "factors": goldenFactors,
		"challenges": goldenChallenges, "requests": goldenRequests,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGolden(t)
			scene(g)
			g.compare(filepath.Join("testdata", name+".txtar"))
		})
	}
}

const goldenComment = `Requests to verifyhttp and its answers, as they are on the wire but for the JSON,
which is indented here, and for page tokens, which no test can foresee. Written by
go test -update . in the folder above.

`

// A golden is a conversation that is kept.
type golden struct {
	*testing.T
	*verifytest.Engine
	handler http.Handler
	archive txtar.Archive
	tokens  map[string]string // page tokens that were given out, and what is written for them
}

// newGolden makes everything that could differ between two runs the same.
func newGolden(t *testing.T) *golden {
	t.Helper()
	engine, handler := newHandler(t, newRecord(), func(cfg *verifyhttp.Config) {
		cfg.BaseURL = "https://verify.example.com"
		cfg.EntitiesPerSecond = 10
		cfg.Rand = verifytest.Rand(t.Name() + " requests")
	})
	return &golden{
		T: t, Engine: engine, handler: handler,
		archive: txtar.Archive{Comment: []byte(goldenComment)}, tokens: make(map[string]string),
	}
}

// A reply is the JSON of an answer.
type reply map[string]any

// text finds a text by the keys that lead to it.
func (r reply) text(keys ...string) string {
	var v any = map[string]any(r)
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	text, _ := v.(string)
	return text
}

func (g *golden) get(name, target string) reply {
	return g.keep(name, g.request(http.MethodGet, target, ""))
}
func (g *golden) delete(name, target string) { g.keep(name, g.request(http.MethodDelete, target, "")) }

// post takes parameters as keys and values by turns.
func (g *golden) post(name, target string, parameters ...string) reply {
	return g.keep(name, g.request(http.MethodPost, target, form(parameters...)))
}

// unkept is for what an exchange needs to have happened.
func (g *golden) unkept(target string, parameters ...string) reply {
	g.Helper()
	answer := g.ask(g.request(http.MethodPost, target, form(parameters...)))
	if answer.Code >= 300 {
		g.Fatalf("POST %s: %d %s", target, answer.Code, answer.Body)
	}
	return g.read(answer)
}

func form(parameters ...string) string {
	var pairs []string
	for i := 0; i < len(parameters); i += 2 {
		pairs = append(pairs, url.QueryEscape(parameters[i])+"="+url.QueryEscape(parameters[i+1]))
	}
	return strings.Join(pairs, "&")
}

// request takes URLs of answers as well as paths.
func (g *golden) request(method, target, body string) *http.Request {
	u, err := url.Parse(target)
	ok(g.T, err)
	r := httptest.NewRequest(method, u.RequestURI(), strings.NewReader(body))
	r.Host = "verify.example.com"
	r.SetBasicAuth(accountSID, authToken)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (g *golden) ask(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	g.handler.ServeHTTP(answer, r)
	return answer
}

// keep asks, and adds request and answer to the archive.
func (g *golden) keep(name string, r *http.Request) reply {
	g.Helper()
	body, err := io.ReadAll(r.Body)
	ok(g.T, err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := g.ask(r)
	var in, out strings.Builder
	fmt.Fprintf(&in, "%s %s HTTP/1.1\nHost: %s\n", r.Method, r.RequestURI, r.Host)
	writeHeaders(&in, r.Header, "Authorization", "Content-Type")
	if len(body) > 0 {
		fmt.Fprintf(&in, "\n%s\n", body)
	}
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\n", answer.Code, http.StatusText(answer.Code))
	writeHeaders(&out, answer.Header(), "Allow", "Content-Type", "Date", "Retry-After", "Twilio-Request-Id", "Www-Authenticate")
	if answer.Body.Len() > 0 {
		var indented bytes.Buffer
		ok(g.T, json.Indent(&indented, bytes.TrimSpace(answer.Body.Bytes()), "", "  "))
		fmt.Fprintf(&out, "\n%s\n", indented.Bytes())
	}
	g.learn(answer.Body.String())
	g.archive.Files = append(g.archive.Files,
		txtar.File{Name: name + ": request", Data: []byte(g.masked(in.String()))},
		txtar.File{Name: name + ": answer", Data: []byte(g.masked(out.String()))})
	return g.read(answer)
}

func writeHeaders(b *strings.Builder, h http.Header, names ...string) {
	for _, name := range names {
		for _, value := range h.Values(name) {
			fmt.Fprintf(b, "%s: %s\n", name, value)
		}
	}
}

func (g *golden) read(answer *httptest.ResponseRecorder) (r reply) {
	g.Helper()
	if answer.Body.Len() > 0 {
		ok(g.T, json.Unmarshal(answer.Body.Bytes(), &r))
	}
	return r
}

var pageToken = regexp.MustCompile(`PageToken=([\w-]+)`)

// learn gives page tokens names, by the order of their appearance.
func (g *golden) learn(answer string) {
	for _, match := range pageToken.FindAllStringSubmatch(answer, -1) {
		if token := match[1]; g.tokens[token] == "" {
			g.tokens[token] = fmt.Sprintf("TOKEN-%d", len(g.tokens)+1)
		}
	}
}

func (g *golden) masked(text string) string {
	for token, name := range g.tokens {
		text = strings.ReplaceAll(text, token, name)
	}
	return text
}

// compare holds the conversation against the file, or writes the file.
func (g *golden) compare(path string) {
	g.Helper()
	got := txtar.Format(&g.archive)
	if *update {
		ok(g.T, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		g.Fatalf("%v; go test -update . writes it", err)
	}
	if bytes.Equal(got, want) {
		return
	}
	kept := make(map[string]string)
	for _, f := range txtar.Parse(want).Files {
		kept[f.Name] = string(f.Data)
	}
	for _, f := range g.archive.Files {
		if kept[f.Name] != string(f.Data) {
			g.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", path, f.Name, f.Data, kept[f.Name])
		}
		delete(kept, f.Name)
	}
	for name := range kept {
		g.Errorf("%s: %s: not asked any more", path, name)
	}
	g.Errorf("%s is not what was seen; go test -update . writes it anew", path)
}
