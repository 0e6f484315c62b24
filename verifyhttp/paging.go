package verifyhttp

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed4eca3270/verify"
)

// meta is the part of a list's answer that leads to its other pages.
type meta struct {
	Page            int     `json:"page"`
	PageSize        int     `json:"page_size"`
	FirstPageURL    string  `json:"first_page_url"`
	PreviousPageURL *string `json:"previous_page_url"`
	URL             string  `json:"url"`
	NextPageURL     *string `json:"next_page_url"`
	Key             string  `json:"key"`
}

// A paging is what a list request asks for.
type paging struct {
	size, page int
	token      string
}

// paging reads PageSize, Page and PageToken. Page is the client's own count; the
// place in the list is in the token.
func (c *call) paging() paging {
	p := paging{size: 50}
	if size := c.number("PageSize"); size != nil {
		p.size = min(*size, 1000) // twilio-node asks for as many as its caller's limit
		if p.size < 1 {
			c.fault("PageSize", "want 1 or more")
		}
	}
	if page := c.number("Page"); page != nil {
		p.page = *page
		if p.page < 0 {
			c.fault("Page", "want 0 or more")
		}
	}
	p.token = c.value("PageToken")
	if p.token == "" {
		p.token = c.value("pageToken") // the iOS SDK
	}
	return p
}

func (p paging) params() verify.PageParams { return verify.PageParams{Size: p.size, Token: p.token} }

// listing is a list's answer: meta, and the items under the list's own key.
func listing[T, J any](c *call, key, listURL string, p paging, page verify.Page[T], item func(T) J) map[string]any {
	items := make([]J, 0, len(page.Items))
	for _, it := range page.Items {
		items = append(items, item(it))
	}
	filters := c.filters()
	at := func(number int, token string) string {
		query := filters + "PageSize=" + strconv.Itoa(p.size) + "&Page=" + strconv.Itoa(number)
		if token != "" {
			query += "&PageToken=" + url.QueryEscape(token)
		}
		return listURL + "?" + query
	}
	m := meta{Page: p.page, PageSize: p.size, FirstPageURL: at(0, ""), URL: at(p.page, p.token), Key: key}
	if page.Next != "" {
		m.NextPageURL = new(at(min(p.page, math.MaxInt-1)+1, page.Next))
	}
	if page.Previous != "" {
		m.PreviousPageURL = new(at(max(p.page-1, 0), page.Previous))
	}
	return map[string]any{"meta": m, key: items}
}

// filters are the query's other parameters, to be kept in the URLs of pages.
func (c *call) filters() string {
	var b strings.Builder
	for _, key := range []string{"FactorSid", "Status", "Order"} {
		if value := c.value(key); value != "" {
			b.WriteString(key + "=" + url.QueryEscape(value) + "&")
		}
	}
	return b.String()
}
