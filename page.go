package verify

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"math"
	"slices"

	"github.com/seed4eca3270/verify/internal/secret"
)

// A Page is a part of a list. Next and Previous are the tokens of the pages
// around it, empty where there is none.
type Page[T any] struct {
	Items    []T
	Next     string
	Previous string
}

// PageParams ask for one page. Size is 1 to 1000, zero: 50. Token is the Next or
// Previous of another page, empty for the first; it fits only the list, filters
// and order it came from. Pages begin and end at records, not at counts, so that
// records made or deleted in between neither repeat nor hide others.
type PageParams struct {
	Size  int
	Token string
}

// A listing is a request for a page, made ready.
type listing struct {
	size  int
	from  int64 // the key that the page starts behind
	up    bool  // keys ascend from there
	back  bool  // against the order of the list: the page before from
	first bool
	scope [][]byte // what names the list: a token of another does not fit
}

const macSize = 16

// limit is how many rows to ask for: one more than the page takes tells whether
// there is another page.
func (l listing) limit() int64 { return int64(l.size) + 1 }

// listing reads the parameters of a list in order of creation, or the other way
// round if newestFirst.
func (e *Engine) listing(p PageParams, newestFirst bool, scope ...[]byte) (listing, error) {
	l := listing{size: p.Size, up: !newestFirst, first: p.Token == "", scope: scope}
	if l.size == 0 {
		l.size = 50
	}
	if l.size < 1 || l.size > 1000 {
		return l, invalid(CodeInvalidRequest, "PageSize", "want 1 to 1000")
	}
	if l.first {
		l.from = -1
		if newestFirst {
			l.from = math.MaxInt64
		}
		return l, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(p.Token)
	// Both lengths: the decoder passes over line ends, and a token has one spelling.
	if err != nil || len(raw) != 9+macSize || len(p.Token) != base64.RawURLEncoding.EncodedLen(len(raw)) || subtle.ConstantTimeCompare(raw[9:], e.pageMAC(raw[:9], scope)) != 1 {
		return l, invalid(CodeInvalidRequest, "PageToken", "not a token of this list")
	}
	l.back = raw[0] != 0
	l.up = l.up != l.back
	l.from = int64(binary.BigEndian.Uint64(raw[1:9]))
	return l, nil
}

// token leads to the page that starts behind the record with the given key.
func (e *Engine) token(l listing, key int64, back bool) string {
	place := make([]byte, 1, 9+macSize)
	if back {
		place[0] = 1
	}
	place = binary.BigEndian.AppendUint64(place, uint64(key))
	return base64.RawURLEncoding.EncodeToString(append(place, e.pageMAC(place, l.scope)...))
}

func (e *Engine) pageMAC(place []byte, scope [][]byte) []byte {
	return secret.MAC(e.pageKey, "page", append([][]byte{place}, scope...)...)[:macSize]
}

// page makes a Page of rows, of which one more than the size was asked for, in
// the direction that was asked for.
func page[R, T any](e *Engine, l listing, rows []R, key func(R) int64, convert func(R) (T, error)) (Page[T], error) {
	more := len(rows) > l.size
	if more {
		rows = rows[:l.size]
	}
	if l.back {
		slices.Reverse(rows)
	}
	p := Page[T]{Items: make([]T, 0, len(rows))}
	if len(rows) > 0 {
		if more || l.back {
			p.Next = e.token(l, key(rows[len(rows)-1]), false)
		}
		if l.back && more || !l.back && !l.first {
			p.Previous = e.token(l, key(rows[0]), true)
		}
	}
	for _, row := range rows {
		item, err := convert(row)
		if err != nil {
			return Page[T]{}, err
		}
		p.Items = append(p.Items, item)
	}
	return p, nil
}

// walk yields every item of a list, page by page. The first error ends it.
func walk[T any](list func(PageParams) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := PageParams{Size: 200}
		for {
			part, err := list(p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range part.Items {
				if !yield(item, nil) {
					return
				}
			}
			if part.Next == "" {
				return
			}
			p.Token = part.Next
		}
	}
}

// scopeKey makes a record's key part of a list's scope.
func scopeKey(key int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(key)) }
