package verifyhttp_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed4eca3270/verify/verifyhttp"
)

func TestContentTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for media, ok := range map[string]bool{
		"application/x-www-form-urlencoded":                true,
		"application/x-www-form-urlencoded; charset=utf-8": true,
		"Application/X-WWW-Form-URLencoded;charset=UTF-8":  true,
		"":                                 true, // a body of this kind is all there can be
		"application/json":                 false,
		"multipart/form-data; boundary=a":  false,
		"multipart/form-data":              false,
		"text/plain":                       false,
		"application/xml":                  false,
		"application/x-www-form-urlencode": false,
		"application/x-www-form-urlencoded, application/json": false,
		"application/x-www-form-urlencoded; charset":          false,
		"/":                        false,
		"*/*":                      false,
		";":                        false,
		strings.Repeat("a", 1<<16): false,
	} {
		r := w.request("POST", "/v2/Services", "FriendlyName=Acme")
		r.Header["Content-Type"] = []string{media}
		a := w.send(r)
		if ok && !a.got(201, 0) || !ok && !a.got(415, 20415) {
			t.Errorf("%.80q: got %d %s", media, a.status, a.body)
		}
	}
	r := w.request("POST", "/v2/Services", "FriendlyName=Acme")
	delete(r.Header, "Content-Type")
	w.send(r).want(201, 0)
	// The SDKs send one with GET too, where it says nothing.
	r = w.request("GET", "/v2/Services", "")
	r.Header.Set("Content-Type", "application/json")
	w.send(r).want(200, 0)
	multipart := w.request("POST", "/v2/Services", "--a\r\nContent-Disposition: form-data; name=\"FriendlyName\"\r\n\r\nAcme\r\n--a--\r\n")
	multipart.Header.Set("Content-Type", "multipart/form-data; boundary=a")
	w.send(multipart).want(415, 20415)
}

func TestContentEncoding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for encoding, status := range map[string]int{"identity": 201, "": 201, "gzip": 415, "deflate": 415, "br": 415, "zstd": 415, "gzip, identity": 415, "identity, gzip": 415} {
		r := w.request("POST", "/v2/Services", "FriendlyName=Acme")
		r.Header.Set("Content-Encoding", encoding)
		if a := w.send(r); a.status != status || status == 415 && a.code() != 20415 {
			t.Errorf("%q: got %d %s, want %d", encoding, a.status, a.body, status)
		}
	}
}

// A counter counts what is read of an endless body.
type counter struct{ n int64 }

func (c *counter) Read(p []byte) (int, error) {
	c.n += int64(len(p))
	copy(p, bytes.Repeat([]byte("x"), len(p)))
	return len(p), nil
}

// checkBodies: at most 64 KiB, and what is too much is not even read (HTTP-4).
func checkBodies(w *world) (wrongs []string) {
	const start = "FriendlyName=Acme&x="
	for _, c := range []struct{ more, status, code int }{{0, 201, 0}, {1, 413, 20413}, {1 << 20, 413, 20413}} {
		a := w.send(w.request("POST", "/v2/Services", start+strings.Repeat("x", verifyhttp.MaxBody-len(start)+c.more)))
		if !a.got(c.status, c.code) {
			wrongf(&wrongs, "%d bytes more: got %d %.100s, want %d", c.more, a.status, a.body, c.status)
		}
	}
	for _, length := range []int64{-1, 1 << 40, 5} { // told nothing, the truth, a lie
		endless := &counter{}
		r := w.request("POST", "/v2/Services", "")
		r.Body, r.ContentLength = io.NopCloser(io.LimitReader(endless, 16<<20)), length
		if a := w.send(r); !a.got(413, 20413) {
			wrongf(&wrongs, "endless: got %d", a.status)
		}
		if endless.n > verifyhttp.MaxBody+1 {
			wrongf(&wrongs, "endless: %d bytes read", endless.n)
		}
	}
	return wrongs
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	if verifyhttp.MaxBody != 64<<10 {
		t.Errorf("MaxBody is %d", verifyhttp.MaxBody)
	}
	refusesNone(t, checkBodies(newWorld(t)))
	refusesTwin(t, checkBodies(newWorld(t).twin(func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body) // as whoever wants to log it
		r.Body = io.NopCloser(bytes.NewReader(text))
		next.ServeHTTP(a, r)
	})))
}

