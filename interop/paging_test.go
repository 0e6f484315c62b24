package interop

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"
)

// Every list is walked forwards and backwards in pages of two, and by the SDK's
// own walks.
func testPaging(t *testing.T, w *world) {
	for _, l := range fillLists(t, w) {
		t.Run(l.key, func(t *testing.T) {
			two, three := 2, 3
			for name, walk := range map[string]func(size, limit *int) ([]string, error){"List": l.all, "Stream": l.stream} {
				for _, tc := range []struct {
					size, limit *int
					want        []string
				}{
					{nil, nil, l.sids},
					{&two, nil, l.sids},
					{&two, &three, l.sids[:3]},
					{nil, &two, l.sids[:2]},
					{&three, &two, l.sids[:2]},
				} {
					got, err := walk(tc.size, tc.limit)
					ok(t, err)
					if !slices.Equal(got, tc.want) {
						t.Errorf("%s with size %s and limit %s: got %v, want %v", name, text(t, tc.size), text(t, tc.limit), got, tc.want)
					}
				}
				none, many := -1, 5000
				_, err := walk(&none, nil)
				refused(t, err, 400, 60306)
				got, err := walk(nil, &many)
				ok(t, err)
				if !slices.Equal(got, l.sids) {
					t.Errorf("%s with a limit of %d: got %v, want %v", name, many, got, l.sids)
				}
			}
			testPages(t, w, l)
		})
	}
}

// testPages goes from page to page to the end and back, as a client does that
// keeps the URLs of meta.
func testPages(t *testing.T, w *world, l list) {
	pages := slices.Collect(slices.Chunk(l.sids, 2))
	var token string
	number := 0
	at := func(i int) meta {
		t.Helper()
		sids, m, err := l.page(2, token, strconv.Itoa(number))
		ok(t, err)
		if !slices.Equal(sids, pages[i]) {
			t.Errorf("page %d: got %v, want %v", i, sids, pages[i])
		}
		if m.Page != i || m.PageSize != 2 || m.Key != l.key {
			t.Errorf("page %d: meta is %s", i, text(t, m))
		}
		first := w.origin + l.path + "?PageSize=2&Page=0"
		if m.FirstPageUrl != first {
			t.Errorf("page %d: first_page_url is %s, want %s", i, m.FirstPageUrl, first)
		}
		own := fmt.Sprintf("%s%s?PageSize=2&Page=%d", w.origin, l.path, number)
		if token != "" {
			own += "&PageToken=" + token
		}
		if m.Url != own {
			t.Errorf("page %d: url is %s, want %s", i, m.Url, own)
		}
		if (m.PreviousPageUrl == nil) != (i == 0) || (m.NextPageUrl == nil) != (i == len(pages)-1) {
			t.Errorf("page %d of %d: neighbours in %s", i, len(pages), text(t, m))
		}
		return m
	}
	follow := func(link *string) {
		t.Helper()
		if link == nil {
			t.Fatal("no such page")
		}
		u, err := url.Parse(*link)
		ok(t, err)
		if token = u.Query().Get("PageToken"); token == "" {
			t.Fatalf("no PageToken in %s", *link)
		}
		number, err = strconv.Atoi(u.Query().Get("Page"))
		ok(t, err)
	}
	m := at(0)
	for i := 1; i < len(pages); i++ {
		follow(m.NextPageUrl)
		m = at(i)
	}
	for i := len(pages) - 2; i >= 0; i-- {
		follow(m.PreviousPageUrl)
		m = at(i)
	}
	_, _, err := l.page(2, "nonsense", "1")
	refused(t, err, 400, 60306)
	_, _, err = l.page(2, "", "-1")
	refused(t, err, 400, 60306)
}
