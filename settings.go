package verify

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A ServiceUpdate changes the settings whose fields are not nil.
type ServiceUpdate struct {
	FriendlyName                   *string
	CodeLength                     *int
	LookupEnabled                  *bool
	SkipSMSToLandlines             *bool
	DTMFInputRequired              *bool
	TTSName                        *string
	PSD2Enabled                    *bool
	DoNotShareWarningEnabled       *bool
	CustomCodeEnabled              *bool
	PushIncludeDate                *bool
	PushAPNCredentialSID           *string
	PushFCMCredentialSID           *string
	TOTPIssuer                     *string
	TOTPTimeStep                   *int
	TOTPCodeLength                 *int
	TOTPSkew                       *int
	DefaultTemplateSID             *string
	WhatsAppMsgServiceSID          *string
	WhatsAppFrom                   *string
	RelyingPartyID                 *string
	RelyingPartyName               *string
	RelyingPartyOrigins            *[]string
	AuthenticatorAttachment        *string
	DiscoverableCredentials        *string
	UserVerification               *string
	VerifyEventSubscriptionEnabled *bool
}

// Apply returns p with the update's changes.
func (u ServiceUpdate) Apply(p ServiceParams) ServiceParams {
	change(&p.FriendlyName, u.FriendlyName)
	change(&p.CodeLength, u.CodeLength)
	change(&p.LookupEnabled, u.LookupEnabled)
	change(&p.SkipSMSToLandlines, u.SkipSMSToLandlines)
	change(&p.DTMFInputRequired, u.DTMFInputRequired)
	change(&p.TTSName, u.TTSName)
	change(&p.PSD2Enabled, u.PSD2Enabled)
	change(&p.DoNotShareWarningEnabled, u.DoNotShareWarningEnabled)
	change(&p.CustomCodeEnabled, u.CustomCodeEnabled)
	change(&p.Push.IncludeDate, u.PushIncludeDate)
	change(&p.Push.APNCredentialSID, u.PushAPNCredentialSID)
	change(&p.Push.FCMCredentialSID, u.PushFCMCredentialSID)
	change(&p.TOTP.Issuer, u.TOTPIssuer)
	change(&p.TOTP.TimeStep, u.TOTPTimeStep)
	change(&p.TOTP.CodeLength, u.TOTPCodeLength)
	if u.TOTPSkew != nil {
		p.TOTP.Skew = new(*u.TOTPSkew)
	}
	change(&p.DefaultTemplateSID, u.DefaultTemplateSID)
	change(&p.WhatsApp.MsgServiceSID, u.WhatsAppMsgServiceSID)
	change(&p.WhatsApp.From, u.WhatsAppFrom)
	change(&p.Passkeys.RelyingPartyID, u.RelyingPartyID)
	change(&p.Passkeys.RelyingPartyName, u.RelyingPartyName)
	change(&p.Passkeys.RelyingPartyOrigins, u.RelyingPartyOrigins)
	change(&p.Passkeys.AuthenticatorAttachment, u.AuthenticatorAttachment)
	change(&p.Passkeys.DiscoverableCredentials, u.DiscoverableCredentials)
	change(&p.Passkeys.UserVerification, u.UserVerification)
	change(&p.VerifyEventSubscriptionEnabled, u.VerifyEventSubscriptionEnabled)
	return p
}

// change sets a field unless the update leaves it.
func change[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}

// encode checks the settings, brings them to one spelling and returns their
// stored form.
func (p ServiceParams) encode() (string, error) {
	if p.CodeLength == 0 {
		p.CodeLength = 6
	}
	if p.WhatsApp.From != "" {
		p.WhatsApp.From = "whatsapp:" + strings.TrimPrefix(p.WhatsApp.From, "whatsapp:")
	}
	checks := []func() error{
		p.checkFriendlyName,
		p.checkMessaging,
		p.checkForeignSIDs,
		p.TOTP.check,
		p.Passkeys.check,
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return "", err
		}
	}
	return encodeJSON(p)
}

func invalidSetting(param, rule string, args ...any) error {
	return invalid(CodeInvalidParameter, param, rule, args...)
}

// checkFriendlyName: Twilio refuses five digits and more, lest a name be taken
// for a code.
func (p ServiceParams) checkFriendlyName() error {
	const param = "FriendlyName"
	if p.FriendlyName == "" {
		return missing(param)
	}
	if err := checkText(CodeInvalidParameter, param, p.FriendlyName, 32); err != nil {
		return err
	}
	digits := 0
	for _, r := range p.FriendlyName {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case unicode.IsLetter(r), unicode.IsMark(r), r == ' ', r == '-', r == '_':
		default:
			return invalidSetting(param, "want letters, digits, spaces, - and _ only")
		}
	}
	if digits > 4 {
		return invalidSetting(param, "more than 4 digits")
	}
	if strings.TrimSpace(p.FriendlyName) == "" {
		return invalidSetting(param, "only spaces")
	}
	return nil
}

