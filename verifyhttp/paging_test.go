package verifyhttp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// A list is one of those there are, with items to page through.
type list struct {
	path, key string
	filter    string // parameters that a client may give
}

// lists are of seven items each, but for filters.
func lists(w *world) []list {
	service := w.service()
	for i := range 6 {
		w.service()
		w.entity(service, fmt.Sprintf("other-%04d", i))
	}
	a := w.verified(w.entity(service, ann))
	b := w.verified(a.entity)
	for range 5 {
		w.enrol(a.entity)
	}
	for i := range 7 {
		of := []*app{a, b}[i%2]
		late := w.engine.Clock.Now().Add(time.Hour).Format(time.RFC3339)
		w.post(a.entity+"/Challenges", "FactorSid", of.sid, "ExpirationDate", late).want(201, 0)
		w.engine.Clock.Advance(time.Second)
	}
	challenges := a.entity + "/Challenges"
	return []list{
		{"/v2/Services", "services", ""},
		{service + "/Entities", "entities", ""},
		{a.entity + "/Factors", "factors", ""},
		{challenges, "challenges", ""},
		{challenges, "challenges", "FactorSid=" + a.sid + "&"},
		{challenges, "challenges", "Status=PENDING&Order=desc&"},
		{challenges, "challenges", "FactorSid=" + b.sid + "&Status=pending&Order=Desc&"},
		{challenges, "challenges", "Order=ASC&"},
	}
}

// sids are those of a page, in order.
func sids(a answer, key string) (all []string) {
	items, _ := a.value(key).([]any)
	for _, item := range items {
		all = append(all, item.(map[string]any)["sid"].(string))
	}
	return all
}

func TestPagesLeadThereAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, l := range lists(w) {
		whole := sids(w.get(l.path+"?"+l.filter).want(200, 0), l.key)
		if len(whole) < 3 {
			t.Fatalf("%s: %d items", l.path, len(whole))
		}
		for size := 1; size <= len(whole)+1; size++ {
			target := func(page int) string {
				return fmt.Sprintf("%s%s?%sPageSize=%d&Page=%d", origin, l.path, l.filter, size, page)
			}
			at := strings.TrimPrefix(target(0), origin)
			var there, back []string
			for page := 0; ; page++ {
				a := w.get(at).want(200, 0)
				want := []string{"first_page_url", "key", "next_page_url", "page", "page_size", "previous_page_url", "url"}
				if got := a.keys("meta"); !slices.Equal(got, want) {
					t.Fatalf("meta has %q, want %q", got, want)
				}
				a.is("meta.key", l.key).is("meta.page", page).is("meta.page_size", size).is("meta.first_page_url", target(0)).is("meta.url", origin+at)
				there = append(there, sids(a, l.key)...)
				next := a.text("meta.next_page_url")
				if last := len(there) == len(whole); last != (a.value("meta.next_page_url") == nil) {
					t.Fatalf("%s: next is %q after %d of %d", at, next, len(there), len(whole))
				}
				if first := page == 0; first != (a.value("meta.previous_page_url") == nil) {
					t.Fatalf("%s: previous is %q", at, a.text("meta.previous_page_url"))
				}
				if next == "" {
					break
				}
				if !strings.HasPrefix(next, target(page+1)+"&PageToken=") {
					t.Fatalf("next is %q, want %q and a token", next, target(page+1))
				}
				at = strings.TrimPrefix(next, origin)
			}
			for {
				a := w.get(at).want(200, 0)
				back = append(sids(a, l.key), back...)
				previous := a.text("meta.previous_page_url")
				if previous == "" {
					a.is("meta.page", 0)
					break
				}
				at = strings.TrimPrefix(previous, origin)
			}
			if !slices.Equal(there, whole) || !slices.Equal(back, whole) {
				t.Errorf("%s by %d:\nthere %q\nback  %q\nwant  %q", l.path, size, there, back, whole)
			}
		}
	}
}

// Any walk over the pages tells the truth, whatever is made meanwhile.
func TestPagesWhileTheListGrows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	random := seeded(t)
	for range 9 {
		w.service()
	}
	at := "/v2/Services?PageSize=3"
	for range 150 {
		a := w.get(at).want(200, 0)
		whole := sids(w.get("/v2/Services?PageSize=1000"), "services")
		page := sids(a, "services")
		if i := slices.Index(whole, page[0]); !slices.Equal(page, whole[i:i+len(page)]) {
			t.Fatalf("%s: got %q of %q", at, page, whole)
		}
		if random.IntN(8) == 0 && len(whole) < 40 {
			w.service()
		}
		ways := slices.DeleteFunc([]string{a.text("meta.next_page_url"), a.text("meta.previous_page_url"), a.text("meta.url")}, func(u string) bool { return u == "" })
		at = strings.TrimPrefix(ways[random.IntN(len(ways))], origin)
	}
}

func TestPageParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.service()
	}
	w.get("/v2/Services").want(200, 0).is("meta.page_size", 50).is("meta.page", 0)
	for _, size := range []string{"1000", "1001", "1000000000"} { // twilio-node asks for as many as it is asked for
		w.get("/v2/Services?PageSize="+size).want(200, 0).is("meta.page_size", 1000)
	}
	w.get("/v2/Services?Page=7&PageSize=2").want(200, 0).is("meta.page", 7).is("services.0.sid", w.get("/v2/Services").text("services.0.sid"))
	targets := []string{"/v2/Services"}
	entity := w.entity(w.service(), ann)
	targets = append(targets, strings.TrimSuffix(entity, "/"+ann), entity+"/Factors", entity+"/Challenges")
	for _, bad := range []string{
		"PageSize=0", "PageSize=-1", "PageSize=x", "PageSize=", "PageSize=1e2", "PageSize=010", "PageSize=+5", "PageSize=5.0",
		"PageSize=99999999999999999999", "Page=-1", "Page=x", "Page=", "Page=1.5", "Page=99999999999999999999",
	} {
		for _, target := range targets {
			if a := w.get(target + "?" + bad); !a.got(400, 60306) {
				t.Errorf("%s?%s: got %d %s", target, bad, a.status, a.body)
			}
		}
	}
	for _, bad := range []string{"Order=up", "Order=%20", "Status=unverified", "Status=x", "FactorSid=x", "FactorSid=YC" + noFactor[2:]} {
		if a := w.get(entity + "/Challenges?" + bad); !a.got(400, 60306) {
			t.Errorf("%s: got %d %s", bad, a.status, a.body)
		}
	}
	// However high a client counts, it is led to pages that there are.
	for _, page := range []string{"2147483647", "9007199254740993", "9223372036854775807"} {
		if a := w.get("/v2/Services?PageSize=2&Page=" + page); a.status != 400 {
			w.get(strings.TrimPrefix(a.want(200, 0).text("meta.next_page_url"), origin)).want(200, 0)
		}
	}
}

// The iOS SDK spells it so.
func TestPageTokenAlias(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		w.service()
	}
	first := w.get("/v2/Services?PageSize=2").want(200, 0)
	u, err := url.Parse(first.text("meta.next_page_url"))
	if err != nil {
		t.Fatal(err)
	}
	token := u.Query().Get("PageToken")
	second := sids(w.get("/v2/Services?PageSize=2&PageToken="+token).want(200, 0), "services")
	for _, query := range []string{"pageToken=" + token, "PageToken=&pageToken=" + token, "PageToken=" + token + "&pageToken="} {
		if got := sids(w.get("/v2/Services?PageSize=2&"+query).want(200, 0), "services"); !slices.Equal(got, second) {
			t.Errorf("%s: got %q, want %q", query, got, second)
		}
	}
	w.get("/v2/Services?pageToken=x").want(400, 60306)
}

// naiveToken starts over when it does not like a token.
func naiveToken(next http.Handler, a http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if t := q.Get("PageToken"); len(t) != 34 {
		q.Del("PageToken")
		r.URL.RawQuery = q.Encode()
	}
	next.ServeHTTP(a, r)
}

// checkTokens: a token is good for the list it came from, as it came (STOR-10).
func checkTokens(w *world) (wrongs []string) {
	all := lists(w)
	all = append(all, lists(w)[1:]...) // the same of another service
	other := newWorld(w.tb)
	other.service()
	other.service()
	foreign := tokenOf(other.get("/v2/Services?PageSize=1"))
	random := seeded(w.tb)
	for i, l := range all {
		try := func(what, token string) {
			if a := w.get(l.path + "?" + l.filter + "PageToken=" + url.QueryEscape(token)); !a.got(400, 60306) {
				wrongf(&wrongs, "%s?%s: %s token %q: got %d", l.path, l.filter, what, token, a.status)
			}
		}
		token := tokenOf(w.get(l.path + "?" + l.filter + "PageSize=1"))
		if len(token) < 16 {
			w.tb.Fatalf("token %q", token)
		}
		for range 20 {
			forged := []byte(token)
			at := random.IntN(len(forged))
			forged[at] = "ABCDEFGHabcdefgh01234567-_"[random.IntN(26)]
			if string(forged) != token {
				try("forged", string(forged))
			}
		}
		for n := range len(token) - 1 {
			try("cut", token[:n+1])
		}
		for what, t := range map[string]string{
			"longer": token + "A", "padded": token + "=", "spaced": " " + token, "newline": token[:8] + "\n" + token[8:], "twice": token + token, "foreign": foreign,
			"Twilio's": "DN" + noService[2:], "number": "1", "SQL": "' OR 1=1 --", "zero": strings.Repeat("A", len(token)),
		} {
			try(what, t)
		}
		for j, m := range all {
			if sameOrder := l.path == m.path && strings.Contains(l.filter+m.filter, "Order=ASC") && l.filter+m.filter == "Order=ASC&"; i != j && !sameOrder {
				try("another list's", tokenOf(w.get(m.path+"?"+m.filter+"PageSize=1")))
			}
		}
	}
	return wrongs
}

func tokenOf(a answer) string {
	u, err := url.Parse(a.text("meta.next_page_url"))
	if err != nil {
		return ""
	}
	return u.Query().Get("PageToken")
}

func TestForgedPageTokens(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkTokens(newWorld(t)))
	refusesTwin(t, checkTokens(newWorld(t).twin(naiveToken)))
}
