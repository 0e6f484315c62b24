//go:build unix

package verify_test

import (
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
)

// TestHelperProcess is this test binary in the part of a second process.
func TestHelperProcess(t *testing.T) {
	storetest.Help(t, map[string]storetest.Job{
		"swarm":     swarmJob,
		"work":      workJob,
		"hasty":     hastyJob,
		"hold":      holdJob,
		"log":       logJob,
		"read-only": readOnlyJob,
	})
}
