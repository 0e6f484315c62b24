package verifytest

import (
	"log/slog"
	"testing"
)

// logger writes an engine's records to the test's output.
func logger(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), nil))
}
