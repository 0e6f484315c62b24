package enginetest

import (
	"strings"
	"time"
	"unicode"
)

// The acceptors here are naive on purpose: each is made as some product once was.
// An attack of this suite that does not get past its twin has no teeth.

// lastCode remembers the code that was used last, as Gitea did: inside a window
// of several steps A, B, A passes.
type lastCode struct {
	app  *App
	last string
}

func (n *lastCode) try(code string) bool {
	for steps := -1; steps <= 1; steps++ {
		if code == n.app.At(steps) && code != n.last {
			n.last = code
			return true
		}
	}
	return false
}

// trimming cleans a code before it compares and remembers it as it was typed, as
// Vault did: the same code passes again in another spelling.
type trimming struct {
	app  *App
	used map[string]bool
}

func (n *trimming) try(code string) bool {
	if n.used[code] || cleaned(code) != n.app.Shown() {
		return false
	}
	n.used[code] = true
	return true
}

// cleaned is what well-meaning parsers make of a code.
func cleaned(code string) string {
	code = strings.TrimLeft(strings.TrimFunc(code, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Cc)
	}), "+")
	return strings.Map(func(r rune) rune {
		for _, zero := range []rune{'0', '٠', '０'} {
			if r >= zero && r <= zero+9 {
				return '0' + r - zero
			}
		}
		return r
	}, code)
}

// perChallenge counts wrong codes by challenge alone, so that a new challenge
// brings new guesses.
type perChallenge struct {
	app      *App
	failures int
	looked   int // codes that were compared
}

func (n *perChallenge) open() { n.failures = 0 }

func (n *perChallenge) try(code string) (approved, locked bool) {
	if n.failures >= 5 {
		return false, true
	}
	n.looked++
	if code == n.app.Shown() {
		return true, false
	}
	n.failures++
	return false, false
}

// calendar counts requests by the hour that the clock shows, so that the count
// of another hour is zero again, forwards and backwards.
type calendar struct {
	hour  int64
	count int
}

func (n *calendar) admit(now time.Time) bool {
	if hour := now.Unix() / 3600; hour != n.hour {
		n.hour, n.count = hour, 0
	}
	n.count++
	return n.count <= 50
}

// forgetful remembers used codes for as long as they are valid, by the clock: it
// forgets when the clock jumps ahead, and the code passes when it comes back.
type forgetful struct {
	app   *App
	until map[string]time.Time
}

func (n *forgetful) try(code string) bool {
	now := n.app.scene.Clock.Now()
	for code, until := range n.until {
		if !until.After(now) {
			delete(n.until, code)
		}
	}
	if _, used := n.until[code]; used || code != n.app.Shown() {
		return false
	}
	n.until[code] = now.Add(2 * time.Minute)
	return true
}
