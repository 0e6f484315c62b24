package verifyhttp

import (
	"net/http"

	"github.com/seed4eca3270/verify"
)

func serviceOperations() []operation {
	return []operation{
		{"ListService", http.MethodGet, "/v2/Services", http.StatusOK, listServices},
		{"CreateService", http.MethodPost, "/v2/Services", http.StatusCreated, createService},
		{"FetchService", http.MethodGet, "/v2/Services/{Sid}", http.StatusOK, fetchService},
		{"UpdateService", http.MethodPost, "/v2/Services/{Sid}", http.StatusOK, updateService},
		{"DeleteService", http.MethodDelete, "/v2/Services/{Sid}", http.StatusNoContent, deleteService},
	}
}

type serviceBody struct {
	SID                      string            `json:"sid"`
	AccountSID               string            `json:"account_sid"`
	FriendlyName             string            `json:"friendly_name"`
	CodeLength               int               `json:"code_length"`
	LookupEnabled            bool              `json:"lookup_enabled"`
	PSD2Enabled              bool              `json:"psd2_enabled"`
	SkipSMSToLandlines       bool              `json:"skip_sms_to_landlines"`
	DTMFInputRequired        bool              `json:"dtmf_input_required"`
	TTSName                  *string           `json:"tts_name"`
	DoNotShareWarningEnabled bool              `json:"do_not_share_warning_enabled"`
	CustomCodeEnabled        bool              `json:"custom_code_enabled"`
	Push                     servicePush       `json:"push"`
	TOTP                     serviceTOTP       `json:"totp"`
	WhatsApp                 serviceWhatsApp   `json:"whatsapp"`
	Passkeys                 servicePasskeys   `json:"passkeys"`
	DefaultTemplateSID       *string           `json:"default_template_sid"`
	EventSubscription        bool              `json:"verify_event_subscription_enabled"`
	DateCreated              date              `json:"date_created"`
	DateUpdated              date              `json:"date_updated"`
	URL                      string            `json:"url"`
	Links                    map[string]string `json:"links"`
}

type servicePush struct {
	IncludeDate      bool    `json:"include_date"`
	APNCredentialSID *string `json:"apn_credential_sid"`
	FCMCredentialSID *string `json:"fcm_credential_sid"`
}

type serviceTOTP struct {
	Issuer     *string `json:"issuer"`
	TimeStep   *int    `json:"time_step"`
	CodeLength *int    `json:"code_length"`
	Skew       *int    `json:"skew"`
}

type serviceWhatsApp struct {
	MsgServiceSID *string `json:"msg_service_sid"`
	From          *string `json:"from"`
}

type servicePasskeys struct {
	RelyingParty            relyingParty `json:"relying_party"`
	AuthenticatorAttachment *string      `json:"authenticator_attachment"`
	DiscoverableCredentials *string      `json:"discoverable_credentials"`
	UserVerification        *string      `json:"user_verification"`
}

type relyingParty struct {
	ID      *string  `json:"id"`
	Name    *string  `json:"name"`
	Origins []string `json:"origins"`
}

func (c *call) service(s verify.Service) serviceBody {
	own := c.url("Services", s.SID)
	return serviceBody{
		SID: s.SID, AccountSID: s.AccountSID, FriendlyName: s.FriendlyName, CodeLength: s.CodeLength,
		LookupEnabled: s.LookupEnabled, PSD2Enabled: s.PSD2Enabled, SkipSMSToLandlines: s.SkipSMSToLandlines,
		DTMFInputRequired: s.DTMFInputRequired, TTSName: null(s.TTSName),
		DoNotShareWarningEnabled: s.DoNotShareWarningEnabled, CustomCodeEnabled: s.CustomCodeEnabled,
		Push:     servicePush{s.Push.IncludeDate, null(s.Push.APNCredentialSID), null(s.Push.FCMCredentialSID)},
		TOTP:     serviceTOTP{null(s.TOTP.Issuer), null(s.TOTP.TimeStep), null(s.TOTP.CodeLength), s.TOTP.Skew},
		WhatsApp: serviceWhatsApp{null(s.WhatsApp.MsgServiceSID), null(s.WhatsApp.From)},
		Passkeys: servicePasskeys{
			RelyingParty:            relyingParty{null(s.Passkeys.RelyingPartyID), null(s.Passkeys.RelyingPartyName), s.Passkeys.RelyingPartyOrigins},
			AuthenticatorAttachment: null(s.Passkeys.AuthenticatorAttachment),
			DiscoverableCredentials: null(s.Passkeys.DiscoverableCredentials),
			UserVerification:        null(s.Passkeys.UserVerification),
		},
		DefaultTemplateSID: null(s.DefaultTemplateSID), EventSubscription: s.VerifyEventSubscriptionEnabled,
		DateCreated: date(s.DateCreated), DateUpdated: date(s.DateUpdated), URL: own,
		Links: map[string]string{
			"verification_checks":      own + "/VerificationCheck", // singular, as Twilio's
			"verifications":            own + "/Verifications",
			"rate_limits":              own + "/RateLimits",
			"messaging_configurations": own + "/MessagingConfigurations",
			"entities":                 own + "/Entities",
			"webhooks":                 own + "/Webhooks",
			"access_tokens":            own + "/AccessTokens",
		},
	}
}

