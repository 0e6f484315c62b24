package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// fileHeader opens every new key file.
const fileHeader = `# Keys of a verify database. Without this file its secrets cannot be read, by
# anyone; with it and the database they can. Keep it where the database and its
# backups are not, keep a copy in a safe place, and let nobody else read it.
#
# One key a line. The last one seals what is written from now on, the others
# open what was written before: remove none that is still in use.
`

// maxFile bounds what is read, should a path name something else by mistake.
const maxFile = 1 << 20

// ErrFileMode is matched by the error about a key file that others than its
// owner may access; its text names the cure.
var ErrFileMode = errors.New("secret: key file is open to others")

// ReadKeyFile reads a keyring from a file in its text form. A symbolic link is
// followed, as they are how secrets are mounted in containers. A file that group
// or others may access in any way is refused with ErrFileMode: a key that
// someone could have copied should be replaced, not used. (Not on Windows, where
// the mode says nothing about who may read.) What the file says wrongly matches
// ErrKey; a missing file matches fs.ErrNotExist.
func ReadKeyFile(path string) (*Keyring, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	r, err := ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func readText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("secret: reading keys: %w", err)
	}
	defer f.Close()
	// Of the open file, not of the path, which may name another one by now.
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("secret: reading keys: %w", err)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("%w: mode %04o; if nobody can have read it: chmod 600 %s", ErrFileMode, perm, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("secret: reading keys: %w", err)
	}
	if len(text) > maxFile {
		return "", fmt.Errorf("%w: %s is larger than %d bytes and surely no key file", ErrKey, path, maxFile)
	}
	return string(text), nil
}

// CreateKeyFile writes a file with one new random key of id 1, with mode 0600
// whatever the umask. If there is something at path the error matches
// fs.ErrExist and it is left alone; of several racing callers, in any number of
// processes, one succeeds. After nil, and after fs.ErrExist if another caller made
// the file, it is whole and survives a power loss, so that what is sealed next
// can be opened again.
//
// The directory must be writable and on a file system with hard links.
func CreateKeyFile(path string) error {
	// Written under another name and then linked, never written in place: a
	// killed process must not leave half a file that the next takes for keys,
	// and unlike a rename a link never replaces what is there. A kill in between
	// leaves a file .verify-key-*, of mode 0600, that can be removed.
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".verify-key-*")
	if err != nil {
		return fmt.Errorf("secret: creating key file: %w", err)
	}
	temporary := f.Name()
	if err := fill(f, fileHeader+FormatKey(1, randomMaterial())+"\n"); err != nil {
		os.Remove(temporary)
		return fmt.Errorf("secret: creating key file: %w", err)
	}
	linkErr := os.Link(temporary, path)
	removeErr := os.Remove(temporary)
	if linkErr != nil && !errors.Is(linkErr, fs.ErrExist) {
		return fmt.Errorf("secret: creating key file: %w", linkErr)
	}
	// For the loser of a race too: the winner may not have come to it yet. So an
	// error here is told rather than fs.ErrExist.
	if err := errors.Join(removeErr, syncDir(dir)); err != nil {
		return fmt.Errorf("secret: creating key file: %w", err)
	}
	if linkErr != nil {
		return fmt.Errorf("secret: creating key file: %w", linkErr)
	}
	return nil
}

// AppendKey adds a new random key as the last line of a key file, with the
// highest id plus one, and returns that id. From the next ReadKeyFile on it
// seals; processes that have not read the file again cannot open what it sealed,
// so let all of them do so at once. The file is replaced as a whole, under the
// same name, and is on disk when AppendKey returns. It then belongs to whoever
// called: run it as the file's owner.
//
// Errors are those of ReadKeyFile. Two calls at once do not lose a key: the
// second fails with fs.ErrExist. So does every call after one that was killed,
// until the file that the error names is removed.
func AppendKey(path string) (uint32, error) {
	// The rename below must replace the file and not a link to it.
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return 0, fmt.Errorf("secret: adding a key: %w", err)
	}
	// The new file's fixed name is the lock. Without one, two callers would both
	// add key n+1, and what was sealed under the first could never be opened.
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("secret: a key is being added by another process; if none is running, remove %s: %w", next, err)
	}
	if err != nil {
		return 0, fmt.Errorf("secret: adding a key: %w", err)
	}
	id, err := replace(f, path)
	if err != nil {
		os.Remove(next)
		return 0, err
	}
	// Past the rename the name next may already be another caller's lock.
	if err := syncDir(filepath.Dir(path)); err != nil {
		return 0, fmt.Errorf("secret: adding a key: %w", err)
	}
	return id, nil
}

// replace fills f with the text at path and one key more, and renames it to
// path. It closes f.
func replace(f *os.File, path string) (uint32, error) {
	text, id, err := extended(path)
	if err != nil {
		f.Close()
		return 0, err
	}
	if err := fill(f, text); err != nil {
		return 0, fmt.Errorf("secret: adding a key: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return 0, fmt.Errorf("secret: adding a key: %w", err)
	}
	return id, nil
}

// extended returns the text at path with one new key at its end, and its id.
func extended(path string) (string, uint32, error) {
	text, err := readText(path)
	if err != nil {
		return "", 0, err
	}
	r, err := ParseKeyring(text)
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", path, err)
	}
	highest := uint32(0)
	for _, id := range r.IDs() {
		highest = max(highest, id)
	}
	if highest == math.MaxUint32 {
		return "", 0, fmt.Errorf("%w: %s: no id is left above %d", ErrKey, path, highest)
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + FormatKey(highest+1, randomMaterial()) + "\n", highest + 1, nil
}

// fill writes text to f, gives it mode 0600, brings it to disk and closes it.
func fill(f *os.File, text string) error {
	// A umask can only have taken away bits; the owner's must be there too.
	err := f.Chmod(0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir brings a directory's names to disk. Without it a file that was fsynced
// can still vanish at a power loss. Windows cannot, and keeps names in a journal.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
