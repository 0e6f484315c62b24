//go:build unix

package secret

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// childVariable makes the test binary play a child process instead of testing:
// for what belongs to a process as a whole, its umask and its sudden end.
const childVariable = "SECRET_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		os.Exit(child(job, os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

// child does one job in dir and returns an exit code: 3 for "exists already".
func child(job, dir string) int {
	path := filepath.Join(dir, "mfa.key")
	switch kind, arg, _ := strings.Cut(job, " "); kind {
	case "umask": // create and extend a file under this umask
		mask, err := strconv.ParseInt(arg, 8, 32)
		if err != nil {
			return 1
		}
		syscall.Umask(int(mask))
		if CreateKeyFile(path) != nil {
			return 1
		}
		if _, err := AppendKey(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 {
			fmt.Fprintln(os.Stderr, info.Mode(), err)
			return 1
		}
	case "create":
		if err := CreateKeyFile(path); errors.Is(err, fs.ErrExist) {
			return 3
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	case "forever": // create and extend files until killed
		for i := 0; ; i++ {
			path := filepath.Join(dir, fmt.Sprint(i, ".key"))
			if CreateKeyFile(path) != nil {
				return 1
			}
			if _, err := AppendKey(path); err != nil {
				return 1
			}
		}
	}
	return 0
}

func startChild(ctx context.Context, t *testing.T, job, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, dir)
	cmd.Env = append(os.Environ(), childVariable+"="+job)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// The mode does not depend on the umask, whether it takes too little or too
// much.
func TestUmask(t *testing.T) {
	t.Parallel()
	for _, mask := range []string{"000", "022", "077", "0777"} {
		dir := t.TempDir()
		if err := startChild(t.Context(), t, "umask "+mask, dir).Wait(); err != nil {
			t.Errorf("umask %s: %v", mask, err)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"mfa.key"}) {
			t.Errorf("umask %s left behind: %q", mask, got)
		}
	}
}

func TestRacingProcesses(t *testing.T) {
	t.Parallel()
	for range 5 {
		dir := t.TempDir()
		var children []*exec.Cmd
		for range 4 {
			children = append(children, startChild(t.Context(), t, "create", dir))
		}
		codes := make(map[int]int)
		for _, c := range children {
			c.Wait()
			codes[c.ProcessState.ExitCode()]++
		}
		if codes[0] != 1 || codes[3] != 3 {
			t.Errorf("exit codes %v, want one 0 and three 3", codes)
		}
		if _, err := ReadKeyFile(filepath.Join(dir, "mfa.key")); err != nil {
			t.Error(err)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"mfa.key"}) {
			t.Errorf("left behind: %q", got)
		}
	}
}

// Whenever a process is killed, a key file is whole or not there.
func TestKilled(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var mu sync.Mutex
	files, cut := 0, 0
	var wg sync.WaitGroup
	for range 12 {
		dir, delay := t.TempDir(), time.Duration(random.IntN(30_000))*time.Microsecond
		wg.Go(func() {
			// The end of the context is a SIGKILL. It comes some time after the
			// first file, however slowly the child starts.
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := startChild(ctx, t, "forever", dir)
			for len(names(t, dir)) == 0 && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(delay)
			cancel()
			c.Wait()
			mu.Lock()
			defer mu.Unlock()
			for _, name := range names(t, dir) {
				path := filepath.Join(dir, name)
				if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s: %v, %v", name, info, err)
				}
				if !strings.HasSuffix(name, ".key") {
					cut++ // a temporary name: any state is allowed
					continue
				}
				files++
				if r, err := ReadKeyFile(path); err != nil || len(r.IDs()) > 2 {
					t.Errorf("%s: %v, %v", name, r, err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d whole files, %d temporary ones", files, cut)
	if files == 0 {
		t.Error("no file was made: the test tests nothing")
	}
}
