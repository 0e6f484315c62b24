package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seed4eca3270/verify"

// A dep is one import: its path and the module it comes from, which is empty
// for the standard library.
type dep struct{ path, module string }

// A rule says what the packages it covers may import besides the standard
// library. Packages of this module go by their path within it; the root is ".".
type rule struct {
	name       string
	covers     func(pkg string) bool
	ours       func(pkg string) bool // which packages of this module
	third      func(path string) bool
	maxModules int      // how many third-party modules; any number if zero
	never      []string // of the standard library
	why        string

	bad []imports // made up, each breaking the rule once
}

type imports struct {
	pkg  string
	deps []dep
}

func none(string) bool     { return false }
func anything(string) bool { return true }

func one(of ...string) func(string) bool {
	return func(p string) bool { return slices.Contains(of, p) }
}

func under(dirs ...string) func(string) bool {
	return func(p string) bool {
		return slices.ContainsFunc(dirs, func(d string) bool { return p == d || strings.HasPrefix(p, d+"/") })
	}
}

// Suites are tests that live in ordinary files, so that every store can be put
// through them. Only tests import them, and tests are not looked at.
var suite = under("internal/storetest", "internal/enginetest", "internal/rules")

func leaf(pkg string) bool { return under("internal")(pkg) && !suite(pkg) }

func ours(pkg string) dep { return dep{path: path.Join(module, pkg), module: module} }

var rules = []rule{
	{
		name:       "leaf",
		covers:     leaf,
		ours:       none,
		third:      anything,
		maxModules: 1,
		why:        "a leaf wraps one thing, so it can be read, tested and replaced alone",
		bad: []imports{
			{"internal/totp", []dep{ours(".")}},
			{"internal/totp", []dep{ours("store")}},
			{"internal/totp", []dep{ours("internal/sid")}},
			{"internal/new", []dep{{"example.com/a/x", "example.com/a"}, {"example.com/a", "example.com/a"}, {"example.com/b", "example.com/b"}}},
		},
	},
	{
		name:   "store",
		covers: under("store"),
		ours:   none,
		third:  under("modernc.org/sqlite"),
		why:    "the store keeps rows and knows nothing of what they mean, so another database can take its place",
		bad: []imports{
			{"store", []dep{ours(".")}},
			{"store", []dep{ours("internal/sid")}},
			{"store", []dep{{"github.com/mattn/go-sqlite3", "github.com/mattn/go-sqlite3"}}},
		},
	},
	{
		name:   "root",
		covers: one("."),
		ours:   func(pkg string) bool { return pkg == "store" || leaf(pkg) },
		third:  none,
		never:  []string{"net/http"},
		why:    "the engine does no I/O but its store's (senders and webhooks bring their own client), and every library is wrapped by one leaf",
		bad: []imports{
			{".", []dep{{path: "net/http"}}},
			{".", []dep{{"github.com/pquerna/otp", "github.com/pquerna/otp"}}},
			{".", []dep{ours("verifyhttp")}},
			{".", []dep{ours("verifytest")}},
			{".", []dep{ours("sender/console")}},
			{".", []dep{ours("internal/enginetest")}},
		},
	},
	{
		name:       "edge",
		covers:     under("verifyhttp", "verifytest", "sender"),
		ours:       one("."),
		third:      anything,
		maxModules: 1,
		why:        "it sits on the public API alone: what it cannot do, an embedder could not do either",
		bad: []imports{
			{"verifyhttp", []dep{ours("store")}},
			{"verifytest", []dep{ours("internal/totp")}},
			{"sender/console", []dep{ours("verifytest")}},
			{"sender/smtp", []dep{{"example.com/a", "example.com/a"}, {"example.com/b", "example.com/b"}}},
		},
	},
	{
		name:   "example",
		covers: under("examples"),
		ours:   func(pkg string) bool { return pkg == "." || under("verifyhttp", "verifytest", "sender")(pkg) },
		third:  one("github.com/mattn/go-isatty", "github.com/pquerna/otp/totp", "github.com/pquerna/otp"), // the second plays the user's authenticator app
		why:    "an example shows what anyone can write with the public packages, and brings nothing to look up",
		bad: []imports{
			{"examples/quickstart", []dep{ours("store")}},
			{"examples/server", []dep{ours("internal/secret")}},
			{"examples/server", []dep{{"example.com/router", "example.com/router"}}},
		},
	},
}

