//go:build !race

package storetest

// Race tells whether the race detector is on, under which SQLite in Go runs
// about seventeen times slower.
const Race = false