func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, err := range []error{io.ErrUnexpectedEOF, errors.New("connection reset by peer at 10.0.0.1"), http.ErrBodyReadAfterClose} {
		r := w.request("POST", "/v2/Services", "")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("FriendlyName=Acme"), broken{err}))
		a := w.send(r).want(400, 20400)
		if strings.Contains(string(a.body), err.Error()) {
			t.Errorf("tells %s", a.body)
		}
	}
	if got := len(w.get("/v2/Services").value("services").([]any)); got != 0 {
		t.Errorf("%d services of broken bodies", got)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// A piped is a server whose connections are pipes, for time that a test controls.
type piped struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *piped) Close() error   { return nil }
func (p *piped) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// dial is a connection to the world's handler behind an http.Server, in a bubble.
func (w *world) dial(t *testing.T, server *http.Server) net.Conn {
	t.Helper()
	p := &piped{make(chan net.Conn), make(chan struct{})}
	server.Handler = w.handler
	go server.Serve(p)
	mine, theirs := net.Pipe()
	p.conns <- theirs
	t.Cleanup(func() {
		mine.Close()
		close(p.done)
		server.Close()
		<-time.After(time.Minute) // of the bubble's: servers linger on what they have cut off
	})
	return mine
}

// bubble runs a test in time of its own.
func bubble(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newWorld(t)) })
}

// reply reads one answer, and tells how long it took.
func reply(t *testing.T, conn net.Conn) (a answer, took time.Duration) {
	t.Helper()
	start := time.Now()
	if err := conn.SetReadDeadline(start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{tb: t, status: got.StatusCode, header: got.Header, body: body}, time.Since(start)
}

const chunkedPost = "POST /v2/Services HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"

// Who sends too much is answered at once, not when he has sent more still. That
// takes the server's own writer; behind a middleware's it cannot be.
func TestTooMuchIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	for _, naive := range []bool{false, true} {
		bubble(t, func(t *testing.T, w *world) {
			if naive {
				w = w.twin(func(next http.Handler, a http.ResponseWriter, r *http.Request) {
					next.ServeHTTP(struct{ http.ResponseWriter }{a}, r)
				})
			}
			conn := w.dial(t, &http.Server{ReadTimeout: time.Minute})
			go fmt.Fprintf(conn, "%s%x\r\n%s\r\n", chunkedPost, verifyhttp.MaxBody+1, strings.Repeat("x", verifyhttp.MaxBody+1))
			a, took := reply(t, conn)
			a.want(413, 20413)
			if naive != (took > 0) {
				t.Errorf("naive: %t, answered after %v", naive, took)
			}
		})
	}
}

// Slow bodies end with the server's deadline (HTTP-9).
func TestSlowBodyEndsWithTheServersDeadline(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		conn := w.dial(t, &http.Server{ReadTimeout: 10 * time.Second})
		dripping := make(chan error)
		go func() {
			_, err := fmt.Fprint(conn, chunkedPost)
			for tick := time.NewTicker(time.Second); err == nil; <-tick.C {
				_, err = fmt.Fprint(conn, "1\r\nx\r\n")
			}
			dripping <- err
		}()
		a, took := reply(t, conn)
		a.want(400, 20400)
		if took != 10*time.Second {
			t.Errorf("answered after %v, want 10s", took)
		}
		conn.Close()
		<-dripping
	})
}

// A Content-Length that promises more than comes makes no service of the half.
func TestContentLengthLies(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		conn := w.dial(t, &http.Server{ReadTimeout: 10 * time.Second})
		go fmt.Fprintf(conn, "POST /v2/Services HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\nFriendlyName=Acme", host)
		a, took := reply(t, conn)
		a.want(400, 20400)
		if took != 10*time.Second {
			t.Errorf("answered after %v, want 10s", took)
		}
		if got := len(w.get("/v2/Services").value("services").([]any)); got != 0 {
			t.Errorf("%d services of half a body", got)
		}
	})
	bubble(t, func(t *testing.T, w *world) { // promised less: what is beyond is no body
		conn := w.dial(t, &http.Server{ReadTimeout: 10 * time.Second})
		go fmt.Fprintf(conn, "POST /v2/Services HTTP/1.1\r\nHost: %s\r\nContent-Length: 17\r\nConnection: close\r\n\r\nFriendlyName=AcmeEvil", host)
		a, _ := reply(t, conn)
		a.want(201, 0).is("friendly_name", "Acme")
	})
}
