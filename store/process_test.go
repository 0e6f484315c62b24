//go:build unix

package store_test

import (
	"context"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
)

var background = context.Background() // of processes that are no test

// TestHelperProcess is this test binary in the part of a second process.
func TestHelperProcess(t *testing.T) {
	storetest.Help(t, map[string]storetest.Job{
		"umask":   umaskJob,
		"open":    openJob,
		"die":     dieJob,
		"locked?": lockedJob,
		"drop":    dropJob,
	})
}
