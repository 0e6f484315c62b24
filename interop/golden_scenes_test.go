package interop

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed4eca3270/verify/verifytest"
)

const foreignService = "/v2/Services/VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func goldenServices(g *golden) {
	const services = "/v2/Services"
	service := services + "/" + g.post("create", services, "FriendlyName", "Acme").text("sid")
	g.post("create with settings", services,
		"FriendlyName", "Ärzte-Praxis 24", "CodeLength", "8", "LookupEnabled", "true", "SkipSmsToLandlines", "true",
		"DtmfInputRequired", "true", "TtsName", "voice", "Psd2Enabled", "true", "DoNotShareWarningEnabled", "true",
		"CustomCodeEnabled", "true", "Push.IncludeDate", "true",
		"Push.ApnCredentialSid", "CRaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Push.FcmCredentialSid", "CRbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		"Totp.Issuer", "Acme Ltd", "Totp.TimeStep", "60", "Totp.CodeLength", "8", "Totp.Skew", "0",
		"DefaultTemplateSid", "HJaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"Whatsapp.MsgServiceSid", "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Whatsapp.From", "+15017122661",
		"Passkeys.RelyingParty.Id", "example.com", "Passkeys.RelyingParty.Name", "Acme",
		"Passkeys.RelyingParty.Origins", "https://example.com,https://login.example.com",
		"Passkeys.AuthenticatorAttachment", "platform", "Passkeys.DiscoverableCredentials", "preferred",
		"Passkeys.UserVerification", "required", "VerifyEventSubscriptionEnabled", "true")
	g.post("create without a name", services, "CodeLength", "6")
	g.post("create with a bad name", services, "FriendlyName", "Acme 12345")
	g.post("create with a code length that is no number", services, "FriendlyName", "Acme", "CodeLength", "six")
	g.unkept(services, "FriendlyName", "Third")

	first := g.get("list the first page", services+"?PageSize=2")
	second := g.get("list the next page", first.text("meta", "next_page_url"))
	g.get("list the previous page", second.text("meta", "previous_page_url"))
	g.get("list pages of no size", services+"?PageSize=0")
	g.get("list pages larger than there are", services+"?PageSize=1001")
	g.get("list with a made-up token", services+"?PageToken=nonsense")

	g.get("fetch", service)
	g.get("fetch what is not there", foreignService)
	g.Clock.Advance(time.Minute)
	g.post("update", service, "FriendlyName", "Acme Two", "Totp.Skew", "2")
	g.post("update with a bad code length", service, "CodeLength", "11")
	g.post("update what is not there", foreignService, "FriendlyName", "Acme")
	g.delete("delete", service)
	g.delete("delete again", service)
}

func goldenEntities(g *golden) {
	service := "/v2/Services/" + g.unkept("/v2/Services", "FriendlyName", "Acme").text("sid")
	entities := service + "/Entities"
	g.post("create", entities, "Identity", "User-0001")
	g.post("create again in another case", entities, "Identity", "user-0001")
	g.post("create without an identity", entities)
	g.post("create with a bad identity", entities, "Identity", "ann@example.com")
	g.post("create in a service that is not there", foreignService+"/Entities", "Identity", "User-0001")
	g.get("fetch", entities+"/User-0001")
	g.get("fetch in another case", entities+"/USER-0001")
	g.get("fetch what is not there", entities+"/User-0002")
	g.unkept(entities, "Identity", "User-0002")
	first := g.get("list the first page", entities+"?PageSize=1")
	g.get("list the next page", first.text("meta", "next_page_url"))
	g.get("list in a service that is not there", foreignService+"/Entities")
	g.delete("delete", entities+"/User-0001")
	g.delete("delete again", entities+"/User-0001")
	g.Clock.Advance(time.Second)
	for i := range 10 {
		g.unkept(entities, "Identity", fmt.Sprintf("user-%04d", 100+i))
	}
	g.post("create more than the guard lets through", entities, "Identity", "user-0200")
}

