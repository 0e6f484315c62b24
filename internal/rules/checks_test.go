package rules

import (
	"go/ast"
	"strconv"
	"strings"
)

const maxLines = 450

// Calls whose result nobody can change: constants that the language has no
// const for.
var constantCalls = []string{
	"errors.New", "fmt.Errorf",
	"regexp.MustCompile",
	"base32.StdEncoding.WithPadding",
}

var checks = []check{
	{
		name:  "clock",
		why:   "time comes in through Config.Clock, read once an operation, or expiry cannot be tested",
		allow: []string{"config.go", "verifyhttp/config.go"}, // the default is filled in there
		find:  noReference("time", "Now", "Since", "Until"),
		bad: []string{
			`import "time"; var now = time.Now`,
			`import "time"; func f() time.Time { return time.Now() }`,
			`import clock "time"; func f(t clock.Time) clock.Duration { return clock.Since(t) }`,
		},
		good: []string{
			`import "time"; func f(t time.Time) time.Time { return t.Add(time.Second) }`,
			`type c struct{ Now int }; func f(time c) int { return time.Now }`,
		},
	},
	{
		name: "weak randomness",
		why:  "whatever is drawn here ends up guarding something",
		find: noImport("math/rand", "math/rand/v2"),
		bad:  []string{`import "math/rand"`, `import r "math/rand/v2"`},
		good: []string{`import "math"`},
	},
	{
		name:  "randomness",
		why:   "chance comes in through Config.Rand; two places to review are enough",
		allow: []string{"config.go", "verifyhttp/config.go", "internal/secret/"},
		find:  noImport("crypto/rand"),
		bad:   []string{`import "crypto/rand"`},
		good:  []string{`import "crypto/hmac"`},
	},
	{
		name: "environment",
		why:  "a library's settings are its parameters; the environment is the program's",
		find: noReference("os", "Getenv", "LookupEnv", "Environ", "ExpandEnv"),
		bad: []string{
			`import "os"; func f() string { return os.Getenv("KEY") }`,
			`import "os"; func f() (string, bool) { return os.LookupEnv("KEY") }`,
			`import "os"; func f() []string { return os.Environ() }`,
		},
		good: []string{`import "os"; func f(name string) error { return os.Chmod(name, 0o600) }`},
	},
	{
		name: "init",
		why:  "importing a library must do nothing",
		find: func(f *file, report func(ast.Node, string)) {
			for _, d := range f.ast.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					report(fn, "func init")
				}
			}
		},
		bad:  []string{`func init() {}`},
		good: []string{`type t struct{}; func (t) init() {}`},
	},
	{
		name: "package variable",
		why:  "state belongs to an Engine: two of them in one process must not meet",
		find: mutableVariables,
		bad: []string{
			`var count int`,
			`var count = 1`,
			`var last error`,
			`import "sync"; var mu sync.Mutex`,
			`import "sync"; var mu = sync.Mutex{}`,
			`type t struct{}; var shared = &t{}`,
			`var cache = make(map[string]int)`,
			`var table = map[string]int{}; func f() { table["a"] = 1 }`,
			`var table = map[string]int{}; func f() { delete(table, "a") }`,
			`var table = []struct{ n int }{{1}}; func f() { table[0].n++ }`,
			`var table = [2]int{}; func f() *[2]int { return &table }`,
			`var table = [2]int{}; func f() { for table[0] = range 3 {} }`,
			`import "errors"; var ErrX = errors.New("x"); func f() { ErrX = nil }`,
			`import "io"; func f() { io.EOF = nil }`,
		},
		good: []string{
			`import "errors"; var ErrX = errors.New("x")`,
			`import "regexp"; var re = regexp.MustCompile("^a$")`,
			`import "io"; type w struct{}; var _ io.Writer = (*w)(nil)`,
			"import \"embed\"\n//go:embed *.sql\nvar files embed.FS",
			`var a, b = map[string]int{"a": 1}, [...]int{1}; var c = []byte("c")`,
			`var table = map[string]int{}; func f() { table := map[string]int{}; table["a"] = 1 }`,
			`type t struct{ table map[string]int }; func (x *t) f() { x.table["a"] = 1 }`,
		},
	},
	{
		name: "length",
		why:  "a file that does not fit in a head holds two subjects",
		find: func(f *file, report func(ast.Node, string)) {
			if f.lines > maxLines {
				report(f.ast, strconv.Itoa(f.lines)+" lines, more than "+strconv.Itoa(maxLines))
			}
		},
		bad:  []string{strings.Repeat("\n", maxLines)},
		good: []string{strings.Repeat("\n", maxLines-1)},
	},
	{
		name: "opening files",
		why:  "closing any descriptor of a database that is open elsewhere in the process drops SQLite's locks on it; O_EXCL opens only what it made itself",
		in:   "store/",
		find: opensFiles,
		bad: []string{
			`import "os"; func f() { os.Open("a.db") }`,
			`import "os"; func f() { os.Create("a.db") }`,
			`import "os"; func f() { os.ReadFile("a.db") }`,
			`import "os"; var open = os.OpenFile`,
			`import "os"; func f() { os.OpenFile("a.db", os.O_RDWR, 0o600) }`,
		},
		good: []string{
			`import "os"; func f() { os.OpenFile("a.db", os.O_CREATE|os.O_EXCL, 0o600) }`,
			`import "os"; func f() { os.Lstat("a.db") }`,
		},
	},
	{
		name: "goroutine",
		why:  "no goroutine that the caller did not start: nothing to leak, nothing to wait for",
		find: func(f *file, report func(ast.Node, string)) {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if g, ok := n.(*ast.GoStmt); ok {
					report(g, "go statement")
				}
				return true
			})
		},
		bad:  []string{`func f() { go f() }`},
		good: []string{`func f() { defer f() }`},
	},
	{
		name:  "SQL from values",
		why:   "SQL is written once, in queries/; a value in its text is an injection",
		allow: []string{"store/migrate.go"}, // numbers in a PRAGMA, which takes no parameters
		find:  formattedSQL,
		bad: []string{
			`import "fmt"; func f(db d, s string) { db.Query(fmt.Sprintf("SELECT %s", s)) }`,
			`import "fmt"; func f(db d, s string) { db.x.ExecContext(nil, "A; "+fmt.Sprintf("%s", s), 1) }`,
			`import "fmt"; func f(db d, s string) { db.Prepare(fmt.Sprintf(s)) }`,
		},
		good: []string{
			`func f(db d, s string) { db.QueryRowContext(nil, "SELECT ?", s) }`,
			`import "fmt"; func f(db d, s string) { db.Print(fmt.Sprintf(s)) }`,
		},
	},
}