func (p ServiceParams) checkMessaging() error {
	if p.CodeLength < 4 || p.CodeLength > 10 {
		return invalidSetting("CodeLength", "want 4 to 10")
	}
	if p.SkipSMSToLandlines && !p.LookupEnabled {
		return invalidSetting("SkipSmsToLandlines", "needs LookupEnabled")
	}
	if err := checkText(CodeInvalidParameter, "TtsName", p.TTSName, 64); err != nil {
		return err
	}
	if p.WhatsApp.From != "" && !looksE164(strings.TrimPrefix(p.WhatsApp.From, "whatsapp:")) {
		return invalidSetting("Whatsapp.From", "want a phone number in E.164 form")
	}
	return nil
}

// looksE164 knows the form only: + and 7 to 15 digits, the first not zero.
func looksE164(number string) bool {
	if len(number) < 8 || len(number) > 16 || number[0] != '+' || number[1] == '0' {
		return false
	}
	return strings.Trim(number[1:], "0123456789") == ""
}

func (p ServiceParams) checkForeignSIDs() error {
	for _, s := range []struct{ param, prefix, sid string }{
		{"Push.ApnCredentialSid", "CR", p.Push.APNCredentialSID},
		{"Push.FcmCredentialSid", "CR", p.Push.FCMCredentialSID},
		{"DefaultTemplateSid", "HJ", p.DefaultTemplateSID},
		{"Whatsapp.MsgServiceSid", "MG", p.WhatsApp.MsgServiceSID},
	} {
		if s.sid != "" && !isSID(s.prefix, s.sid) {
			return invalidSetting(s.param, "want %s and 32 hexadecimal digits", s.prefix)
		}
	}
	return nil
}

func (t TOTPSettings) check() error {
	if err := checkText(CodeInvalidParameter, "Totp.Issuer", t.Issuer, 64); err != nil {
		return err
	}
	if t.TimeStep != 0 && (t.TimeStep < 20 || t.TimeStep > 60) {
		return invalidSetting("Totp.TimeStep", "want 20 to 60 seconds")
	}
	if t.CodeLength != 0 && (t.CodeLength < 3 || t.CodeLength > 8) {
		return invalidSetting("Totp.CodeLength", "want 3 to 8")
	}
	if t.Skew != nil && (*t.Skew < 0 || *t.Skew > 2) {
		return invalidSetting("Totp.Skew", "want 0 to 2")
	}
	return nil
}

func (p PasskeySettings) check() error {
	if err := checkText(CodeInvalidParameter, "Passkeys.RelyingParty.Name", p.RelyingPartyName, 64); err != nil {
		return err
	}
	if p.RelyingPartyID != "" && !isDomain(p.RelyingPartyID) {
		return invalidSetting("Passkeys.RelyingParty.Id", "want a domain")
	}
	if len(p.RelyingPartyOrigins) > 20 {
		return invalidSetting("Passkeys.RelyingParty.Origins", "more than 20")
	}
	for _, origin := range p.RelyingPartyOrigins {
		if !isOrigin(origin) {
			return invalidSetting("Passkeys.RelyingParty.Origins", "want origins such as https://login.example.com")
		}
	}
	wishes := []string{"", "required", "preferred", "discouraged"}
	for _, s := range []struct {
		param, value string
		allowed      []string
	}{
		{"Passkeys.AuthenticatorAttachment", p.AuthenticatorAttachment, []string{"", "platform", "cross-platform", "any"}},
		{"Passkeys.DiscoverableCredentials", p.DiscoverableCredentials, wishes},
		{"Passkeys.UserVerification", p.UserVerification, wishes},
	} {
		if !slices.Contains(s.allowed, s.value) {
			return invalidSetting(s.param, "want one of %q", s.allowed)
		}
	}
	return nil
}

// isDomain accepts a lower-case host name, "localhost" included.
func isDomain(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// isOrigin accepts what a browser or an Android app names itself: https and a
// host, http only for localhost.
func isOrigin(origin string) bool {
	if hash, ok := strings.CutPrefix(origin, "android:apk-key-hash:"); ok {
		return hash != "" && len(hash) <= 64 && strings.IndexFunc(hash, func(r rune) bool {
			return r >= utf8.RuneSelf || !isAlphanumeric(byte(r)) && r != '-' && r != '_'
		}) < 0
	}
	u, err := url.Parse(origin)
	if err != nil || !isDomain(u.Hostname()) {
		return false
	}
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
		return false
	}
	return origin == u.Scheme+"://"+u.Host // no path, user, query or fragment, and one spelling
}
