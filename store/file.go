package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// secureFile makes sure that the database at path, and whatever SQLite puts
// beside it, can be read by its owner alone. SQLite gives its -wal and -shm
// files the mode of the database, so the file is made before SQLite sees it.
//
// An existing file is never opened here, not even to look at it: closing any
// descriptor of a database that this process has open elsewhere would drop
// SQLite's POSIX locks on it. O_EXCL opens only what it made itself; Lstat and
// Chmod work on names.
func secureFile(path string) (tightened []string, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Close()
	} else if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", path + "-journal"} {
		changed, err := tighten(name)
		if errors.Is(err, fs.ErrNotExist) && name != path {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if changed {
			tightened = append(tightened, name)
		}
	}
	return tightened, nil
}

// tighten takes the rights of group and others away. A symbolic link is
// refused: whoever may write to the folder could point it anywhere.
func tighten(path string) (changed bool, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return false, nil
	}
	if err := os.Chmod(path, info.Mode().Perm()&0o700); err != nil {
		return false, fmt.Errorf("%s can be read by others and cannot be closed to them: %w", path, err)
	}
	return true, nil
}
