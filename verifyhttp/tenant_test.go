package verifyhttp_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

// An estate is what one owner has: a service, an entity, and of it a factor that
// is verified, one that is not, and a pending challenge.
type estate struct {
	service, entity  string // paths
	factor, pending  *app
	challenge        string
	identity, sid, e string
}

func (w *world) estate(service, identity string) estate {
	w.tb.Helper()
	entity := w.entity(service, identity)
	a := w.verified(entity)
	late := w.engine.Clock.Now().Add(time.Hour).Format(time.RFC3339)
	challenge := w.post(entity+"/Challenges", "FactorSid", a.sid, "ExpirationDate", late).want(201, 0)
	return estate{
		service: service, entity: entity, factor: a, pending: w.enrol(entity), challenge: challenge.text("sid"),
		identity: identity, sid: strings.TrimPrefix(service, "/v2/Services/"), e: w.get(entity).text("sid"),
	}
}

// A target is a path with the names in it that a client can choose.
type target struct{ service, identity, sid string }

// A tenantOperation's path is made of a target, and so is its body.
type tenantOperation struct {
	name, method, path string
	body               func(mine estate, t target) []string
	kind               string // of the last part: service, identity, YF, YC
}

var tenantOperations = []tenantOperation{
	{name: "FetchService", method: "GET", path: "{service}", kind: "service"},
	{name: "UpdateService", method: "POST", path: "{service}", body: pairs("CodeLength", "9"), kind: "service"},
	{name: "DeleteService", method: "DELETE", path: "{service}", kind: "service"},
	{name: "ListEntity", method: "GET", path: "{service}/Entities", kind: "service"},
	{name: "CreateEntity", method: "POST", path: "{service}/Entities", body: pairs("Identity", "intruder-1"), kind: "service"},
	{name: "FetchEntity", method: "GET", path: "{service}/Entities/{identity}", kind: "identity"},
	{name: "DeleteEntity", method: "DELETE", path: "{service}/Entities/{identity}", kind: "identity"},
	{name: "ListFactor", method: "GET", path: "{service}/Entities/{identity}/Factors", kind: "identity"},
	{name: "ListChallenge", method: "GET", path: "{service}/Entities/{identity}/Challenges", kind: "identity"},
	{name: "CreateNewFactor", method: "POST", path: "{service}/Entities/{identity}/Factors", body: pairs("FriendlyName", "x", "FactorType", "totp"), kind: "service"},
	{name: "FetchFactor", method: "GET", path: "{service}/Entities/{identity}/Factors/{sid}", kind: "YF"},
	{name: "UpdateFactor", method: "POST", path: "{service}/Entities/{identity}/Factors/{sid}", body: pairs("FriendlyName", "intruder"), kind: "YF"},
	{name: "UpdateFactor with code", method: "POST", path: "{service}/Entities/{identity}/Factors/{sid}", kind: "YF",
		body: func(mine estate, _ target) []string { return []string{"AuthPayload", mine.pending.shown()} }},
	{name: "DeleteFactor", method: "DELETE", path: "{service}/Entities/{identity}/Factors/{sid}", kind: "YF"},
	{name: "CreateChallenge", method: "POST", path: "{service}/Entities/{identity}/Challenges", kind: "YF",
		body: func(mine estate, t target) []string {
			return []string{"FactorSid", t.sid, "AuthPayload", mine.factor.shown()}
		}},
	{name: "FetchChallenge", method: "GET", path: "{service}/Entities/{identity}/Challenges/{sid}", kind: "YC"},
	{name: "UpdateChallenge", method: "POST", path: "{service}/Entities/{identity}/Challenges/{sid}", kind: "YC",
		body: func(mine estate, _ target) []string { return []string{"AuthPayload", mine.factor.shown()} }},
	{name: "UpdateChallenge wrong", method: "POST", path: "{service}/Entities/{identity}/Challenges/{sid}", kind: "YC",
		body: func(mine estate, _ target) []string { return []string{"AuthPayload", mine.factor.wrong()} }},
}

func pairs(p ...string) func(estate, target) []string {
	return func(estate, target) []string { return p }
}

