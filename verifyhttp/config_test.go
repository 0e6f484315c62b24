package verifyhttp_test

import (
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	engine := verifytest.NewEngine(t).Engine
	base := func(url string) verifyhttp.Config {
		return verifyhttp.Config{Authenticate: verifyhttp.AllowAll, BaseURL: url}
	}
	cases := map[string]struct {
		engine *verify.Engine
		cfg    verifyhttp.Config
	}{
		"nothing":               {},
		"no engine":             {nil, base("")},
		"no Authenticator":      {engine, verifyhttp.Config{}},
		"BaseURL without both":  {engine, base("login.example.com")},
		"BaseURL no scheme":     {engine, base("//login.example.com")},
		"BaseURL no host":       {engine, base("https://")},
		"BaseURL only a path":   {engine, base("/mfa")},
		"BaseURL only a port":   {engine, base("https://:443")},
		"BaseURL ftp":           {engine, base("ftp://login.example.com")},
		"BaseURL javascript":    {engine, base("javascript://login.example.com")},
		"BaseURL query":         {engine, base("https://login.example.com/?a=b")},
		"BaseURL empty query":   {engine, base("https://login.example.com/mfa?")},
		"BaseURL fragment":      {engine, base("https://login.example.com/#a")},
		"BaseURL empty one":     {engine, base("https://login.example.com/mfa#")},
		"BaseURL password":      {engine, base("https://ann:pw@login.example.com")},
		"BaseURL space":         {engine, base("https://login.example.com/m fa")},
		"BaseURL leading space": {engine, base(" https://login.example.com")},
		"BaseURL newline":       {engine, base("https://login.example.com/\n")},
		"BaseURL bad escape":    {engine, base("https://login.example.com/%zz")},
		"BaseURL bad port":      {engine, base("https://login.example.com:port")},
	}
	for name, c := range cases {
		if h, err := verifyhttp.New(c.engine, c.cfg); err == nil || h != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestNewAccepts(t *testing.T) {
	t.Parallel()
	engine := verifytest.NewEngine(t)
	for base, want := range map[string]string{
		"":                                "http://mfa.example.com/v2/Services/",
		"https://login.example.com":       "https://login.example.com/v2/Services/",
		"https://login.example.com/":      "https://login.example.com/v2/Services/",
		"https://login.example.com/mfa//": "https://login.example.com/mfa/v2/Services/",
		"http://127.0.0.1:8080/a/b":       "http://127.0.0.1:8080/a/b/v2/Services/",
		"http://[::1]:8080":               "http://[::1]:8080/v2/Services/",
	} {
		h, err := verifyhttp.New(engine.Engine, verifyhttp.Config{Authenticate: verifyhttp.AllowAll, BaseURL: base})
		if err != nil {
			t.Errorf("%q: %v", base, err)
			continue
		}
		a := (&world{tb: t, engine: engine, handler: h}).post("/v2/Services", "FriendlyName", "Acme").want(201, 0)
		a.is("url", want+a.text("sid"))
	}
}

// Config is taken by value: the handler keeps what it was made with.
func TestConfigIsTakenByValue(t *testing.T) {
	t.Parallel()
	cfg := verifyhttp.Config{Authenticate: verifyhttp.AllowAll, BaseURL: "https://login.example.com/"}
	h, err := verifyhttp.New(verifytest.NewEngine(t).Engine, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.BaseURL != "https://login.example.com/" || cfg.Logger != nil || cfg.Clock != nil || cfg.Rand != nil {
		t.Errorf("New has changed its caller's configuration: %+v", cfg)
	}
	cfg.Authenticate = nil
	(&world{tb: t, handler: h}).get("/v2/Services").want(200, 0)
}
