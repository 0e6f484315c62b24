// Package verifyhttp speaks Verify v2 on the wire: an http.Handler over a
// verify.Engine, made so that Twilio's official SDKs work against it unchanged.
// It stands on the public API of package verify alone.
//
// It is a guest of the server it is mounted in: it starts no goroutine, keeps no
// global, honours the request's context, and trusts no proxy header. Slow clients
// are the server's to end: set ReadHeaderTimeout and ReadTimeout there.
package verifyhttp

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/seed4eca3270/verify"
)

// maxBody is how much of a request's body is read.
const maxBody = 64 << 10

type handler struct {
	engine *verify.Engine
	cfg    Config
	guard  *guard
	mux    *http.ServeMux
}

// New returns a handler for the paths below /v2/. Mount it at the root of a
// router, or under any prefix with http.StripPrefix. It fails if there is no
// Authenticator or the BaseURL is not one.
func New(engine *verify.Engine, cfg Config) (http.Handler, error) {
	if engine == nil {
		return nil, errors.New("verifyhttp: no engine")
	}
	cfg, err := cfg.filled()
	if err != nil {
		return nil, err
	}
	h := &handler{engine: engine, cfg: cfg, guard: newGuard(cfg), mux: http.NewServeMux()}
	for pattern, methods := range byPattern(operations()) {
		h.mux.Handle(pattern, route{h, methods})
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, notFound(r)) })
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := h.cfg.Clock()
	id, err := h.requestID()
	answer := &answerWriter{ResponseWriter: w, id: id}
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Twilio-Request-Id", id)
	defer func() {
		if value := recover(); value != nil {
			if value == http.ErrAbortHandler {
				panic(value)
			}
			h.cfg.Logger.ErrorContext(r.Context(), "verifyhttp: panic", "request", answer.id, "panic", value, "stack", string(debug.Stack()))
			if answer.status == 0 {
				h.fail(answer, r, errPanic)
			}
		}
		h.cfg.Logger.InfoContext(r.Context(), "verifyhttp: request", "request", answer.id, "method", r.Method,
			"route", r.Pattern, "status", answer.status, "took", h.cfg.Clock().Sub(started))
	}()
	if err != nil { // a request that could not be told from others is not served
		h.fail(answer, r, err)
		return
	}
	h.serve(answer, r)
}

// serve lets a request in: who it is comes first, and nothing is read before.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	credential, ok := h.cfg.Authenticate(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="verify"`)
		// Devices set their clocks by it: a server that sits behind a handler
		// test or a transport does not send one by itself.
		w.Header().Set("Date", h.cfg.Clock().UTC().Format(http.TimeFormat))
		h.fail(w, r, &verify.Error{Code: codeUnauthorized, Message: "Authenticate"})
		return
	}
	if wait := h.guard.request(credential, h.cfg.Clock()); wait > 0 {
		h.fail(w, r, tooMany(codeTooManyRequests, "Too many requests", wait))
		return
	}
	if !clean(r.URL) {
		h.fail(w, r, notFound(r))
		return
	}
	h.mux.ServeHTTP(w, r)
}

// clean refuses paths that the mux would redirect: a path has one spelling.
func clean(u *url.URL) bool {
	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// requestID is random, so that it tells nothing and repeats nowhere.
func (h *handler) requestID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(h.cfg.Rand, raw[:]); err != nil {
		return "", fmt.Errorf("verifyhttp: reading randomness: %w", err)
	}
	return "RQ" + hex.EncodeToString(raw[:]), nil
}

// An answerWriter remembers what was answered.
type answerWriter struct {
	http.ResponseWriter
	id     string
	status int
	read   bool // the request's body
}

func (w *answerWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// unwrapped is the server's own writer, which MaxBytesReader tells to answer at
// once and close the connection rather than read on.
func unwrapped(w http.ResponseWriter) http.ResponseWriter {
	if answer, ok := w.(*answerWriter); ok {
		return answer.ResponseWriter
	}
	return w
}

// Unwrap lets http.ResponseController through.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
