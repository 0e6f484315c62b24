//go:build race

package verify_test

// raceEnabled lets tests do less where everything takes ten times as long.
const raceEnabled = true
