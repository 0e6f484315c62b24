package enginetest

import (
	"slices"
	"testing"

	"github.com/seed4eca3270/verify"
)

func pageTests() []test {
	return []test{
		{"stand still under inserts and deletes", pageStable},
		{"lead back to where they came from", pageBack},
		{"sizes", pageSizes},
		{"iterators go over all pages", pageIterators},
		{"iterators stop when told", pageStop},
	}
}

// A page starts behind the last record of the one before, even if that record is
// gone: nothing repeats, nothing is hidden.
func pageStable(t *testing.T, open Opener) {
	for _, sh := range shelves(t, open) {
		var all []string
		for range 9 {
			all = append(all, sh.add())
		}
		start, tokens, err := sh.list(verify.PageParams{Size: 3})
		next := tokens.next
		if err != nil || next == "" || tokens.previous != "" {
			t.Fatalf("%s: %v, the first page of three has %+v", sh.name, err, tokens)
		}
		newest := start[0] != all[0]
		if newest { // the list may hold more than was made here
			rest := collect(t, sh, verify.PageParams{Size: 4, Token: next})
			sh.add()
			if again := collect(t, sh, verify.PageParams{Size: 4, Token: next}); !slices.Equal(again, rest) {
				t.Errorf("%s: the rest was\n%v\nis\n%v", sh.name, rest, again)
			}
			continue
		}
		want := append(slices.Clone(all[3:]), sh.add())
		if sh.remove != nil {
			for _, i := range []int{0, 2, 3, 5} { // 2 is the one that the token names
				sh.remove(all[i])
				want = slices.DeleteFunc(want, func(sid string) bool { return sid == all[i] })
			}
		}
		for _, size := range []int{1, 2, 50} {
			if got := collect(t, sh, verify.PageParams{Size: size, Token: next}); !slices.Equal(got, want) {
				t.Errorf("%s: behind the first page there is\n%v\nwant\n%v", sh.name, got, want)
			}
		}
	}
}

// collect follows the pages from the given one on.
func collect(t *testing.T, sh shelf, p verify.PageParams) (all []string) {
	t.Helper()
	for {
		items, tokens, err := sh.list(p)
		if err != nil {
			t.Fatalf("%s: %v", sh.name, err)
		}
		all = append(all, items...)
		if tokens.next == "" {
			return all
		}
		p.Token = tokens.next
	}
}

// Whoever goes forward to the end and back again sees the same pages, and ends at
// the first, which has none before it.
func pageBack(t *testing.T, open Opener) {
	for _, sh := range shelves(t, open) {
		for range 8 {
			sh.add()
		}
		whole := collect(t, sh, verify.PageParams{})
		for _, size := range []int{1, 3, 4, 8} {
			var pages [][]string
			p := verify.PageParams{Size: size}
			var last around
			for {
				items, tokens, err := sh.list(p)
				if err != nil || (tokens.previous == "") != (p.Token == "") {
					t.Fatalf("%s: %v, page %d has %+v", sh.name, err, len(pages), tokens)
				}
				pages = append(pages, items)
				if last = tokens; tokens.next == "" {
					break
				}
				p.Token = tokens.next
			}
			for i := len(pages) - 2; i >= 0; i-- {
				items, tokens, err := sh.list(verify.PageParams{Size: size, Token: last.previous})
				if err != nil || !slices.Equal(items, pages[i]) || (tokens.previous == "") != (i == 0) || tokens.next == "" {
					t.Fatalf("%s: %v, back at page %d of %d there is\n%v %+v\nwant\n%v", sh.name, err, i, size, items, tokens, pages[i])
				}
				if again, _, err := sh.list(verify.PageParams{Size: size, Token: tokens.next}); err != nil || !slices.Equal(again, pages[i+1]) {
					t.Fatalf("%s: %v, forward again there is\n%v\nwant\n%v", sh.name, err, again, pages[i+1])
				}
				last = tokens
			}
		}
		if sh.remove == nil {
			continue
		}
		// A page that was emptied meanwhile repeats and hides nothing behind it.
		_, tokens, err := sh.list(verify.PageParams{Size: 3})
		if err != nil {
			t.Fatal(err)
		}
		_, second, err := sh.list(verify.PageParams{Size: 3, Token: tokens.next})
		if err != nil {
			t.Fatal(err)
		}
		for _, sid := range whole[1:4] {
			sh.remove(sid)
		}
		items, tokens, err := sh.list(verify.PageParams{Size: 3, Token: second.previous})
		if err != nil || !slices.Equal(items, whole[:1]) || tokens.previous != "" {
			t.Errorf("%s: %v, before the second page there is %v %+v, want %v", sh.name, err, items, tokens, whole[:1])
		}
		if rest := collect(t, sh, verify.PageParams{Size: 3, Token: tokens.next}); !slices.Equal(rest, whole[4:]) {
			t.Errorf("%s: behind it there is\n%v\nwant\n%v", sh.name, rest, whole[4:])
		}
	}
}

