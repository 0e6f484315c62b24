package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// names lists a directory, to see that nothing is left behind.
func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func readString(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func writeKeys(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestCreateKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "mfa.key")
	if err := CreateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	first := readString(t, path)
	r, err := ReadKeyFile(path)
	if err != nil || !slices.Equal(r.IDs(), []uint32{1}) {
		t.Fatalf("%v, %v", r, err)
	}
	if !strings.HasPrefix(first, "# ") || !strings.HasSuffix(first, "=\n") || strings.Count(first, keyWord) != 1 {
		t.Errorf("unexpected text of %d bytes", len(first))
	}
	if got := names(t, dir); !slices.Equal(got, []string{"mfa.key"}) {
		t.Errorf("left behind: %q", got)
	}
	// A second one is refused and changes nothing.
	if err := CreateKeyFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second: %v, want fs.ErrExist", err)
	}
	if readString(t, path) != first {
		t.Error("the file was replaced")
	}
	// Two files, two keys.
	other := filepath.Join(dir, "other.key")
	if err := CreateKeyFile(other); err != nil || readString(t, other) == first {
		t.Errorf("%v, or the same key again", err)
	}
	// Whatever is there is left alone: an empty file, a directory, a link to
	// nowhere.
	writeKeys(t, filepath.Join(dir, "empty"), "", 0o600)
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"empty", "dir", "link"} {
		if err := CreateKeyFile(filepath.Join(dir, name)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want fs.ErrExist", name, err)
		}
	}
	if err := CreateKeyFile(filepath.Join(dir, "missing", "x.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v, want fs.ErrNotExist", err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"dir", "empty", "link", "mfa.key", "other.key"}) {
		t.Errorf("left behind: %q", got)
	}
}

func TestReadKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "mfa.key")
	text := FormatKey(3, material(1)) + "\n"
	writeKeys(t, path, text, 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link} {
		if r, err := ReadKeyFile(p); err != nil || r.Newest() != 3 {
			t.Errorf("%s: %v, %v", p, r, err)
		}
	}
	if r, err := ReadKeyFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || r != nil {
		t.Errorf("no file: %v, %v", r, err)
	}
	if r, err := ReadKeyFile(dir); err == nil || r != nil {
		t.Errorf("a directory: %v, %v", r, err)
	}
	for name, text := range map[string]string{"empty": "", "half a line": text[:40], "header only": fileHeader, "binary": "SQLite format 3\x00"} {
		p := filepath.Join(dir, name)
		writeKeys(t, p, text, 0o600)
		if r, err := ReadKeyFile(p); !errors.Is(err, ErrKey) || r != nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v, %v; want ErrKey that names the file", name, r, err)
		}
	}
	large := filepath.Join(dir, "large")
	writeKeys(t, large, text+strings.Repeat("#\n", maxFile/2), 0o600)
	if r, err := ReadKeyFile(large); !errors.Is(err, ErrKey) || r != nil {
		t.Errorf("too large: %v, %v", r, err)
	}
}

func TestReadKeyFileModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes mean nothing on Windows")
	}
	dir := t.TempDir()
	text := FormatKey(1, material(1))
	refused := 0
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o700, 0o640, 0o604, 0o644, 0o660, 0o620, 0o602, 0o610, 0o601, 0o666, 0o777} {
		path := filepath.Join(dir, mode.String())
		writeKeys(t, path, text, mode)
		link := path + ".link"
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{path, link} {
			r, err := ReadKeyFile(p)
			if mode&0o077 == 0 {
				if err != nil {
					t.Errorf("%v: %v", mode, err)
				}
				continue
			}
			refused++
			if !errors.Is(err, ErrFileMode) || r != nil || !strings.Contains(err.Error(), "chmod 600 "+p) {
				t.Errorf("%v: %v, %v; want ErrFileMode with the cure", mode, r, err)
			}
			if id, err := AppendKey(p); !errors.Is(err, ErrFileMode) || id != 0 {
				t.Errorf("AppendKey, %v: %d, %v", mode, id, err)
			}
		}
	}
	if refused != 20 {
		t.Errorf("%d refused, want 20", refused)
	}
}

func TestAppendKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "mfa.key")
	if err := CreateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	before, err := ReadKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	envelope, text := before.Seal(here, []byte("old")), readString(t, path)

	id, err := AppendKey(path)
	if err != nil || id != 2 {
		t.Fatalf("%d, %v; want 2", id, err)
	}
	after, err := ReadKeyFile(path)
	if err != nil || after.Newest() != 2 || !slices.Equal(after.IDs(), []uint32{1, 2}) {
		t.Fatalf("%v, %v", after, err)
	}
	if got, err := after.Open(here, envelope); err != nil || string(got) != "old" {
		t.Errorf("what the old key sealed: %q, %v", got, err)
	}
	if !strings.HasPrefix(readString(t, path), text) {
		t.Error("the old text was changed")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"mfa.key"}) {
		t.Errorf("left behind: %q", got)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	// The highest id counts and not the last; the line end may be missing; a link
	// is followed, and stays one.
	unordered := filepath.Join(dir, "unordered")
	writeKeys(t, unordered, FormatKey(9, material(1))+"\n"+FormatKey(4, material(2)), 0o400)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(unordered, link); err != nil {
		t.Fatal(err)
	}
	if id, err := AppendKey(link); err != nil || id != 10 {
		t.Errorf("%d, %v; want 10", id, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if r, err := ReadKeyFile(unordered); err != nil || !slices.Equal(r.IDs(), []uint32{9, 4, 10}) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestAppendKeyErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "bad": "x", "no id left": FormatKey(4294967295, material(1))} {
		path := filepath.Join(dir, name)
		writeKeys(t, path, text, 0o600)
		if id, err := AppendKey(path); !errors.Is(err, ErrKey) || id != 0 {
			t.Errorf("%s: %d, %v; want ErrKey", name, id, err)
		}
		if readString(t, path) != text {
			t.Errorf("%s: changed", name)
		}
	}
	if id, err := AppendKey(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || id != 0 {
		t.Errorf("no file: %d, %v", id, err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"bad", "empty", "no id left"}) {
		t.Errorf("left behind: %q", got)
	}
	// What a killed call left is not guessed about.
	path := filepath.Join(dir, "locked")
	writeKeys(t, path, FormatKey(1, material(1)), 0o600)
	writeKeys(t, path+".new", "verify-k", 0o600)
	if id, err := AppendKey(path); !errors.Is(err, fs.ErrExist) || id != 0 || !strings.Contains(err.Error(), path+".new") {
		t.Errorf("locked: %d, %v; want fs.ErrExist that names the file", id, err)
	}
	if readString(t, path+".new") != "verify-k" {
		t.Error("another's file was changed")
	}
}

// Goroutines here, processes in child_test.go.
func TestRacingCreators(t *testing.T) {
	t.Parallel()
	for range 20 {
		dir := t.TempDir()
		path := filepath.Join(dir, "mfa.key")
		errs := make([]error, 8)
		rings := make([]*Keyring, len(errs))
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				if errs[i] = CreateKeyFile(path); errs[i] == nil || errors.Is(errs[i], fs.ErrExist) {
					rings[i], _ = ReadKeyFile(path)
				}
			})
		}
		wg.Wait()
		made := 0
		for i, err := range errs {
			if err == nil {
				made++
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
			// Everybody goes on with the same key.
			if rings[i] == nil {
				t.Fatalf("caller %d could not read the file", i)
			}
			if _, err := rings[0].Open(here, rings[i].Seal(here, nil)); err != nil {
				t.Errorf("callers 0 and %d have different keys", i)
			}
		}
		if made != 1 {
			t.Errorf("%d made the file, want 1", made)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"mfa.key"}) {
			t.Errorf("left behind: %q", got)
		}
	}
}

// No acknowledged key is lost, whoever else is adding or reading.
func TestRacingAppenders(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mfa.key")
	if err := CreateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	var (
		mu        sync.Mutex
		envelopes [][]byte
		wg        sync.WaitGroup
		seen      = make(map[uint32]bool)
	)
	for range 4 {
		wg.Go(func() {
			for range 25 {
				id, err := AppendKey(path)
				if err != nil {
					if !errors.Is(err, fs.ErrExist) {
						t.Error(err)
					}
					continue
				}
				r, err := ReadKeyFile(path) // whole at any time
				if err != nil || !r.Has(id) {
					t.Errorf("key %d is not in %v: %v", id, r, err)
					continue
				}
				mu.Lock()
				if seen[id] {
					t.Errorf("id %d was given out twice", id)
				}
				seen[id] = true
				envelopes = append(envelopes, r.Seal(here, []byte("x")))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r, err := ReadKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(envelopes) == 0 || len(r.IDs()) != len(seen)+1 {
		t.Errorf("%d keys in the file, %d added", len(r.IDs()), len(seen))
	}
	for _, envelope := range envelopes {
		if _, err := r.Open(here, envelope); err != nil {
			t.Error(err)
		}
	}
}
