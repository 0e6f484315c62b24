package verifyhttp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// render answers with a status and a body, or with no body for 204.
func render(w http.ResponseWriter, status int, body any) {
	if status == http.StatusNoContent {
		w.Header().Del("Content-Type")
		w.WriteHeader(status)
		return
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it is no HTML, and URLs stay readable
	if err := encoder.Encode(body); err != nil {
		panic(err) // our own types always marshal
	}
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a client that has gone cannot be told
}

// A date is RFC 3339 in whole seconds of UTC, null when zero.
type date time.Time

// MarshalJSON implements json.Marshaler.
func (d date) MarshalJSON() ([]byte, error) {
	t := time.Time(d)
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05Z"`)), nil
}

// null is a value that is null when zero.
func null[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// url is an absolute URL of this handler: path segments that need no escaping,
// or path-escaped ones.
func (c *call) url(segments ...string) string {
	return c.origin() + "/v2/" + strings.Join(segments, "/")
}

// origin is Config.BaseURL, or what the request itself was sent to: its host, and
// the prefix that the router has taken off the path before it came here.
func (c *call) origin() string {
	if c.cfg.BaseURL != "" {
		return c.cfg.BaseURL
	}
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	u := url.URL{Scheme: scheme, Host: cmp.Or(c.r.Host, "localhost")} // HTTP/1.0 may name none
	sent, err := url.ParseRequestURI(c.r.RequestURI)                  // a path, or a whole URL
	if err != nil {
		return u.String()
	}
	prefix, _ := strings.CutSuffix(sent.EscapedPath(), c.r.URL.EscapedPath())
	if !strings.HasPrefix(prefix, "/") || prefix == sent.EscapedPath() {
		prefix = ""
	}
	return u.String() + prefix
}
