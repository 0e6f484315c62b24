package interop

import (
	"testing"
	"time"

	api "github.com/twilio/twilio-go/rest/verify/v2"
)

func testEntityLife(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	created, err := w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity("User-0001"))
	ok(t, err)
	is(t, "Identity", created.Identity, "User-0001")
	is(t, "AccountSid", created.AccountSid, accountSID)
	is(t, "ServiceSid", created.ServiceSid, service)
	isTime(t, "DateCreated", created.DateCreated, w.Clock.Now())
	isTime(t, "DateUpdated", created.DateUpdated, w.Clock.Now())
	url := w.origin + "/v2/Services/" + service + "/Entities/User-0001"
	is(t, "Url", created.Url, url)
	isJSON(t, "Links", created.Links, `{"challenges":"`+url+`/Challenges","factors":"`+url+`/Factors","new_factors":"`+url+`/Factors"}`)

	// An identity is one whatever its case, and keeps the spelling it was made with.
	for _, identity := range []string{"User-0001", "uSER-0001"} {
		fetched, err := w.FetchEntity(service, identity)
		ok(t, err)
		isJSON(t, "fetched", fetched, text(t, created))
		_, err = w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity(identity))
		refused(t, err, 409, 60301)
	}
	ok(t, w.DeleteEntity(service, "USER-0001"))
	_, err = w.FetchEntity(service, "User-0001")
	refused(t, err, 404, 20404)
	refused(t, w.DeleteEntity(service, "User-0001"), 404, 20404)
	// The name is free again.
	_, err = w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity("user-0001"))
	ok(t, err)
}

func testEntityRefusals(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	for _, identity := range []string{
		"short-1",
		"long-identity-of-sixty-five-characters-00000000000000000000000001",
		"user@example.com",
		"üser-0001",
	} {
		_, err := w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity(identity))
		refused(t, err, 400, 60306)
	}
	_, err := w.CreateEntity(service, nil)
	refused(t, err, 400, 20001)
	const foreign = "VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	_, err = w.CreateEntity(foreign, new(api.CreateEntityParams).SetIdentity("user-0001"))
	refused(t, err, 404, 20404)
	_, err = w.ListEntity(foreign, nil)
	refused(t, err, 404, 20404)
	_, err = w.FetchEntity(service, "user-0001")
	refused(t, err, 404, 20404)
}

// Beyond the guard's number in a second entities are refused, whichever way they
// would be made.
func testEntityGuard(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	for _, identity := range []string{"user-0001", "user-0002"} {
		_, err := w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity(identity))
		ok(t, err)
	}
	_, err := w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity("user-0003"))
	refused(t, err, 429, 60328)
	_, err = w.CreateNewFactor(service, "user-0003", newTOTP("phone"))
	refused(t, err, 429, 60328)
	// A factor of an entity that is there makes none.
	_, err = w.CreateNewFactor(service, "user-0001", newTOTP("phone"))
	ok(t, err)
	w.Clock.Advance(time.Second)
	_, err = w.CreateEntity(service, new(api.CreateEntityParams).SetIdentity("user-0003"))
	ok(t, err)
}
