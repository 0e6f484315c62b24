package interop

import (
	"strings"
	"testing"
	"time"

	api "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/seed4eca3270/verify/verifytest"
)

const user = "ff483d1ff591898a9942916050d2ca3f"

func newTOTP(name string) *api.CreateNewFactorParams {
	return new(api.CreateNewFactorParams).SetFriendlyName(name).SetFactorType("totp")
}

// A phone is a factor together with the app that shows its codes.
type phone struct {
	*verifytest.TOTP
	service, sid string
}

// enrol makes a factor and verifies it; its next code is fresh again.
func enrol(t *testing.T, w *world, service string) phone {
	t.Helper()
	p := addFactor(t, w, service)
	f, err := w.UpdateFactor(service, user, p.sid, new(api.UpdateFactorParams).SetAuthPayload(p.now(w)))
	ok(t, err)
	is(t, "Status", f.Status, "verified")
	w.Clock.Advance(p.Period())
	return p
}

func addFactor(t *testing.T, w *world, service string) phone {
	t.Helper()
	f, err := w.CreateNewFactor(service, user, newTOTP("ann's phone"))
	ok(t, err)
	return phone{verifytest.ScanTOTP(t, binding(t, f)["uri"].(string)), service, *f.Sid}
}

func (p phone) now(w *world) string   { return p.Code(w.Clock.Now()) }
func (p phone) wrong(w *world) string { return p.WrongCode(w.Clock.Now()) }

// binding is untyped in the SDK.
func binding(t *testing.T, f *api.VerifyV2NewFactor) map[string]any {
	t.Helper()
	if f.Binding == nil {
		t.Fatal("a new factor without a binding")
	}
	b, ok := (*f.Binding).(map[string]any)
	if !ok {
		t.Fatalf("binding is %v", *f.Binding)
	}
	return b
}

func testFactorCreation(t *testing.T, w *world) {
	s, err := w.CreateService(new(api.CreateServiceParams).SetFriendlyName("Acme").SetTotpIssuer("Acme & Co").SetTotpTimeStep(45).SetTotpSkew(0))
	ok(t, err)
	f, err := w.CreateNewFactor(*s.Sid, user, newTOTP("John’s Account Name").SetMetadata(map[string]any{"os": "Android"}))
	ok(t, err)
	is(t, "AccountSid", f.AccountSid, accountSID)
	is(t, "ServiceSid", f.ServiceSid, *s.Sid)
	is(t, "Identity", f.Identity, user)
	is(t, "FriendlyName", f.FriendlyName, "John’s Account Name")
	is(t, "Status", f.Status, "unverified")
	is(t, "FactorType", f.FactorType, "totp")
	isJSON(t, "Config", f.Config, `{"alg":"sha1","code_length":6,"skew":0,"time_step":45}`)
	isJSON(t, "Metadata", f.Metadata, `{"os":"Android"}`)
	isNull(t, "Options", f.Options)
	isTime(t, "DateCreated", f.DateCreated, w.Clock.Now())
	is(t, "Url", f.Url, w.origin+"/v2/Services/"+*s.Sid+"/Entities/"+user+"/Factors/"+*f.Sid)
	entity, err := w.FetchEntity(*s.Sid, user) // made with its first factor
	ok(t, err)
	is(t, "EntitySid", f.EntitySid, *entity.Sid)
	secret := binding(t, f)["secret"].(string)
	want := "otpauth://totp/Acme%20%26%20Co:John%E2%80%99s%20Account%20Name?secret=" + secret + "&issuer=Acme%20%26%20Co&algorithm=SHA1&digits=6&period=45"
	if got := binding(t, f)["uri"]; got != want {
		t.Errorf("uri: got %v, want %s", got, want)
	}

	// What the caller says goes before what the service says.
	const given = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	f, err = w.CreateNewFactor(*s.Sid, user, newTOTP("own").SetBindingSecret(given).SetConfigAlg("sha512").
		SetConfigTimeStep(20).SetConfigSkew(2).SetConfigCodeLength(8).SetMetadata(`{"os":"iOS"}`))
	ok(t, err)
	isJSON(t, "Config", f.Config, `{"alg":"sha512","code_length":8,"skew":2,"time_step":20}`)
	isJSON(t, "Metadata given as text", f.Metadata, `{"os":"iOS"}`)
	if got := binding(t, f)["secret"]; got != given {
		t.Errorf("secret: got %v, want the one given", got)
	}
	_, err = w.CreateNewFactor(*s.Sid, user, newTOTP("own").SetBindingSecret(given))
	refused(t, err, 409, 60317)
}

