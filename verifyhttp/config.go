package verifyhttp

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Config is how a handler is set up. It is taken by value.
type Config struct {
	// Authenticate decides who may call. It is required: BasicAuth is the usual
	// one, AllowAll is for tests.
	Authenticate Authenticator
	// BaseURL is what absolute URLs in answers begin with, such as
	// https://login.example.com/mfa, without /v2. Zero: the request's scheme, host
	// and whatever prefix the handler is mounted under.
	BaseURL string
	// RequestsPerSecond bounds the requests of each credential, with a burst of
	// as many; beyond it the answer is 429/20429. Zero: off. It is counted in
	// this process only.
	RequestsPerSecond int
	// EntitiesPerSecond bounds the entities created, by their own route or by a
	// first factor; beyond it the answer is 429/60328. Zero: 40, as Twilio. -1:
	// off. It is counted in this process only.
	EntitiesPerSecond int
	// Logger receives a record a request: method, route, status and request id,
	// and what went wrong where the answer does not tell. No record holds a
	// parameter's value. Zero: discard.
	Logger *slog.Logger
	// Clock tells the time to the guards above. Zero: time.Now.
	Clock func() time.Time
	// Rand is where request ids come from. Zero: crypto/rand. It must be safe for
	// concurrent use.
	Rand io.Reader
}

// filled returns the configuration, checked, with every zero replaced by what it
// means.
func (c Config) filled() (Config, error) {
	if c.Authenticate == nil {
		return c, errors.New("verifyhttp: Config.Authenticate is required: BasicAuth(map[string]string{account: token}), or AllowAll in tests")
	}
	if c.BaseURL != "" {
		u, err := url.Parse(c.BaseURL)
		if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(c.BaseURL, "?# ") {
			return c, errors.New("verifyhttp: Config.BaseURL: want a URL such as https://login.example.com/mfa")
		}
		c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c, nil
}
