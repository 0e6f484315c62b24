package verify

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"iter"

	"github.com/seed4eca3270/verify/internal/secret"
)

// A Page is a part of a list. Next is the token of the page that follows, empty
// on the last.
type Page[T any] struct {
	Items []T
	Next  string
}

// PageParams ask for one page. Size is 1 to 1000, zero: 50. Token is the Next of
// the page before, empty for the first; it fits only the list, filters and order
// it came from. A page starts behind the last record of the one before, so that
// records made or deleted in between neither repeat nor hide others.
type PageParams struct {
	Size  int
	Token string
}

const macSize = 16

// cursor reads the parameters: the page's size, and the key that the page starts
// behind, which is start for the first one. scope names the list.
func (e *Engine) cursor(p PageParams, start int64, scope ...[]byte) (size int, after int64, err error) {
	size = p.Size
	if size == 0 {
		size = 50
	}
	if size < 1 || size > 1000 {
		return 0, 0, invalid(CodeInvalidRequest, "PageSize", "want 1 to 1000")
	}
	if p.Token == "" {
		return size, start, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(p.Token)
	if err != nil || len(raw) != 8+macSize {
		return 0, 0, invalid(CodeInvalidRequest, "PageToken", "not a token of this list")
	}
	key := raw[:8]
	if subtle.ConstantTimeCompare(raw[8:], e.pageMAC(key, scope)) != 1 {
		return 0, 0, invalid(CodeInvalidRequest, "PageToken", "not a token of this list")
	}
	return size, int64(binary.BigEndian.Uint64(key)), nil
}

func (e *Engine) pageMAC(key []byte, scope [][]byte) []byte {
	return secret.MAC(e.pageKey, "page", append([][]byte{key}, scope...)...)[:macSize]
}

// page cuts rows, of which one more than size was asked for, into a Page.
func page[R, T any](e *Engine, rows []R, size int, key func(R) int64, convert func(R) (T, error), scope ...[]byte) (Page[T], error) {
	var p Page[T]
	if len(rows) > size {
		rows = rows[:size]
		last := binary.BigEndian.AppendUint64(nil, uint64(key(rows[size-1])))
		p.Next = base64.RawURLEncoding.EncodeToString(append(last, e.pageMAC(last, scope)...))
	}
	p.Items = make([]T, 0, len(rows))
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
