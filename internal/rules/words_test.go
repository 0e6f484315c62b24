package rules

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Spelled in two parts, so that this file does not break its own rule.
var words = []string{
	"/wo" + "rk/",           // a folder of the machine it was written on
	"proxy.go" + "lang.org", // a host that another builder may not use
}

func wordsIn(text []byte) []string {
	var found []string
	for _, w := range words {
		if bytes.Contains(text, []byte(w)) {
			found = append(found, w)
		}
	}
	return found
}

// TestWords looks at what git tracks or would track: nothing in it may depend
// on the place where it was written.
func TestWords(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("not a git checkout")
	}
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	names := strings.Split(strings.TrimRight(output(t, cmd), "\x00"), "\x00")
	if !slices.Contains(names, "go.mod") {
		t.Fatalf("go.mod is not among the %d files seen", len(names))
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, but not yet in the index
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // not text
		}
		for _, w := range wordsIn(text) {
			t.Errorf("%s contains %q: it means nothing on another machine", name, w)
		}
	}
}

func TestWordsCanFail(t *testing.T) {
	t.Parallel()
	for _, w := range words {
		if got := wordsIn([]byte("see " + w + "x")); len(got) != 1 {
			t.Errorf("%q: got %q, want it found once", w, got)
		}
	}
}