func pageSizes(t *testing.T, open Opener) {
	for _, sh := range shelves(t, open)[:4] {
		if items, tokens, err := sh.list(verify.PageParams{}); err != nil || len(items) != 0 || tokens != (around{}) {
			t.Errorf("%s: the empty list: %v, %+v, %v", sh.name, items, tokens, err)
		}
		for range 51 {
			sh.add()
		}
		for _, c := range []struct {
			size, items int
			more        bool
		}{{0, 50, true}, {1, 1, true}, {50, 50, true}, {51, 51, false}, {1000, 51, false}} {
			items, tokens, err := sh.list(verify.PageParams{Size: c.size})
			if err != nil || len(items) != c.items || (tokens.next != "") != c.more {
				t.Errorf("%s: size %d: %d items, %+v, %v", sh.name, c.size, len(items), tokens, err)
			}
		}
		for _, size := range []int{-1, 1001, -1 << 63, 1<<63 - 1} {
			_, _, err := sh.list(verify.PageParams{Size: size})
			if got := Refused(t, err, verify.ErrInvalid, verify.CodeInvalidRequest); got.Param != "PageSize" {
				t.Errorf("%s: size %d: the error is about %q", sh.name, size, got.Param)
			}
		}
	}
}

func pageIterators(t *testing.T, open Opener) {
	for _, sh := range shelves(t, open) {
		for range 401 { // an iterator reads 200 at a time
			sh.add()
		}
		got, err := sh.walk()
		if err != nil {
			t.Fatalf("%s: %v", sh.name, err)
		}
		if want := collect(t, sh, verify.PageParams{Size: 333}); len(want) < 401 || !slices.Equal(got, want) {
			t.Errorf("%s: walked %d, listed %d, not the same", sh.name, len(got), len(want))
		}
		sorted := slices.Clone(got)
		slices.Sort(sorted)
		if len(slices.Compact(slices.Clone(sorted))) != len(got) {
			t.Errorf("%s: something comes twice", sh.name)
		}
		reversed := slices.Clone(sorted)
		slices.Reverse(reversed)
		if !slices.Equal(got, sorted) && !slices.Equal(got, reversed) {
			t.Errorf("%s: not in the order of creation", sh.name)
		}
	}
}

func pageStop(t *testing.T, open Opener) {
	e := open(t)
	for range 3 {
		Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "x"}))(t)
	}
	n := 0
	for range e.Services(t.Context()) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d items after a break at 2", n)
	}
	seq := e.Services(t.Context())
	for range 2 { // an iterator may be used again
		if got, err := walked(seq, func(s verify.Service) string { return s.SID }); err != nil || len(got) != 3 {
			t.Errorf("walked %d: %v", len(got), err)
		}
	}
	// An error is yielded once and ends it.
	n = 0
	for _, err := range e.Entities(t.Context(), "VA00000000000000000000000000000000") {
		Refused(t, err, verify.ErrNotFound, verify.CodeNotFound)
		n++
	}
	if n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
}
