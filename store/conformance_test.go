package store_test

import (
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T) *store.DB {
			return storetest.Open(t, t.TempDir()+"/a.db", nil, store.Options{})
		})
	})
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T) *store.DB {
			return storetest.Open(t, ":memory:", nil, store.Options{})
		})
	})
}