func goldenFactors(g *golden) {
	service := "/v2/Services/" + g.unkept("/v2/Services", "FriendlyName", "Acme").text("sid")
	factors := service + "/Entities/" + user + "/Factors"
	created := g.post("create", factors, "FriendlyName", "ann's phone", "FactorType", "totp")
	app := verifytest.ScanTOTP(g.T, created.text("binding", "uri"))
	factor := factors + "/" + created.text("sid")
	const given = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	other := factors + "/" + g.post("create with everything", factors, "FriendlyName", "own secret", "FactorType", "totp", "Binding.Secret", given,
		"Config.Alg", "sha512", "Config.TimeStep", "60", "Config.Skew", "0", "Config.CodeLength", "8", "Metadata", `{"os":"Android"}`).text("sid")
	g.post("create with a secret that is there", factors, "FriendlyName", "own secret", "FactorType", "totp", "Binding.Secret", given)
	g.post("create without a name", factors, "FactorType", "totp")
	g.post("create without a type", factors, "FriendlyName", "phone")
	g.post("create with a bad type", factors, "FriendlyName", "phone", "FactorType", "fax")
	g.post("create a push factor", factors, "FriendlyName", "phone", "FactorType", "push")
	g.post("create with a bad secret", factors, "FriendlyName", "phone", "FactorType", "totp", "Binding.Secret", "short")
	g.post("create with a bad time step", factors, "FriendlyName", "phone", "FactorType", "totp", "Config.TimeStep", "10")
	g.post("create with bad metadata", factors, "FriendlyName", "phone", "FactorType", "totp", "Metadata", `{"n":1}`)
	g.post("create in a service that is not there", foreignService+"/Entities/"+user+"/Factors", "FriendlyName", "phone", "FactorType", "totp")
	g.get("fetch", factor)
	g.get("fetch what is not there", factors+"/YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	first := g.get("list the first page", factors+"?PageSize=1")
	g.get("list the next page", first.text("meta", "next_page_url"))
	g.get("list of an entity that is not there", service+"/Entities/someone-else/Factors")

	g.Clock.Advance(10 * time.Second)
	g.post("update", factor, "FriendlyName", "ann's tablet")
	g.post("update with a bad code length", factor, "Config.CodeLength", "9")
	g.post("verify with a wrong code", factor, "AuthPayload", app.WrongCode(g.Clock.Now()))
	g.post("verify with half a code", factor, "AuthPayload", "123")
	g.post("verify", factor, "AuthPayload", app.Code(g.Clock.Now()))
	g.post("verify what is verified", factor, "AuthPayload", app.WrongCode(g.Clock.Now()))
	for range 5 {
		g.unkept(other, "AuthPayload", "00000000")
	}
	g.post("verify after five wrong codes", other, "AuthPayload", "00000000")
	g.delete("delete", factor)
	g.delete("delete again", factor)
}

func goldenChallenges(g *golden) {
	service := "/v2/Services/" + g.unkept("/v2/Services", "FriendlyName", "Acme").text("sid")
	entity := service + "/Entities/" + user
	f := g.unkept(entity+"/Factors", "FriendlyName", "phone", "FactorType", "totp")
	app, factor := verifytest.ScanTOTP(g.T, f.text("binding", "uri")), f.text("sid")
	challenges := entity + "/Challenges"
	code := func() string { return app.Code(g.Clock.Now()) }
	wrong := func() string { return app.WrongCode(g.Clock.Now()) }

	g.post("create for a factor that is unverified", challenges, "FactorSid", factor)
	g.unkept(entity+"/Factors/"+factor, "AuthPayload", code())
	g.Clock.Advance(30 * time.Second)
	first := challenges + "/" + g.post("create", challenges, "FactorSid", factor).text("sid")
	g.post("create with details", challenges, "FactorSid", factor, "Details.Message", "Sign in?",
		"Details.Fields", `{"label":"Place","value":"Zürich"}`, "Details.Fields", `{"label":"Device","value":"A tablet"}`,
		"HiddenDetails", `{"ip":"172.168.1.234"}`, "ExpirationDate", "2026-01-01T07:30:00-05:00")
	g.post("create with the right code", challenges, "FactorSid", factor, "AuthPayload", code())
	g.post("create with a code that is spent", challenges, "FactorSid", factor, "AuthPayload", code())
	g.post("create without a factor", challenges)
	g.post("create for a factor that is not there", challenges, "FactorSid", "YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	g.post("create that lasts too long", challenges, "FactorSid", factor, "ExpirationDate", "2026-01-02T12:00:00Z")
	g.post("create with hidden details that are no object", challenges, "FactorSid", factor, "HiddenDetails", "ip")
	g.get("fetch", first)
	g.get("fetch what is not there", challenges+"/YCaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")

	page := g.get("list the newest pending ones", challenges+"?FactorSid="+factor+"&Status=pending&Order=desc&PageSize=2")
	g.get("list the next page", page.text("meta", "next_page_url"))
	g.get("list none", challenges+"?Status=denied")
	g.get("list by a bad status", challenges+"?Status=lost")
	g.get("list in a bad order", challenges+"?Order=random")

	g.post("respond with a wrong code", first, "AuthPayload", wrong())
	g.post("respond with half a code", first, "AuthPayload", "123")
	g.post("respond with nothing", first)
	g.post("respond with metadata", first, "Metadata", `{"os":"Android"}`)
	g.Clock.Advance(30 * time.Second)
	g.post("respond", first, "AuthPayload", code())
	g.post("respond again", first, "AuthPayload", code())
	guessed := challenges + "/" + g.unkept(challenges, "FactorSid", factor).text("sid")
	for range 5 {
		g.unkept(guessed, "AuthPayload", wrong())
	}
	g.post("respond after five wrong codes", guessed, "AuthPayload", wrong())
	late := challenges + "/" + g.unkept(challenges, "FactorSid", factor).text("sid")
	g.Clock.Advance(5 * time.Minute)
	g.post("respond too late", late, "AuthPayload", code())
	g.get("fetch what has expired", late)
	for range 44 {
		g.unkept(challenges, "FactorSid", factor)
	}
	g.post("create more than the hour takes", challenges, "FactorSid", factor)
}

// goldenRequests are refused before any operation looks at them.
func goldenRequests(g *golden) {
	const services = "/v2/Services"
	r := g.request(http.MethodGet, services, "")
	r.Header.Del("Authorization")
	g.keep("no credentials", r)
	r = g.request(http.MethodGet, services, "")
	r.SetBasicAuth(accountSID, "wrong")
	g.keep("a wrong token", r)
	g.get("no such path", services+"/a/b/c/d")
	g.delete("a method that the path has not", services)
	g.get("an operation that is not built", "/v2/Templates")
	r = g.request(http.MethodPost, services, `{"FriendlyName":"Acme"}`)
	r.Header.Set("Content-Type", "application/json")
	g.keep("another kind of body", r)
	g.keep("a malformed body", g.request(http.MethodPost, services, "FriendlyName=%zz"))
	g.keep("a parameter given twice", g.request(http.MethodPost, services, "FriendlyName=a&FriendlyName=b"))
	if big := g.ask(g.request(http.MethodPost, services, "FriendlyName="+strings.Repeat("x", 64<<10))); big.Code != http.StatusRequestEntityTooLarge {
		g.Errorf("a body of more than 64 KiB: %d", big.Code) // too long to keep
	}
}