func testFactorLife(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	created, err := w.CreateNewFactor(service, user, newTOTP("phone"))
	ok(t, err)
	fetched, err := w.FetchFactor(service, user, *created.Sid)
	ok(t, err)
	is(t, "Sid", fetched.Sid, *created.Sid)
	is(t, "Status", fetched.Status, "unverified")
	isNull(t, "Metadata", fetched.Metadata)
	// The SDK's type has no field for the binding; record_test.go sees the bytes.

	w.Clock.Advance(time.Second)
	updated, err := w.UpdateFactor(service, user, *created.Sid, new(api.UpdateFactorParams).SetFriendlyName("tablet").
		SetConfigAlg("sha256").SetConfigTimeStep(60).SetConfigSkew(0).SetConfigCodeLength(7))
	ok(t, err)
	is(t, "FriendlyName", updated.FriendlyName, "tablet")
	isJSON(t, "Config", updated.Config, `{"alg":"sha256","code_length":7,"skew":0,"time_step":60}`)
	isTime(t, "DateCreated", updated.DateCreated, *created.DateCreated)
	isTime(t, "DateUpdated", updated.DateUpdated, w.Clock.Now())

	ok(t, w.DeleteFactor(service, user, *created.Sid))
	_, err = w.FetchFactor(service, user, *created.Sid)
	refused(t, err, 404, 20404)
	_, err = w.UpdateFactor(service, user, *created.Sid, new(api.UpdateFactorParams).SetFriendlyName("phone"))
	refused(t, err, 404, 20404)
	refused(t, w.DeleteFactor(service, user, *created.Sid), 404, 20404)
	_, err = w.FetchEntity(service, user) // stays without factors
	ok(t, err)
}

// A wrong code is no error, the fifth is the last, and a right one makes the
// factor verified for good.
func testFactorVerification(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	p := addFactor(t, w, service)
	verify := func(code string) (*api.VerifyV2Factor, error) {
		return w.UpdateFactor(service, user, p.sid, new(api.UpdateFactorParams).SetAuthPayload(code))
	}
	for _, code := range []string{"12345", "1234567", "12 456", "abcdef"} {
		_, err := verify(code)
		refused(t, err, 400, 60306)
	}
	f, err := verify(p.wrong(w))
	ok(t, err)
	is(t, "Status", f.Status, "unverified")
	w.Clock.Advance(time.Second)
	f, err = verify(p.now(w))
	ok(t, err)
	is(t, "Status", f.Status, "verified")
	isTime(t, "DateUpdated", f.DateUpdated, w.Clock.Now())
	f, err = verify(p.wrong(w)) // nothing to prove any more
	ok(t, err)
	is(t, "Status", f.Status, "verified")

	p = addFactor(t, w, service)
	for range 5 {
		f, err := verify(p.wrong(w))
		ok(t, err)
		is(t, "Status", f.Status, "unverified")
	}
	_, err = verify(p.now(w))
	refused(t, err, 429, 60310)
}

func testFactorRefusals(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	create := func(params *api.CreateNewFactorParams) error {
		_, err := w.CreateNewFactor(service, user, params)
		return err
	}
	refused(t, create(new(api.CreateNewFactorParams).SetFriendlyName("phone")), 400, 20001)
	refused(t, create(new(api.CreateNewFactorParams).SetFactorType("totp")), 400, 20001)
	refused(t, create(newTOTP("phone").SetFactorType("fax")), 400, 60306)
	refused(t, create(newTOTP(strings.Repeat("x", 65))), 400, 60306)
	refused(t, create(newTOTP("phone").SetBindingSecret("short")), 400, 60314)
	refused(t, create(newTOTP("phone").SetConfigAlg("md5")), 400, 60306)
	refused(t, create(newTOTP("phone").SetConfigTimeStep(61)), 400, 60306)
	refused(t, create(newTOTP("phone").SetConfigTimeStep(0)), 400, 60306)
	refused(t, create(newTOTP("phone").SetConfigSkew(3)), 400, 60306)
	refused(t, create(newTOTP("phone").SetConfigCodeLength(2)), 400, 60306)
	refused(t, create(newTOTP("phone").SetMetadata(map[string]any{"n": 1})), 400, 60306)
	refused(t, create(newTOTP("phone").SetMetadata(map[string]any{"long": strings.Repeat("x", 1024)})), 400, 60306)
	_, err := w.CreateNewFactor("VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", user, newTOTP("phone"))
	refused(t, err, 404, 20404)
	_, err = w.ListFactor(service, user, nil) // none of those made the entity
	refused(t, err, 404, 20404)
	p := addFactor(t, w, service)
	_, err = w.UpdateFactor(service, user, p.sid, new(api.UpdateFactorParams).SetConfigCodeLength(9))
	refused(t, err, 400, 60306)
	_, err = w.FetchFactor(service, "someone-else", p.sid)
	refused(t, err, 404, 20404)
}
