package verifyhttp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/verifyhttp"
)

// labelled runs f and counts the goroutines that it leaves behind. Goroutines
// inherit labels, so those of other tests do not count. Those that are about to
// end get as many looks as patience allows.
func labelled(tb testing.TB, patience int, f func()) (left int) {
	tb.Helper()
	mark := fmt.Sprintf("%s %d", tb.Name(), time.Now().UnixNano())
	pprof.Do(context.Background(), pprof.Labels("guest", mark), func(context.Context) { f() })
	for range patience {
		runtime.Gosched()
		left = 0
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			tb.Fatal(err)
		}
		_, records, _ := strings.Cut(profile.String(), "\n")
		for record := range strings.SplitSeq(records, "\n\n") {
			if strings.Contains(record, mark) {
				var n int
				if _, err := fmt.Sscanf(record, "%d @", &n); err != nil {
					tb.Fatalf("%v: %s", err, record)
				}
				left += n
			}
		}
		if left == 0 {
			break
		}
	}
	return left
}

// naiveCounting does its bookkeeping where it does not cost the client any time.
func naiveCounting(done chan struct{}) func(next http.Handler, a http.ResponseWriter, r *http.Request) {
	return func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		go func() { <-done }()
		next.ServeHTTP(a, r)
	}
}

// checkGoroutines makes a handler, uses it in all ways, and looks what stays.
func checkGoroutines(tb testing.TB, w *world, patience int) (wrongs []string) {
	requests := everything(w)
	if left := labelled(tb, patience, func() {
		cfg := verifyhttp.Config{Authenticate: verifyhttp.AllowAll, RequestsPerSecond: 1000}
		if _, err := verifyhttp.New(w.engine.Engine, cfg); err != nil {
			tb.Fatal(err)
		}
		for _, request := range requests {
			w.send(request())
		}
		for _, c := range []struct{ method, target string }{{"GET", "/"}, {"PUT", "/v2/Services"}, {"POST", "/v2/Services?%"}} {
			w.send(w.request(c.method, c.target, "%"))
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		w.send(w.request("GET", "/v2/Services", "").WithContext(ctx))
	}); left > 0 {
		wrongf(&wrongs, "%d goroutines are left", left)
	}
	return wrongs
}

func TestNoGoroutineIsLeft(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkGoroutines(t, newWorld(t), 10000))
	done := make(chan struct{})
	defer close(done)
	refusesTwin(t, checkGoroutines(t, newWorld(t).twin(naiveCounting(done)), 1))
}

// Behind a real server too everything ends, however clients come and go.
func TestServerEndsCleanly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	left := labelled(t, 10000, func() {
		server := httptest.NewServer(w.handler)
		defer server.Close()
		client := server.Client()
		for i := range 20 {
			ctx, cancel := context.WithCancel(context.Background())
			body := io.Reader(strings.NewReader("FriendlyName=Acme"))
			if i%2 == 0 {
				body = io.MultiReader(body, &cancelling{cancel: cancel}) // and gone
			}
			r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/v2/Services", body)
			if err != nil {
				t.Error(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if resp, err := client.Do(r); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			cancel()
		}
		client.CloseIdleConnections()
	})
	if left > 0 {
		t.Errorf("%d goroutines are left", left)
	}
	page, err := w.engine.ListServices(t.Context(), verify.PageParams{})
	if err != nil || len(page.Items) != 10 {
		t.Errorf("%d services, %v, want those of the 10 who stayed", len(page.Items), err)
	}
}

// A cancelling body cancels its own request and then hangs until it has.
type cancelling struct{ cancel context.CancelFunc }

func (c *cancelling) Read([]byte) (int, error) {
	c.cancel()
	return 0, context.Canceled
}

// A request that waits for the database returns when its client is gone, while
// the one that it waits for goes on (HTTP-9).
func TestCancelledRequestReturns(t *testing.T) {
	t.Parallel()
	w, faults := faulty(t, &book{})
	service := w.service()
	began, release, armed := make(chan struct{}), make(chan struct{}), atomic.Bool{}
	armed.Store(true)
	faults.Hook(func(op storetest.Op) {
		if op.Kind == storetest.Exec && strings.HasPrefix(op.SQL, "BEGIN") && armed.CompareAndSwap(true, false) {
			close(began)
			<-release
		}
	})
	first := make(chan answer)
	go func() { first <- w.post(service+"/Entities", "Identity", ann) }()
	<-began
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		second := make(chan answer)
		go func() { second <- w.send(w.request("POST", service+"/Entities", "Identity="+bob).WithContext(ctx)) }()
		cancel()
		(<-second).want(500, verify.CodeInternal) // would block for ever
	}
	close(release)
	(<-first).want(201, 0)
	w.get(service+"/Entities/"+ann).want(200, 0)
	w.get(service+"/Entities/"+bob).want(404, 20404)
}

// A loan is a writer and a body that may be used until they are given back.
type loan struct {
	httptest.ResponseRecorder
	tb   testing.TB
	over atomic.Bool
}

func (l *loan) use() {
	if l.over.Load() {
		l.tb.Error("used after return")
	}
}
func (l *loan) Header() http.Header         { l.use(); return l.ResponseRecorder.Header() }
func (l *loan) WriteHeader(status int)      { l.use(); l.ResponseRecorder.WriteHeader(status) }
func (l *loan) Write(p []byte) (int, error) { l.use(); return l.ResponseRecorder.Write(p) }
func (l *loan) Read([]byte) (int, error)    { l.use(); return 0, io.EOF }

// lend sends everything with a writer and a body that are taken back.
func lend(tb testing.TB, w *world) {
	tb.Helper()
	for _, request := range append(everything(w), func() *http.Request { return w.request("GET", "/v2/Services", "") }) {
		l := &loan{ResponseRecorder: *httptest.NewRecorder(), tb: tb}
		r := request()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			tb.Fatal(err)
		}
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), l))
		if w.handler.ServeHTTP(l, r); l.Code >= 300 {
			tb.Errorf("%d %s", l.Code, l.Body)
		}
		l.over.Store(true)
	}
}

func TestNothingIsUsedAfterReturn(t *testing.T) {
	t.Parallel()
	lend(t, newWorld(t))
	var last http.ResponseWriter
	counted := &counting{TB: t}
	lend(counted, newWorld(t).twin(func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		if last != nil {
			last.Header().Set("Trailer", "kept too long")
		}
		last = a
		next.ServeHTTP(a, r)
	}))
	if counted.n == 0 {
		t.Error("the naive twin passes: this test has no teeth")
	}
}

// What the host's writer can do, it can still do within.
func TestResponseControllerWorksThrough(t *testing.T) {
	t.Parallel()
	tried := make(chan error, 4)
	server := httptest.NewServer(http.HandlerFunc(func(a http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(verifyhttp.Wrap(a))
		tried <- c.SetReadDeadline(time.Now().Add(time.Hour))
		tried <- c.SetWriteDeadline(time.Now().Add(time.Hour))
		tried <- c.EnableFullDuplex()
		tried <- c.Flush()
	}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for i := range 4 {
		if err := <-tried; err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// Nobody who imports the package gets a route that he did not ask for.
func TestDefaultServeMuxIsUntouched(t *testing.T) {
	t.Parallel()
	newWorld(t)
	for _, path := range []string{"/", "/v2/Services", "/debug/pprof/", "/debug/vars"} {
		if _, pattern := http.DefaultServeMux.Handler(parse("GET", path, nil)); pattern != "" {
			t.Errorf("%s is served by %q", path, pattern)
		}
	}
}
