package verifyhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/seed4eca3270/verify/verifyhttp"
)

// client is an HTTP client whose requests go to the world, whatever they name.
func (w *world) client() *http.Client {
	return &http.Client{Transport: verifyhttp.Transport(w.handler)}
}

// outcome reads a response as a server's answer.
func outcome(tb testing.TB, resp *http.Response, err error) answer {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if resp.ContentLength != int64(len(body)) {
		tb.Errorf("Content-Length %d of %d bytes", resp.ContentLength, len(body))
	}
	return answer{tb: tb, status: resp.StatusCode, header: resp.Header, body: body}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withAuth(verifyhttp.BasicAuth(tokens())))
	client := w.client()
	do := func(method, target, body string) (*http.Request, *http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(account, token)
		resp, err := client.Do(r)
		return r, resp, err
	}
	r, resp, err := do("POST", "https://verify.twilio.com/v2/Services?ignored=1", "FriendlyName=Acme")
	a := outcome(t, resp, err).want(201, 0).is("friendly_name", "Acme")
	a.check(r)
	if resp.Status != "201 Created" || resp.Proto != "HTTP/1.1" || resp.ProtoMajor != 1 || resp.ProtoMinor != 1 || resp.Request == nil {
		t.Errorf("got %q %q, request %v", resp.Status, resp.Proto, resp.Request)
	}
	// As if that host had answered, so that its URLs can be followed.
	a.is("url", "https://verify.twilio.com/v2/Services/"+a.text("sid"))
	for _, u := range []string{a.text("url"), "http://localhost:8080/v2/Services/" + a.text("sid")} {
		_, resp, err := do("GET", u, "")
		outcome(t, resp, err).want(200, 0).is("url", u)
	}
	_, resp, err = do("DELETE", a.text("url"), "")
	if got := outcome(t, resp, err).want(204, 0); len(got.body) > 0 || got.header.Get("Twilio-Request-Id") == "" {
		t.Errorf("204: %v %s", got.header, got.body)
	}
	_, resp, err = do("GET", a.text("url"), "")
	outcome(t, resp, err).want(404, 20404)
	for _, target := range []string{"https://verify.twilio.com", "https://verify.twilio.com/", "https://verify.twilio.com?a=b"} {
		_, resp, err = do("GET", target, "")
		outcome(t, resp, err).want(404, 20404)
	}
}

// Requests made in unusual ways, as a RoundTripper may get them.
func TestTransportRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	transport := verifyhttp.Transport(w.handler)
	u := &url.URL{Scheme: "http", Host: "localhost", Path: "/v2/Services"}
	for _, method := range []string{"GET", "POST"} { // no body, no header, no context
		resp, err := transport.RoundTrip(&http.Request{Method: method, URL: u})
		a := outcome(t, resp, err)
		a.want(map[string]int{"GET": 200, "POST": 400}[method], 20001)
	}
	resp, err := transport.RoundTrip(&http.Request{URL: u}) // an empty method is GET
	outcome(t, resp, err).want(200, 0)

	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	body := &closeable{Reader: strings.NewReader("FriendlyName=Acme")}
	r := &http.Request{Method: "POST", URL: u, Header: header, Body: body, Host: "named.example.com"}
	resp, err = transport.RoundTrip(r)
	a := outcome(t, resp, err).want(201, 0)
	a.is("url", "http://named.example.com/v2/Services/"+a.text("sid"))
	if !body.closed {
		t.Error("the body stays open")
	}
	if r.RequestURI != "" || r.RemoteAddr != "" || len(header) != 1 || r.URL != u || r.Body != io.ReadCloser(body) || r.Pattern != "" {
		t.Errorf("the client's request was changed: %+v", r)
	}
	body = &closeable{Reader: broken{errors.New("out of paper")}}
	resp, err = transport.RoundTrip(&http.Request{Method: "POST", URL: u, Header: header, Body: body})
	outcome(t, resp, err).want(400, 20400)
	if !body.closed {
		t.Error("the broken body stays open")
	}
}

type closeable struct {
	io.Reader
	closed bool
}

func (c *closeable) Close() error {
	c.closed = true
	return nil
}

func TestTransportContexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.client()
	ctx, cancel := context.WithCancelCause(t.Context())
	send := func() error {
		body := &closeable{Reader: strings.NewReader("FriendlyName=Acme")}
		r, err := http.NewRequestWithContext(ctx, "POST", "http://localhost/v2/Services", body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		if !body.closed {
			t.Error("the body stays open")
		}
		return err
	}
	if err := send(); err != nil {
		t.Error(err)
	}
	cancel(nil)
	if err := send(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	ctx, cancelNow := context.WithCancel(t.Context())
	during := newWorld(t, withAuth(func(*http.Request) (string, bool) { cancelNow(); return "", true }))
	client = during.client()
	if err := send(); !errors.Is(err, context.Canceled) { // while it is being served
		t.Errorf("got %v", err)
	}
	for _, x := range []*world{w, during} {
		if got, want := strings.Count(x.state(), `"FriendlyName"`)+strings.Count(x.state(), `"friendly_name"`), map[*world]int{w: 1}[x]; got != want {
			t.Errorf("%d services, want %d", got, want)
		}
	}
}

// Whatever a handler does, its answer is what a server would have sent.
func TestTransportOfAnyHandler(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve  http.HandlerFunc
		status int
		body   string
	}{
		"nothing":     {func(http.ResponseWriter, *http.Request) {}, 200, ""},
		"only a body": {func(a http.ResponseWriter, _ *http.Request) { fmt.Fprint(a, "a", "b") }, 200, "ab"},
		"twice":       {func(a http.ResponseWriter, _ *http.Request) { a.WriteHeader(418); a.WriteHeader(200) }, 418, ""},
		"late header": {func(a http.ResponseWriter, _ *http.Request) { a.WriteHeader(202); a.Header().Set("Late", "x") }, 202, ""},
		"early header": {func(a http.ResponseWriter, r *http.Request) {
			a.Header().Set("Early", r.RequestURI+" "+r.Host)
			fmt.Fprint(a, "x")
		}, 200, "x"},
	} {
		client := &http.Client{Transport: verifyhttp.Transport(c.serve)}
		resp, err := client.Get("http://localhost/a%2Fb?c=d")
		a := outcome(t, resp, err)
		if a.status != c.status || string(a.body) != c.body || a.header.Get("Late") != "" || name == "early header" && a.header.Get("Early") != "/a%2Fb?c=d localhost" {
			t.Errorf("%s: got %d %v %q", name, a.status, a.header, a.body)
		}
	}
}

func TestTransportIsConcurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.client()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				resp, err := client.PostForm("http://localhost/v2/Services", url.Values{"FriendlyName": {"Acme"}})
				if err != nil {
					t.Error(err)
					return
				}
				made := outcome(t, resp, err)
				resp, err = client.Get(made.text("url"))
				if got := outcome(t, resp, err); got.text("sid") != made.text("sid") || made.status != 201 {
					t.Errorf("made %s, got %s", made.body, got.body)
				}
			}
		})
	}
	wg.Wait()
	if got := strings.Count(w.state(), `"friendly_name"`); got != 160 {
		t.Errorf("%d services, want 160", got)
	}
}
