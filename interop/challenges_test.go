package interop

import (
	"fmt"
	"testing"
	"time"

	api "github.com/twilio/twilio-go/rest/verify/v2"
)

func newChallenge(p phone) *api.CreateChallengeParams {
	return new(api.CreateChallengeParams).SetFactorSid(p.sid)
}

func respond(w *world, p phone, challenge, code string) (*api.VerifyV2Challenge, error) {
	return w.UpdateChallenge(p.service, user, challenge, new(api.UpdateChallengeParams).SetAuthPayload(code))
}

func testChallengeCreation(t *testing.T, w *world) {
	p := enrol(t, w, createService(t, w, "Acme"))
	now := w.Clock.Now()
	expires := now.Add(17 * time.Minute)
	c, err := w.CreateChallenge(p.service, user, newChallenge(p).
		SetDetailsMessage("Sign in?\nFrom Zürich").
		SetDetailsFields([]any{
			map[string]any{"label": "Action", "value": "Sign in & stay"},
			map[string]any{"label": "Place", "value": "Zürich"},
			`{"label":"Given","value":"as text"}`, // which the SDK encodes once more
		}).
		SetHiddenDetails(map[string]any{"ip": "172.168.1.234"}).
		SetExpirationDate(expires.In(time.FixedZone("", -5*60*60))))
	ok(t, err)
	is(t, "AccountSid", c.AccountSid, accountSID)
	is(t, "ServiceSid", c.ServiceSid, p.service)
	is(t, "Identity", c.Identity, user)
	is(t, "FactorSid", c.FactorSid, p.sid)
	is(t, "Status", c.Status, "pending")
	is(t, "RespondedReason", c.RespondedReason, "none")
	is(t, "FactorType", c.FactorType, "totp")
	isJSON(t, "Details", c.Details, `{"fields":[{"label":"Action","value":"Sign in \u0026 stay"},{"label":"Place","value":"Zürich"},`+
		`{"label":"Given","value":"as text"}],"message":"Sign in?\nFrom Zürich"}`)
	isJSON(t, "HiddenDetails", c.HiddenDetails, `{"ip":"172.168.1.234"}`)
	isNull(t, "Metadata", c.Metadata)
	isTime(t, "DateCreated", c.DateCreated, now)
	isTime(t, "DateUpdated", c.DateUpdated, now)
	isTime(t, "ExpirationDate", c.ExpirationDate, expires)
	isNull(t, "DateResponded", c.DateResponded)
	url := w.origin + "/v2/Services/" + p.service + "/Entities/" + user + "/Challenges/" + *c.Sid
	is(t, "Url", c.Url, url)
	isJSON(t, "Links", c.Links, `{"notifications":"`+url+`/Notifications"}`)
	fetched, err := w.FetchChallenge(p.service, user, *c.Sid)
	ok(t, err)
	isJSON(t, "fetched", fetched, text(t, c))

	c, err = w.CreateChallenge(p.service, user, newChallenge(p).SetHiddenDetails(`{"ip":"172.168.1.234"}`))
	ok(t, err)
	isJSON(t, "HiddenDetails given as text", c.HiddenDetails, `{"ip":"172.168.1.234"}`)
	isTime(t, "ExpirationDate by default", c.ExpirationDate, now.Add(5*time.Minute))
}

