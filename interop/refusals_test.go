package interop

import (
	"testing"

	api "github.com/twilio/twilio-go/rest/verify/v2"
)

// Who may come in: the account with its token and an API key with its secret, and
// nobody else, nothing of whose request is looked at.
func testCredentials(t *testing.T, w *world) {
	service := createService(t, w, "Acme")
	_, err := signIn(w.client, keySID, keySecret).FetchService(service)
	ok(t, err)
	for _, credentials := range [][2]string{
		{accountSID, "wrong"},
		{accountSID, keySecret},
		{"ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", authToken},
		{"", ""},
	} {
		stranger := signIn(w.client, credentials[0], credentials[1])
		_, err := stranger.FetchService(service)
		refused(t, err, 401, 20003)
		_, err = stranger.CreateService(new(api.CreateServiceParams).SetFriendlyName("Acme 12345"))
		refused(t, err, 401, 20003)
		_, err = stranger.ListService(nil)
		refused(t, err, 401, 20003)
		refused(t, stranger.DeleteService(service), 401, 20003)
	}
	_, err = w.FetchService(service)
	ok(t, err)
}

// What is not built says so to the SDK, too.
func testAbsence(t *testing.T, w *world) {
	p := enrol(t, w, createService(t, w, "Acme"))
	_, err := w.CreateVerification(p.service, new(api.CreateVerificationParams).SetTo("+15017122661").SetChannel("sms"))
	refused(t, err, 404, 20404)
	_, err = w.CreateNewFactor(p.service, user, newTOTP("phone").SetFactorType("push"))
	refused(t, err, 404, 20404)
	_, err = w.CreateNewFactorPasskey(p.service, nil)
	refused(t, err, 404, 20404)
	_, err = w.ListWebhook(p.service, nil)
	refused(t, err, 404, 20404)
}
