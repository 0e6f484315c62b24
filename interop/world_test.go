package interop

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	twilio "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

// What clients sign in with. Secrets of letters and digits only: twilio-go sends
// no others.
const (
	accountSID = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	authToken  = "notasecret"
	keySID     = "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	keySecret  = "notasecreteither"
)

// twilioHost is where the SDKs send their requests if left alone.
const twilioHost = "verify.twilio.com"

// A way is how a client reaches a handler. The origin is what URLs begin with in
// answers that come that way.
type way func(t *testing.T, h http.Handler) (client *http.Client, origin string)

// overSocket puts a server between client and handler.
func overSocket(t *testing.T, h http.Handler) (*http.Client, string) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: toServer{u, server.Client().Transport}}, server.URL
}

// toServer sends what is meant for Twilio to a server: twilio-go has no setting
// for that.
type toServer struct {
	server *url.URL
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != twilioHost && r.URL.Host != s.server.Host {
		return nil, fmt.Errorf("a request for %s", r.URL.Host)
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = s.server.Scheme, s.server.Host, s.server.Host
	return s.next.RoundTrip(out)
}

// inProcess needs no server.
func inProcess(_ *testing.T, h http.Handler) (*http.Client, string) {
	return &http.Client{Transport: verifyhttp.Transport(h)}, "https://" + twilioHost
}

// A world is an engine behind a handler, and twilio-go in front of it.
type world struct {
	*verifytest.Engine
	*api.ApiService
	client *http.Client
	origin string
}

func newWorld(t *testing.T, runs *record, connect way, configure ...func(*verifyhttp.Config)) *world {
	t.Helper()
	engine, handler := newHandler(t, runs, configure...)
	client, origin := connect(t, handler)
	return &world{
		Engine: engine, ApiService: signIn(client, accountSID, authToken),
		client: client, origin: origin,
	}
}

// newHandler returns an engine and a watched handler over it. The guard of
// entities is off: the clock stands still, so it would never let go.
func newHandler(t *testing.T, runs *record, configure ...func(*verifyhttp.Config)) (*verifytest.Engine, http.Handler) {
	t.Helper()
	engine := verifytest.NewEngine(t, func(cfg *verify.Config) { cfg.AccountSID = accountSID })
	cfg := verifyhttp.Config{
		Authenticate:      verifyhttp.BasicAuth(map[string]string{accountSID: authToken, keySID: keySecret}),
		EntitiesPerSecond: -1,
		Clock:             engine.Clock.Now,
	}
	for _, f := range configure {
		f(&cfg)
	}
	handler, err := verifyhttp.New(engine.Engine, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return engine, loadContract(t).watch(t, runs, handler)
}

// signIn is twilio-go with other credentials. The package twilio itself would
// only bring all of Twilio's other products.
func signIn(client *http.Client, name, token string) *api.ApiService {
	base := &twilio.Client{Credentials: twilio.NewCredentials(name, token), HTTPClient: client}
	base.SetAccountSid(accountSID)
	return api.NewApiServiceWithClient(base)
}
