package verifyhttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/verifyhttp"
)

// A hostile request is one that nobody sends who wants something done.
type hostile struct {
	name          string
	header        string // lines
	body          func(w io.Writer) error
	status, other int // of the answer, if the server gets round to one
}

const (
	formed  = "Content-Type: application/x-www-form-urlencoded\r\n"
	chunked = "Transfer-Encoding: chunked\r\n"
)

func length(body string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(body)) }

func hostiles() []hostile {
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	big := strings.Repeat("x", 1<<20)
	many := strings.Repeat("a&", 20000)
	long := "FriendlyName=" + big[:60000]
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 4096, big[:4096])
	chunks := func(n int) func(io.Writer) error {
		return func(w io.Writer) error {
			for range n {
				if _, err := io.WriteString(w, chunk); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return []hostile{
		{"JSON", "Content-Type: application/json\r\n" + length("{}"), text("{}"), 415, 0},
		{"multipart", "Content-Type: multipart/form-data; boundary=a\r\n" + length(big[:9999]), text(big[:9999]), 415, 0},
		{"gzip", formed + "Content-Encoding: gzip\r\n" + length(big[:9999]), text(big[:9999]), 415, 0},
		{"a megabyte", formed + length(big), text(big), 413, 0},
		{"a megabyte in chunks", formed + chunked, chunks(256), 413, 0},
		{"20,000 parameters", formed + length(many), text(many), 400, 0},
		{"a long value", formed + length(long), text(long), 400, 0},
		{"binary", formed + length("\xff\xfe\x00"), text("\xff\xfe\x00"), 400, 0},
		{"half a body, then silence", formed + "Content-Length: 60000\r\n", text(big[:30000]), 0, 400},
		{"chunks, then silence", formed + chunked, chunks(8), 0, 400},
		{"a header, then silence", formed + chunked, text(""), 0, 400},
		{"a lie about the length", formed + "Content-Length: 5\r\n", text(big[:9999]), 400, 0},
	}
}

// attack sends one of them. It fails if the answer is another than it should be;
// none at all, before stop ends or the server cuts the line, is as well.
func (h hostile) attack(stop context.Context, conn net.Conn) error {
	defer conn.Close()
	defer context.AfterFunc(stop, func() { conn.Close() })()
	wrote := make(chan struct{})
	go func() { // the answer may come before all is said
		defer close(wrote)
		if _, err := fmt.Fprintf(conn, "POST /v2/Services HTTP/1.1\r\nHost: %s\r\n%s\r\n", host, h.header); err == nil {
			_ = h.body(conn)
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	conn.Close()
	<-wrote
	if err == nil && resp.StatusCode != h.status && resp.StatusCode != h.other {
		return fmt.Errorf("%s: got %d, want %d", h.name, resp.StatusCode, h.status)
	}
	return nil
}

// besiege has 200 clients send hostile requests, one after the other, or one each
// tick if there is a pause, and reports every answer that is neither an error of
// the right kind nor none at all. It counts those it has sent.
func besiege(stop context.Context, address string, pause time.Duration, sent *atomic.Int64, report func(...any)) {
	var wg sync.WaitGroup
	all := hostiles()
	for i := range 200 {
		wg.Go(func() {
			tick := make(<-chan time.Time)
			if pause > 0 {
				select { // not all at once
				case <-time.After(pause * time.Duration(i) / 200):
				case <-stop.Done():
				}
				ticker := time.NewTicker(pause)
				defer ticker.Stop()
				tick = ticker.C
			}
			for k := i; stop.Err() == nil; k++ {
				conn, err := (&net.Dialer{}).DialContext(stop, "tcp", address)
				if err != nil {
					return
				}
				one, cancel := stop, context.CancelFunc(func() {})
				if h := all[k%len(all)]; h.status == 0 && pause > 0 {
					one, cancel = context.WithTimeout(stop, 10*pause)
				}
				if err := all[k%len(all)].attack(one, conn); err != nil {
					report(err)
				}
				cancel()
				sent.Add(1)
				if pause > 0 {
					select {
					case <-tick:
					case <-stop.Done():
					}
				}
			}
		})
	}
	wg.Wait()
}

// One client that behaves is served while 200 do not.
func TestHealthyAmongHostile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.service()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	stop, cancel := context.WithCancel(t.Context())
	var siege sync.WaitGroup
	var sent atomic.Int64
	siege.Go(func() { besiege(stop, server.Listener.Addr().String(), 0, &sent, t.Error) })
	defer siege.Wait()
	defer cancel()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for served := 0; served < 100 || sent.Load() < 200; served++ {
		resp, err := client.Get(server.URL + service)
		outcome(t, resp, err).want(200, 0)
	}
}

// A report is what a process found that has nothing else to do, so that memory
// is the server's alone.
type report struct {
	Healthy int   // requests served
	Heap    int64 // bytes that a siege costs
}

// TestHelperProcess plays a part for other tests.
func TestHelperProcess(t *testing.T) {
	storetest.Help(t, map[string]storetest.Job{"siege": func(p *storetest.Parent, args []string) error {
		var found report
		synctest.Test(t, func(t *testing.T) { found = siege(t, args[0] == "naive") })
		return p.Send(found)
	}})
	if os.Getenv("STORETEST_JOB") == "" {
		t.Parallel()
	}
}

// siege has 150 connections that have each got as far as they can and stay: 75
// a little below what a body may be, 75 with a megabyte.
func siege(t *testing.T, naive bool) (found report) {
	w := newWorld(t)
	if naive {
		w = w.twin(func(next http.Handler, a http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(text)))
			next.ServeHTTP(a, r)
		})
	}
	service := w.service()
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	p := &piped{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: w.handler}
	go server.Serve(p)
	before := heap()
	// What is written to a pipe has been read when Write returns.
	var conns []net.Conn
	var wg sync.WaitGroup
	megabyte := []byte(strings.Repeat("x", 1<<20))
	for i := range 150 {
		mine, theirs := net.Pipe()
		p.conns <- theirs
		conns = append(conns, mine)
		wg.Go(func() {
			n := 60000
			if i%2 == 0 {
				n = len(megabyte)
				go func() { // whoever is cut off stops writing
					_, _ = http.ReadResponse(bufio.NewReader(mine), nil)
					mine.Close()
				}()
			}
			_, _ = fmt.Fprintf(mine, "%s%x\r\n%s", chunkedPost, len(megabyte)+1, megabyte[:n])
		})
	}
	wg.Wait()
	for range 100 {
		if w.get(service).got(200, 0) {
			found.Healthy++
		}
	}
	found.Heap = heap() - before
	for _, c := range conns {
		c.Close()
	}
	close(p.done)
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	// Of the bubble's: servers linger on what they have cut off. A goroutine that
	// is left then is an error of the bubble.
	<-time.After(time.Minute)
	return found
}

// HTTP-4: what a client that is let in can make the server keep is bounded, and
// given back.
func TestHeapUnderSiege(t *testing.T) {
	t.Parallel()
	const bound = 150 * 3 * verifyhttp.MaxBody // 28 MiB; the naive twin keeps 75 MiB at the least
	for _, kind := range []string{"real", "naive"} {
		var found report
		child := storetest.Start(t, "siege", kind)
		child.Expect(&found)
		child.End()
		t.Logf("%s: %+v", kind, found)
		if small := found.Heap < bound; small != (kind == "real") {
			t.Errorf("%s: %d MiB of heap, the bound is %d MiB", kind, found.Heap>>20, bound>>20)
		}
		if found.Healthy != 100 {
			t.Errorf("%s: %d of 100 healthy requests served", kind, found.Healthy)
		}
	}
}
