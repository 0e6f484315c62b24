// Package storetest is for tests of what stands on a database: a connector that
// fails on request, second processes that a test can talk to, and what a store
// must do wherever it keeps its rows. Only tests import it.
package storetest

import (
	"fmt"
	"sync"

	sqlite3 "modernc.org/sqlite/lib"
)

// The result codes of SQLite that faults are tried with.
const (
	Busy     = sqlite3.SQLITE_BUSY
	IOErr    = sqlite3.SQLITE_IOERR
	Full     = sqlite3.SQLITE_FULL
	Corrupt  = sqlite3.SQLITE_CORRUPT
	NoMem    = sqlite3.SQLITE_NOMEM
	ReadOnly = sqlite3.SQLITE_READONLY
)

// Codes are all of them, by name.
func Codes() map[string]int {
	return map[string]int{
		"busy": Busy, "ioerr": IOErr, "full": Full, "corrupt": Corrupt, "nomem": NoMem, "readonly": ReadOnly,
	}
}

// A Mode tells what becomes of an operation that a fault hits.
type Mode int

// The modes.
const (
	Refuse   Mode = iota // it does not run
	RollBack             // it does not run and the open transaction is gone, as SQLite does it on a full disk
	Unknown              // it runs, and nobody hears how it ended
)

// A Fault makes operations fail.
type Fault struct {
	Nth    int           // the first to fail, of those that match; 0 is 1
	Sticky bool          // all that follow fail too
	Code   int           // of the error
	Mode   Mode          // what happens besides
	Match  func(Op) bool // which operations count; nil: all
}

// An Error is the answer of a fault. Like the driver's own it tells a code.
type Error struct {
	code int
	op   Op
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("storetest: fault %d at %v", e.code, e.op) }

// Code returns the result code, as the driver's errors do.
func (e *Error) Code() int { return e.code }

// Faults control the connections of one connector, or of several that share
// them. The zero value lets everything pass. It is safe for concurrent use.
type Faults struct {
	mu          sync.Mutex
	fault       *Fault
	seen, fired int
	hook        func(Op)
}

// Arm sets the fault, in place of any other, and counts anew.
func (f *Faults) Arm(fault Fault) {
	fault.Nth = max(fault.Nth, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.seen, f.fired = &fault, 0, 0
}

// Clear ends the fault and tells how often it struck.
func (f *Faults) Clear() (fired int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = nil
	return f.fired
}

// Hook has h called before every operation, on the goroutine that wants it. It
// may count, block, or run statements of its own on the connection.
func (f *Faults) Hook(h func(Op)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = h
}

// meet shows the operation to the hook and decides whether it fails.
func (f *Faults) meet(op Op) (Fault, bool) {
	f.mu.Lock()
	hook := f.hook
	f.mu.Unlock()
	if hook != nil {
		hook(op)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == nil || f.fault.Match != nil && !f.fault.Match(op) {
		return Fault{}, false
	}
	f.seen++
	if f.seen < f.fault.Nth || f.seen > f.fault.Nth && !f.fault.Sticky {
		return Fault{}, false
	}
	f.fired++
	return *f.fault, true
}
