//go:build unix

package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// umaskJob opens a store under a umask, which belongs to a whole process, and
// tells the modes of all files while it is open. With "naive" SQLite makes the
// file itself.
func umaskJob(p *storetest.Parent, args []string) error {
	mask, err := strconv.ParseInt(args[0], 8, 32)
	if err != nil {
		return err
	}
	syscall.Umask(int(mask))
	path, how := args[1], args[2]
	if how == "naive" {
		raw, err := storetest.OpenRaw(path, "journal_mode(WAL)")
		if err != nil {
			return err
		}
		defer raw.Close()
		if _, err := raw.Exec("CREATE TABLE a (b)"); err != nil {
			return err
		}
	} else {
		db, err := store.OpenSQLite(background, path, store.Options{})
		if err != nil {
			return err
		}
		defer db.Close()
		if err := db.Write(background, put(1)); err != nil {
			return err
		}
	}
	modes := map[string]fs.FileMode{}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Lstat(path + suffix)
		if err != nil {
			return err
		}
		modes[suffix] = info.Mode()
	}
	return p.Send(modes)
}

// STOR-7: nobody else can read the database, nor what SQLite puts beside it.
func TestModesUnderUmask(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"store", "naive"} {
		loose := 0
		for _, mask := range []string{"000", "022", "077"} {
			child := storetest.Start(t, "umask", mask, t.TempDir()+"/a.db", how)
			var modes map[string]fs.FileMode
			child.Expect(&modes)
			child.End()
			for suffix, mode := range modes {
				if mode == 0o600 {
					continue
				}
				loose++
				if how == "store" {
					t.Errorf("umask %s: a.db%s has mode %v", mask, suffix, mode)
				}
			}
		}
		if how == "naive" && loose == 0 {
			t.Error("the naive twin's files are closed as well: this test has no teeth")
		}
	}
}

func TestLooseModeIsTightened(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/a.db"
	holder := storetest.Open(t, path, nil, store.Options{}) // keeps -wal and -shm there
	if err := holder.Write(t.Context(), put(1)); err != nil {
		t.Fatal(err)
	}
	if got := holder.Tightened(); got != nil {
		t.Errorf("a new file was tightened: %q", got)
	}
	all := []string{path, path + "-wal", path + "-shm"}
	for _, name := range all {
		if err := os.Chmod(name, 0o664); err != nil {
			t.Fatal(err)
		}
	}
	db := storetest.Open(t, path, nil, store.Options{})
	if got := db.Tightened(); !slices.Equal(got, all) {
		t.Errorf("tightened %q, want %q", got, all)
	}
	for _, name := range all {
		if info, err := os.Lstat(name); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if again := storetest.Open(t, path, nil, store.Options{}); again.Tightened() != nil {
		t.Errorf("tightened twice: %q", again.Tightened())
	}
}

// A path that is not a file of its own is refused: a link could lead anywhere.
func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, _ := newFile(t, nil)
	for name, to := range map[string]string{"link": target, "dangling": dir + "/nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir+"/folder", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "dangling", "folder", "fifo", "absent/a.db"} {
		db, err := store.OpenSQLite(t.Context(), filepath.Join(dir, name), store.Options{})
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			db.Close()
		}
	}
	if _, err := os.Lstat(dir + "/nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dangling link was followed: %v", err)
	}
	if _, err := store.OpenSQLite(t.Context(), "", store.Options{}); err == nil {
		t.Error("an empty path was accepted")
	}
}

// The file that was secured is the file that SQLite opens, whatever its name
// means in a URI.
func TestNamesThatMeanSomethingElsewhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b", "a?mode=memory", "a#b", "a%20b", "a%", "ä🔑", "file:a", ":memory:", "a&cache=shared", `a\b`, "'a"} {
		dir := t.TempDir()
		db, err := store.OpenSQLite(t.Context(), filepath.Join(dir, name), store.Options{})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if err := db.Write(t.Context(), put(1)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 1 || entries[0].Name() != name {
			t.Errorf("%q became %v", name, entries)
		}
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Size() == 0 || info.Mode() != 0o600 {
			t.Errorf("%q: %v, %v", name, info, err)
		}
	}
}
