//go:build race

package enginetest

// raceEnabled lets tests do less where everything takes ten times as long.
const raceEnabled = true
