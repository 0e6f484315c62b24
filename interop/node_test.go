package interop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/seed4eca3270/verify/verifytest"
)

// testNode runs the tests in the folder node, which drive twilio-node, against a
// server. They share one engine and its clock, so they run one after another.
func testNode(t *testing.T, runs *record) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("twilio-node needs Node.js 20 or later: %v", err)
	}
	files, err := filepath.Glob("node/*.mjs")
	ok(t, err)
	var tests []string
	for _, file := range files {
		// go test keeps a result as long as the files that the test itself has
		// looked at are unchanged; node's own look does not count.
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
		if isTest, _ := filepath.Match("*.test.mjs", filepath.Base(file)); isTest {
			tests = append(tests, filepath.Base(file))
		}
	}
	engine, handler := newHandler(t, runs) // also looks whether packages are installed
	server := httptest.NewServer(handler)
	defer server.Close()
	control := httptest.NewServer(newControl(t, engine))
	defer control.Close()

	cmd := exec.CommandContext(t.Context(), node, append([]string{"--test", "--test-concurrency=1", "--test-reporter=spec"}, tests...)...)
	cmd.Dir = "node"
	// Nothing else of the environment: proxies, regions and log levels in it would
	// change what the SDK does.
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "VERIFY_URL=" + server.URL, "CONTROL_URL=" + control.URL,
		"VERIFY_ACCOUNT_SID=" + accountSID, "VERIFY_AUTH_TOKEN=" + authToken,
	}
	out, err := cmd.CombinedOutput()
	t.Logf("node --test\n%s", out)
	if err != nil {
		t.Errorf("node --test: %v", err)
	}
}

// newControl is what the tests in node need besides the handler: hands on its
// clock, and the user's authenticator app.
func newControl(t *testing.T, engine *verifytest.Engine) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /test/advance", func(_ http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.Atoi(r.FormValue("seconds"))
		if err != nil {
			t.Errorf("advancing the clock: %v", err)
		}
		engine.Clock.Advance(time.Duration(seconds) * time.Second)
	})
	say := func(text func(r *http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if _, err := w.Write([]byte(text(r))); err != nil {
				t.Errorf("answering node: %v", err)
			}
		}
	}
	mux.Handle("GET /test/now", say(func(*http.Request) string { return engine.Clock.Now().Format(time.RFC3339) }))
	mux.Handle("GET /test/code", say(func(r *http.Request) string {
		return verifytest.ScanTOTP(t, r.FormValue("uri")).Code(engine.Clock.Now())
	}))
	mux.Handle("GET /test/wrong", say(func(r *http.Request) string {
		return verifytest.ScanTOTP(t, r.FormValue("uri")).WrongCode(engine.Clock.Now())
	}))
	return mux
}

// The lock must hold on any machine: hashes of all packages, and no host.
func TestLock(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("node/package-lock.json")
	ok(t, err)
	var lock struct {
		Packages map[string]struct{ Version, Resolved, Integrity string }
	}
	ok(t, json.Unmarshal(text, &lock))
	if len(lock.Packages) < 3 {
		t.Errorf("%d packages seen", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if name != "" && (p.Version == "" || p.Integrity == "" || p.Resolved != "") {
			t.Errorf("%s: version %q, integrity %q, resolved %q; want the first two only", name, p.Version, p.Integrity, p.Resolved)
		}
	}
}
