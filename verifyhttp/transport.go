package verifyhttp

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"strconv"
)

// Transport serves the requests of an HTTP client in process, whatever host they
// name: with it the official Go SDK runs against an engine without a socket. A
// request runs on the goroutine that sends it.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ h http.Handler }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	defer body.Close()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	// What a server would have made of the client's request.
	in := r.Clone(r.Context())
	in.Body, in.RequestURI, in.RemoteAddr = body, r.URL.RequestURI(), "in-process"
	if in.Method == "" { // what a client says for GET
		in.Method = http.MethodGet
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{HandshakeComplete: true, ServerName: r.URL.Hostname()} // URLs in answers shall be https, too
	}
	if r.ContentLength > 0 {
		in.ContentLength = r.ContentLength
	}
	out := &recorder{header: make(http.Header), status: http.StatusOK}
	t.h.ServeHTTP(out, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if out.sent == nil {
		out.WriteHeader(http.StatusOK)
	}
	return &http.Response{
		Status: strconv.Itoa(out.status) + " " + http.StatusText(out.status), StatusCode: out.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.sent, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: r,
	}, nil
}

// A recorder keeps an answer until its handler is done.
type recorder struct {
	header, sent http.Header // sent: as it was when the status was written
	status       int
	body         bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.sent == nil {
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}