func testChallengeResponse(t *testing.T, w *world) {
	p := enrol(t, w, createService(t, w, "Acme"))
	c, err := w.CreateChallenge(p.service, user, newChallenge(p))
	ok(t, err)
	wrong, err := respond(w, p, *c.Sid, p.wrong(w))
	ok(t, err)
	is(t, "Status after a wrong code", wrong.Status, "pending")
	isNull(t, "DateResponded", wrong.DateResponded)

	noted, err := w.UpdateChallenge(p.service, user, *c.Sid, new(api.UpdateChallengeParams).SetMetadata(map[string]any{"os": "Android"}))
	ok(t, err)
	is(t, "Status after metadata alone", noted.Status, "pending")
	isJSON(t, "Metadata", noted.Metadata, `{"os":"Android"}`)

	w.Clock.Advance(time.Second)
	code := p.now(w)
	right, err := respond(w, p, *c.Sid, code)
	ok(t, err)
	is(t, "Status after the right code", right.Status, "approved")
	isTime(t, "DateResponded", right.DateResponded, w.Clock.Now())
	isTime(t, "DateUpdated", right.DateUpdated, w.Clock.Now())
	isJSON(t, "Metadata", right.Metadata, `{"os":"Android"}`)
	_, err = respond(w, p, *c.Sid, code)
	refused(t, err, 403, 60322)

	// The same code for another challenge is a wrong one: it is spent.
	again, err := w.CreateChallenge(p.service, user, newChallenge(p).SetAuthPayload(code))
	ok(t, err)
	is(t, "Status after a replayed code", again.Status, "pending")
	again, err = respond(w, p, *again.Sid, code)
	ok(t, err)
	is(t, "Status after a code replayed twice", again.Status, "pending")

	w.Clock.Advance(p.Period())
	at, err := w.CreateChallenge(p.service, user, newChallenge(p).SetAuthPayload(p.now(w)))
	ok(t, err)
	is(t, "Status at once", at.Status, "approved")
	isTime(t, "DateResponded at once", at.DateResponded, w.Clock.Now())
	at, err = w.CreateChallenge(p.service, user, newChallenge(p).SetAuthPayload(p.wrong(w)))
	ok(t, err)
	is(t, "Status of a wrong code at once", at.Status, "pending")
}

func testChallengeEnd(t *testing.T, w *world) {
	p := enrol(t, w, createService(t, w, "Acme"))
	c, err := w.CreateChallenge(p.service, user, newChallenge(p))
	ok(t, err)
	for range 5 {
		got, err := respond(w, p, *c.Sid, p.wrong(w))
		ok(t, err)
		is(t, "Status", got.Status, "pending")
	}
	_, err = respond(w, p, *c.Sid, p.now(w))
	refused(t, err, 429, 60308)

	c, err = w.CreateChallenge(p.service, user, newChallenge(p))
	ok(t, err)
	w.Clock.Advance(5 * time.Minute)
	_, err = respond(w, p, *c.Sid, p.now(w))
	refused(t, err, 403, 60323)
	c, err = w.FetchChallenge(p.service, user, *c.Sid)
	ok(t, err)
	is(t, "Status", c.Status, "expired")
	isNull(t, "DateResponded", c.DateResponded)

	// A deleted factor takes its challenges with it.
	ok(t, w.DeleteFactor(p.service, user, p.sid))
	_, err = w.FetchChallenge(p.service, user, *c.Sid)
	refused(t, err, 404, 20404)
}

