//go:build unix

package store_test

import (
	"strconv"
	"syscall"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// openJob opens every file that it is told, at once, and writes a row of its own.
func openJob(p *storetest.Parent, args []string) error {
	id, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return err
	}
	var path string
	for p.Receive(&path) == nil {
		answer := ""
		if err := openAndPut(path, id); err != nil {
			answer = err.Error()
		}
		if err := p.Send(answer); err != nil {
			return err
		}
	}
	return nil
}

func openAndPut(path string, id int64) error {
	db, err := store.OpenSQLite(background, path, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Write(background, put(id))
}

// DUR-9: two processes may open a new file at once.
func TestTwoProcessesOpenANewFile(t *testing.T) {
	t.Parallel()
	children := []*storetest.Child{storetest.Start(t, "open", "1"), storetest.Start(t, "open", "2")}
	for round := range storetest.Scale(t, 40) {
		path := t.TempDir() + "/a.db"
		for _, c := range children {
			c.Send(path)
		}
		for i, c := range children {
			var answer string
			c.Expect(&answer)
			if answer != "" {
				t.Errorf("round %d, process %d: %s", round, i, answer)
			}
		}
		raw := storetest.Raw(t, path)
		if !holds(t, raw, 1) || !holds(t, raw, 2) {
			t.Errorf("round %d: rows %t %t", round, holds(t, raw, 1), holds(t, raw, 2))
		}
		raw.Close()
	}
	for _, c := range children {
		c.End()
	}
}

// dieJob opens a new file and is killed before its nth statement.
func dieJob(p *storetest.Parent, args []string) error {
	nth, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	faults, seen := &storetest.Faults{}, 0
	faults.Hook(func(op storetest.Op) {
		if op.Kind != storetest.Exec && op.Kind != storetest.Query {
			return
		}
		if seen++; seen == nth {
			syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		}
	})
	db, err := store.OpenSQLite(background, args[0], store.Options{Connector: faults.Connector})
	if err != nil {
		return err
	}
	defer db.Close()
	return p.Send("lived")
}

// A migration is done or not begun, wherever the process that did it died.
func TestKilledWhileMigrating(t *testing.T) {
	t.Parallel()
	deaths := 0
	for lived := false; !lived; {
		path := t.TempDir() + "/a.db"
		child := storetest.Start(t, "die", path, strconv.Itoa(deaths+1))
		if lived = child.Receive(new(string)) == nil; lived {
			child.End()
		} else {
			deaths++
		}
		raw := storetest.Raw(t, path)
		var version, objects int
		if err := raw.QueryRow("SELECT user_version, (SELECT COUNT(*) FROM sqlite_schema) FROM pragma_user_version").Scan(&version, &objects); err != nil {
			t.Fatal(err)
		}
		if (version == 0) != (objects == 0) {
			t.Errorf("death %d left half a schema: version %d, %d objects", deaths, version, objects)
		}
		raw.Close()
		if err := openAndPut(path, 1); err != nil {
			t.Errorf("after death %d: %v", deaths, err)
		}
	}
	t.Logf("killed before each of %d statements", deaths)
	if deaths < 5 {
		t.Errorf("only %d statements were seen: the test tests nothing", deaths)
	}
}