// violations says what is wrong with the imports of one package.
func violations(in imports) (out []string) {
	if suite(in.pkg) {
		return nil
	}
	i := slices.IndexFunc(rules, func(r rule) bool { return r.covers(in.pkg) })
	if i < 0 {
		return []string{in.pkg + ": no rule covers this package; write down what it may import, and why"}
	}
	r := rules[i]
	report := func(format string, args ...any) {
		out = append(out, fmt.Sprintf("%s: ", in.pkg)+fmt.Sprintf(format, args...)+" (rule "+r.name+": "+r.why+")")
	}
	var modules []string
	for _, d := range in.deps {
		switch d.module {
		case "":
			if slices.Contains(r.never, d.path) {
				report("imports %s", d.path)
			}
		case module:
			if rel := relative(d.path); !r.ours(rel) {
				report("imports our own %s", rel)
			}
		default:
			if !r.third(d.path) {
				report("imports the third-party %s", d.path)
			} else if !slices.Contains(modules, d.module) {
				modules = append(modules, d.module)
			}
		}
	}
	if r.maxModules > 0 && len(modules) > r.maxModules {
		report("imports from %d third-party modules: %s", len(modules), strings.Join(modules, ", "))
	}
	return out
}

func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func TestImports(t *testing.T) {
	t.Parallel()
	packages := loadImports(t)
	for _, want := range []string{".", "store", "internal/totp", "internal/secret", "internal/sid"} {
		if !slices.ContainsFunc(packages, func(p imports) bool { return p.pkg == want }) {
			t.Errorf("package %s was not seen: do the rules look at the right tree?", want)
		}
	}
	for _, p := range packages {
		for _, v := range violations(p) {
			t.Error(v)
		}
	}
}

// A rule that cannot fail is worthless.
func TestImportRulesCanFail(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		if len(r.bad) == 0 {
			t.Errorf("rule %s: nothing shows that it can fail", r.name)
		}
		for _, bad := range r.bad {
			got := violations(bad)
			if len(got) != 1 || !strings.Contains(got[0], r.why) {
				t.Errorf("rule %s: %v: got %q, want one violation that tells the reason", r.name, bad, got)
			}
		}
	}
	if got := violations(imports{pkg: "unheardof"}); len(got) != 1 {
		t.Errorf("a package without a rule: got %q, want one violation", got)
	}
	good := imports{".", []dep{{path: "context"}, ours("store"), ours("internal/sid")}}
	if got := violations(good); got != nil {
		t.Errorf("a root as it should be: got %q", got)
	}
}

// loadImports returns the packages of the module with what their ordinary files
// import; test files may import anything.
//
// go test keeps results as long as the files that the test itself opened are
// unchanged. It cannot see what go list opens, but TestWords opens every file.
func loadImports(t *testing.T) []imports {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Module", "./...")
	cmd.Dir = moduleRoot(t)
	type listed struct {
		ImportPath string
		Imports    []string
		Module     *struct{ Path string }
	}
	var all []listed
	moduleOf := map[string]string{}
	for dec := json.NewDecoder(strings.NewReader(output(t, cmd))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil {
			moduleOf[p.ImportPath] = p.Module.Path
		}
		all = append(all, p)
	}
	var out []imports
	for _, p := range all {
		if moduleOf[p.ImportPath] != module {
			continue
		}
		in := imports{pkg: relative(p.ImportPath)}
		for _, path := range p.Imports {
			in.deps = append(in.deps, dep{path, moduleOf[path]})
		}
		out = append(out, in)
	}
	return out
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	gomod := strings.TrimSpace(output(t, exec.CommandContext(t.Context(), "go", "env", "GOMOD")))
	if filepath.Base(gomod) != "go.mod" {
		t.Fatalf("not in a module: GOMOD is %q", gomod)
	}
	return filepath.Dir(gomod)
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%s: %v\n%s", cmd, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
