package store

import "time"

// Micros is how a time crosses into the database: microseconds since 1970 UTC.
// A time.Time is never bound, for its stored form would depend on its zone and
// its monotonic reading.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time is the way back, in UTC. Zero, which the database means as never, is the
// zero Time.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