// state is all there is, whoever owns it.
func (w *world) state() string {
	w.tb.Helper()
	ctx := w.tb.Context()
	var all []any
	keep := func(v any, err error) {
		if err != nil {
			w.tb.Fatal(err)
		}
		all = append(all, v)
	}
	for s, err := range w.engine.Services(ctx) {
		keep(s, err)
		for e, err := range w.engine.Entities(ctx, s.SID) {
			keep(e, err)
			for f, err := range w.engine.Factors(ctx, s.SID, e.Identity) {
				keep(f, err)
			}
			for c, err := range w.engine.Challenges(ctx, s.SID, e.Identity, verify.ChallengeFilter{}) {
				keep(c, err)
			}
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		w.tb.Fatal(err)
	}
	return string(text)
}

var someSID = regexp.MustCompile(`[A-Z]{2}[0-9a-f]{32}`)

// naiveTenant finds what there is and then says that it is not yours.
func naiveTenant(w *world) func(next http.Handler, a http.ResponseWriter, r *http.Request) {
	return func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		if found := someSID.FindAllString(r.URL.Path, -1); len(found) > 1 && r.Method == "GET" && strings.Contains(w.state(), `"`+found[1]+`"`) {
			if w.under(func(http.Handler) http.Handler { return next }).naiveGet(r.URL.Path).status == 404 {
				a.WriteHeader(http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(a, r)
	}
}

func (w *world) naiveGet(path string) answer {
	other := *w
	other.naive = true
	return other.get(path)
}

// checkTenants asks, for each operation, for what is somebody else's and for what
// does not exist, and compares the answers byte for byte (HTTP-2).
func checkTenants(w *world) (wrongs []string) {
	first := w.service()
	mine := w.estate(first, ann)
	neighbour := w.estate(first, bob)
	stranger := w.estate(w.service(), "stranger-01")
	w.entity(stranger.service, "user-00010") // an identity that two services might share
	twin := w.estate(stranger.service, ann)
	random := func(prefix string) string { return prefix + mine.sid[2:18] + "0123456789abcdef" } // the right time, the wrong chance

	sids := map[string]func(estate) string{
		"YF": func(e estate) string { return e.factor.sid },
		"YC": func(e estate) string { return e.challenge },
	}
	for _, o := range tenantOperations {
		var foreign, absent []target
		add := func(to *[]target, t ...target) { *to = append(*to, t...) }
		switch o.kind {
		case "service":
			add(&absent, target{service: random("VA"), identity: ann}, target{service: noService, identity: ann}, target{service: mine.e, identity: ann},
				target{service: mine.factor.sid, identity: ann}, target{service: "VA" + strings.ToUpper(mine.sid[2:]), identity: ann}, target{service: "YE" + mine.sid[2:], identity: ann})
		case "identity":
			add(&foreign, target{service: mine.sid, identity: "stranger-01"}, target{service: stranger.sid, identity: bob})
			add(&absent, target{service: mine.sid, identity: nobody}, target{service: random("VA"), identity: ann}, target{service: mine.sid, identity: mine.e})
		default:
			sid := sids[o.kind]
			for _, owner := range []estate{mine, neighbour, stranger, twin} {
				for _, at := range []estate{mine, neighbour, stranger, twin} {
					if owner.entity != at.entity {
						add(&foreign, target{at.sid, at.identity, sid(owner)})
					}
				}
				add(&foreign, target{random("VA"), owner.identity, sid(owner)}, target{owner.sid, nobody, sid(owner)}, target{noService, ann, sid(owner)})
			}
			add(&absent, target{mine.sid, ann, random(o.kind)}, target{mine.sid, ann, o.kind + noService[2:]}, target{mine.sid, ann, "nonsense"},
				target{mine.sid, ann, map[string]string{"YF": "YC", "YC": "YF"}[o.kind] + sid(mine)[2:]}, target{mine.sid, ann, mine.e}, target{mine.sid, ann, mine.sid},
				target{mine.sid, ann, o.kind + strings.ToUpper(sid(mine)[2:])}, target{mine.sid, ann, sid(mine) + "0"}, target{mine.sid, ann, sid(mine)[:33]})
		}
		send := func(t target) answer {
			path := strings.NewReplacer("{service}", "/v2/Services/"+t.service, "{identity}", t.identity, "{sid}", t.sid).Replace(o.path)
			body := ""
			if o.body != nil {
				body = encode(o.body(mine, t)...)
			}
			a := w.send(w.request(o.method, path, body))
			a.body = []byte(strings.ReplaceAll(string(a.body), path, "PATH"))
			return a
		}
		before := w.state()
		want := send(absent[0])
		if !want.got(404, verify.CodeNotFound) {
			wrongf(&wrongs, "%s: absent: got %d %s", o.name, want.status, want.body)
		}
		for _, t := range slices.Concat(foreign, absent[1:]) {
			if got := send(t); got.bytes() != want.bytes() {
				wrongf(&wrongs, "%s %+v: got\n%s\nwant\n%s", o.name, t, got.bytes(), want.bytes())
			}
		}
		if after := w.state(); after != before {
			wrongf(&wrongs, "%s: before\n%s\nafter\n%s", o.name, before, after)
		}
	}
	// Nobody's guesses count against anybody else, and no code was spent.
	if a := mine.factor.respond(mine.challenge, mine.factor.shown()); a.text("status") != "approved" {
		wrongf(&wrongs, "own answer: %d %s", a.status, a.body)
	}
	if a := mine.pending.verify(mine.pending.shown()); a.text("status") != "verified" {
		wrongf(&wrongs, "own enrolment: %d %s", a.status, a.body)
	}
	for _, o := range tenantOperations { // and all of them do succeed for their owner
		sid := map[string]string{"YF": neighbour.factor.sid, "YC": neighbour.challenge}[o.kind]
		path := strings.NewReplacer("{service}", neighbour.service, "{identity}", bob, "{sid}", sid).Replace(o.path)
		if o.method != "DELETE" {
			body := ""
			if o.body != nil {
				body = encode(o.body(neighbour, target{sid: sid})...)
			}
			if a := w.send(w.request(o.method, path, body)); a.status >= 300 && a.code() != verify.CodeChallengeResponded {
				wrongf(&wrongs, "%s: own: got %d %s", o.name, a.status, a.body)
			}
		}
	}
	return wrongs
}

func TestTenants(t *testing.T) {
	t.Parallel()
	for _, o := range operations() { // all, but two that name nobody
		if !slices.ContainsFunc(tenantOperations, func(p tenantOperation) bool { return p.name == o.name }) && o.built && o.name != "CreateService" && o.name != "ListService" {
			t.Errorf("%s is missing", o.name)
		}
	}
	refusesNone(t, checkTenants(worldOver(t, unlimited(t))))
	twin := worldOver(t, unlimited(t))
	refusesTwin(t, checkTenants(twin.twin(naiveTenant(twin))))
}

// A filter by a factor that is somebody else's, or nobody's, finds nothing.
func TestTenantsInFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.service()
	mine, neighbour := w.estate(service, ann), w.estate(service, bob)
	want := ""
	for _, sid := range []string{"YF1" + noFactor[3:], neighbour.factor.sid, "YF" + mine.factor.sid[2:18] + "0123456789abcdef"} {
		got := w.get(mine.entity+"/Challenges?FactorSid="+sid).want(200, 0).bytes(sid)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", sid, got, want)
		}
	}
}

// Two accounts are two engines: what one made means nothing to the other.
func TestTwoEnginesInOneProcess(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t), worldOver(t, verifytest.NewEngine(t, func(c *verify.Config) { c.Rand = verifytest.Rand("another") }))
	mine := a.estate(a.service(), ann)
	b.service()
	before := b.state()
	for _, path := range []string{mine.service, mine.entity, mine.factor.factor, mine.entity + "/Challenges/" + mine.challenge, mine.entity + "/Factors", mine.entity + "/Challenges"} {
		a.get(path).want(200, 0)
		b.get(path).want(404, verify.CodeNotFound)
		b.delete(path)
	}
	if after := b.state(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if a.get(mine.service).text("account_sid") == b.get("/v2/Services").text("services.0.account_sid") {
		t.Error("one account")
	}
}