func testChallengeRefusals(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	p := addFactor(t, w, service)
	create := func(params *api.CreateChallengeParams) error {
		_, err := w.CreateChallenge(service, user, params)
		return err
	}
	refused(t, create(newChallenge(p)), 403, 60318)
	p = enrol(t, w, service)
	now := w.Clock.Now()
	refused(t, create(nil), 400, 20001)
	refused(t, create(new(api.CreateChallengeParams).SetFactorSid("YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")), 404, 20404)
	refused(t, create(newChallenge(p).SetAuthPayload("12345")), 400, 60306)
	refused(t, create(newChallenge(p).SetExpirationDate(now)), 400, 60306)
	refused(t, create(newChallenge(p).SetExpirationDate(now.Add(61*time.Minute))), 400, 60306)
	refused(t, create(newChallenge(p).SetHiddenDetails("not JSON")), 400, 60306)
	refused(t, create(newChallenge(p).SetHiddenDetails([]string{"a list"})), 400, 60306)
	refused(t, create(newChallenge(p).SetHiddenDetails(map[string]any{"n": 1})), 400, 60306)
	refused(t, create(newChallenge(p).SetDetailsFields([]any{map[string]any{"label": "no value"}})), 400, 60306)
	refused(t, create(newChallenge(p).SetDetailsFields(make([]any, 21))), 400, 60306)
	_, err := w.CreateChallenge("VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", user, newChallenge(p))
	refused(t, err, 404, 20404)

	c, err := w.CreateChallenge(service, user, newChallenge(p))
	ok(t, err)
	_, err = w.UpdateChallenge(service, user, *c.Sid, nil)
	refused(t, err, 400, 20001)
	_, err = respond(w, p, *c.Sid, "1234567")
	refused(t, err, 400, 60306)
	_, err = respond(w, p, "YCaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", p.now(w))
	refused(t, err, 404, 20404)
	_, err = w.FetchChallenge(service, "someone-else", *c.Sid)
	refused(t, err, 404, 20404)
	_, err = w.ListChallenge(service, "someone-else", nil)
	refused(t, err, 404, 20404)
	for _, params := range []*api.ListChallengeParams{
		new(api.ListChallengeParams).SetStatus("lost"),
		new(api.ListChallengeParams).SetOrder("random"),
	} {
		_, err = w.ListChallenge(service, user, params)
		refused(t, err, 400, 60306)
	}
}

// Too many challenges for a factor are refused until the hour is over.
func testChallengeCreationLimit(t *testing.T, w *world) {
	p := enrol(t, w, createService(t, w, "Acme"))
	for i := range 50 {
		if _, err := w.CreateChallenge(p.service, user, newChallenge(p)); err != nil {
			t.Fatalf("challenge %d: %v", i+1, err)
		}
	}
	_, err := w.CreateChallenge(p.service, user, newChallenge(p))
	refused(t, err, 429, 60312)
	w.Clock.Advance(time.Hour)
	_, err = w.CreateChallenge(p.service, user, newChallenge(p))
	ok(t, err)
}

func testChallengeFilters(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	one, two := enrol(t, w, service), enrol(t, w, service)
	var made []string // in the order of creation
	create := func(p phone, code string) {
		c, err := w.CreateChallenge(service, user, newChallenge(p).SetAuthPayload(code))
		ok(t, err)
		made = append(made, *c.Sid)
	}
	create(one, one.wrong(w))
	w.Clock.Advance(6 * time.Minute) // the first is over
	create(one, one.now(w))
	create(two, two.wrong(w))
	create(two, two.now(w))
	for _, tc := range []struct {
		params *api.ListChallengeParams
		want   []string
	}{
		{nil, made},
		{new(api.ListChallengeParams).SetOrder("asc"), made},
		{new(api.ListChallengeParams).SetOrder("desc"), []string{made[3], made[2], made[1], made[0]}},
		{new(api.ListChallengeParams).SetStatus("pending"), []string{made[2]}},
		{new(api.ListChallengeParams).SetStatus("APPROVED"), []string{made[1], made[3]}},
		{new(api.ListChallengeParams).SetStatus("expired"), []string{made[0]}},
		{new(api.ListChallengeParams).SetStatus("denied"), nil},
		{new(api.ListChallengeParams).SetFactorSid(two.sid), []string{made[2], made[3]}},
		{new(api.ListChallengeParams).SetFactorSid(two.sid).SetStatus("approved"), []string{made[3]}},
		{new(api.ListChallengeParams).SetFactorSid("YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), nil},
		// Filters and order stay with the pages that follow.
		{new(api.ListChallengeParams).SetStatus("approved").SetOrder("desc").SetPageSize(1), []string{made[3], made[1]}},
	} {
		asked := text(t, tc.params)
		got, err := w.ListChallenge(service, user, tc.params)
		ok(t, err)
		var sids []string
		for _, c := range got {
			sids = append(sids, *c.Sid)
		}
		if fmt.Sprint(sids) != fmt.Sprint(tc.want) {
			t.Errorf("%s: got %v, want %v", asked, sids, tc.want)
		}
	}
}
