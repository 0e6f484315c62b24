//go:build unix

package verify_test

import (
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
)

// hastyJob acknowledges rows that it has written and not yet committed, a few at
// a time, as a program does that trusts in its next commit.
func hastyJob(p *storetest.Parent, args []string) error {
	raw, err := storetest.OpenRaw(args[0], "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return err
	}
	if _, err := raw.Exec("CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY)"); err != nil {
		return err
	}
	for {
		tx, err := raw.Begin()
		if err != nil {
			return err
		}
		for range 4 {
			result, err := tx.Exec("INSERT INTO facts DEFAULT VALUES")
			if err != nil {
				return err
			}
			id, err := result.LastInsertId()
			if err != nil {
				return err
			}
			if err := p.Send(id); err != nil {
				return err
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
}

// The harness of TestKilled finds out who acknowledges what is not on disk.
func TestKilledHasTeeth(t *testing.T) {
	t.Parallel()
	random := storetest.Random(t)
	path := t.TempDir() + "/hasty.db"
	lost, cycles := false, 0
	for ; !lost && cycles < 50; cycles++ {
		child := storetest.Start(t, "hasty", path)
		var last int64
		for range 1 + random.IntN(30) {
			child.Expect(&last)
		}
		if err := child.Kill(); err != nil {
			t.Fatal(err)
		}
		for child.Receive(&last) == nil {
		}
		raw := storetest.Raw(t, path)
		var there int64
		if err := raw.QueryRow("SELECT COALESCE(MAX(id), 0) FROM facts").Scan(&there); err != nil {
			t.Fatal(err)
		}
		lost = there < last
		raw.Close()
	}
	t.Logf("kill number %d lost what was acknowledged: %t", cycles, lost)
	if !lost {
		t.Error("no kill lost anything: the harness has no teeth")
	}
}