// serviceUpdate reads the parameters that create and update share.
func (c *call) serviceUpdate() verify.ServiceUpdate {
	c.code = verify.CodeInvalidParameter // services have a code of their own
	return verify.ServiceUpdate{
		FriendlyName:                   c.text("FriendlyName"),
		CodeLength:                     c.positive("CodeLength"),
		LookupEnabled:                  c.boolean("LookupEnabled"),
		SkipSMSToLandlines:             c.boolean("SkipSmsToLandlines"),
		DTMFInputRequired:              c.boolean("DtmfInputRequired"),
		TTSName:                        c.text("TtsName"),
		PSD2Enabled:                    c.boolean("Psd2Enabled"),
		DoNotShareWarningEnabled:       c.boolean("DoNotShareWarningEnabled"),
		CustomCodeEnabled:              c.boolean("CustomCodeEnabled"),
		PushIncludeDate:                c.boolean("Push.IncludeDate"),
		PushAPNCredentialSID:           c.text("Push.ApnCredentialSid"),
		PushFCMCredentialSID:           c.text("Push.FcmCredentialSid"),
		TOTPIssuer:                     c.text("Totp.Issuer"),
		TOTPTimeStep:                   c.positive("Totp.TimeStep"),
		TOTPCodeLength:                 c.positive("Totp.CodeLength"),
		TOTPSkew:                       c.number("Totp.Skew"),
		DefaultTemplateSID:             c.text("DefaultTemplateSid"),
		WhatsAppMsgServiceSID:          c.text("Whatsapp.MsgServiceSid"),
		WhatsAppFrom:                   c.text("Whatsapp.From"),
		RelyingPartyID:                 c.text("Passkeys.RelyingParty.Id"),
		RelyingPartyName:               c.text("Passkeys.RelyingParty.Name"),
		RelyingPartyOrigins:            c.list("Passkeys.RelyingParty.Origins"),
		AuthenticatorAttachment:        c.text("Passkeys.AuthenticatorAttachment"),
		DiscoverableCredentials:        c.text("Passkeys.DiscoverableCredentials"),
		UserVerification:               c.text("Passkeys.UserVerification"),
		VerifyEventSubscriptionEnabled: c.boolean("VerifyEventSubscriptionEnabled"),
	}
}

func createService(c *call) (any, error) {
	params := c.serviceUpdate().Apply(verify.ServiceParams{})
	if c.broken != nil {
		return nil, c.broken
	}
	s, err := c.engine.CreateService(c.r.Context(), params)
	if err != nil {
		return nil, err
	}
	return c.service(s), nil
}

func listServices(c *call) (any, error) {
	p := c.paging()
	if c.broken != nil {
		return nil, c.broken
	}
	page, err := c.engine.ListServices(c.r.Context(), p.params())
	if err != nil {
		return nil, err
	}
	return listing(c, "services", c.url("Services"), p, page, c.service), nil
}

func fetchService(c *call) (any, error) {
	s, err := c.engine.GetService(c.r.Context(), c.r.PathValue("Sid"))
	if err != nil {
		return nil, err
	}
	return c.service(s), nil
}

func updateService(c *call) (any, error) {
	update := c.serviceUpdate()
	if c.broken != nil {
		return nil, c.broken
	}
	s, err := c.engine.UpdateService(c.r.Context(), c.r.PathValue("Sid"), update)
	if err != nil {
		return nil, err
	}
	return c.service(s), nil
}

func deleteService(c *call) (any, error) {
	return nil, c.engine.DeleteService(c.r.Context(), c.r.PathValue("Sid"))
}
