package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The README's program must build as it stands there, and its test must compile.
func TestReadmeCodeBuilds(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := goBlocks(string(text))
	if len(blocks) != 4 {
		t.Fatalf("README has %d Go blocks, want the program, its login, the test and the mount", len(blocks))
	}
	const testHead = `package readme

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
	"github.com/seed4eca3270/verify/verifytest"
)

var _, _ = login, mount

`
	dir := t.TempDir()
	program := write(t, filepath.Join(dir, "main.go"), blocks[0])
	test := write(t, filepath.Join(dir, "readme_test.go"), testHead+strings.Join(blocks[1:], "\n"))
	for _, args := range [][]string{
		{"build", "-o", filepath.Join(dir, "program"), program},
		{"test", test},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", args[0], err, out)
		}
	}
}

// goBlocks returns the fenced Go blocks of a Markdown text.
func goBlocks(text string) (blocks []string) {
	for part := range strings.SplitSeq(text, "```go\n") {
		if code, _, ok := strings.Cut(part, "```"); ok && !strings.HasPrefix(part, "# ") {
			blocks = append(blocks, code)
		}
	}
	return blocks
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
