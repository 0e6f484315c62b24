package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// A running server, as its user meets it: lines on standard output, and HTTP.
type running struct {
	url  string
	said []string // lines before "listening on"
	stop func()
}

func start(t *testing.T, o options) running {
	t.Helper()
	out, in := io.Pipe()
	o.out, o.addr = in, "127.0.0.1:0"
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := run(ctx, o)
		in.CloseWithError(err)
		done <- err
	}()
	r := running{stop: func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("server ended with %v", err)
		}
	}}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			r.url = at
			return r
		}
		r.said = append(r.said, lines.Text())
	}
	t.Fatalf("server did not start: %v, after %q", lines.Err(), r.said)
	return r
}

func (r running) createService(t *testing.T, sid, token string) int {
	t.Helper()
	body := strings.NewReader(url.Values{"FriendlyName": {"Acme"}}.Encode())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v2/Services", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(sid, token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return statusOf(t, res)
}

func statusOf(t *testing.T, res *http.Response) int {
	t.Helper()
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	return res.StatusCode
}

// credentials reads the two lines that the server prints when it makes them.
func (r running) credentials(t *testing.T) (sid, token string) {
	t.Helper()
	if len(r.said) != 2 {
		t.Fatalf("server said %q, want an account and a token", r.said)
	}
	return strings.TrimPrefix(r.said[0], "account "), strings.TrimPrefix(r.said[1], "token ")
}

func TestServerKeepsItsAccountAndPrintsItOnce(t *testing.T) {
	t.Parallel()
	o := options{db: filepath.Join(t.TempDir(), "verify.db")}
	first := start(t, o)
	sid, token := first.credentials(t)
	if status := first.createService(t, sid, token); status != http.StatusCreated {
		t.Errorf("status %d with the printed account", status)
	}
	if status := first.createService(t, sid, token+"x"); status != http.StatusUnauthorized {
		t.Errorf("status %d with a wrong token", status)
	}
	first.stop()

	second := start(t, o)
	defer second.stop()
	if len(second.said) != 0 {
		t.Errorf("the second start printed %q", second.said)
	}
	if status := second.createService(t, sid, token); status != http.StatusCreated {
		t.Errorf("status %d after a restart", status)
	}
}

func TestServerInMemoryWithGivenAccount(t *testing.T) {
	t.Parallel()
	sid := "AC" + strings.Repeat("0", 32)
	r := start(t, options{db: inMemory, account: sid, token: "secret"})
	defer r.stop()
	if status := r.createService(t, sid, "secret"); status != http.StatusCreated {
		t.Errorf("status %d with the given account", status)
	}
}

func TestServerRefusesHalfAnAccount(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), options{db: inMemory, account: "AC1", out: io.Discard}); err == nil {
		t.Error("an account without a token was accepted")
	}
}
