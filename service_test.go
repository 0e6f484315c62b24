package verify_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// A settingCase is one value of one setting. refused is the parameter that the
// error must name; empty if the value is fine.
type settingCase struct {
	name    string
	set     func(*verify.ServiceParams)
	refused string
}

// settings makes cases of one setting from its good and bad values.
func settings[T any](param string, set func(*verify.ServiceParams, T), good, bad []T) (cases []settingCase) {
	for _, v := range good {
		cases = append(cases, settingCase{param, func(p *verify.ServiceParams) { set(p, v) }, ""})
	}
	for _, v := range bad {
		cases = append(cases, settingCase{param, func(p *verify.ServiceParams) { set(p, v) }, param})
	}
	return cases
}

func settingCases() []settingCase {
	type P = verify.ServiceParams
	const bidi, control, broken = "a\u202eb", "a\x1bb", "a\xffb"
	sids := func(prefix string) (good, bad []string) {
		hex := "0123456789abcdef0123456789abcdef"
		return []string{"", prefix + hex, prefix + strings.ToUpper(hex)},
			[]string{prefix, hex, prefix + hex[1:], prefix + hex + "0", "XX" + hex, prefix + hex[1:] + "g", strings.ToLower(prefix) + hex, prefix + hex + "\n"}
	}
	cr, notCR := sids("CR")
	hj, notHJ := sids("HJ")
	mg, notMG := sids("MG")
	wishes, noWishes := []string{"", "required", "preferred", "discouraged"}, []string{"Required", "none", "required "}
	var origins, tooMany []string
	for range 20 {
		origins = append(origins, "https://example.com")
	}
	tooMany = append(origins, "https://example.com")
	return slicesOf(
		settings("FriendlyName", func(p *P, v string) { p.FriendlyName = v },
			[]string{"a", strings.Repeat("x", 32), strings.Repeat("ä", 32), "Bank 1234", "1-2_3 4", "銀行", "Zürich_Nord-2"},
			[]string{strings.Repeat("x", 33), strings.Repeat("ä", 33), "12345", "a1b2c3d4e5", "no.dots", "a\nb", "https://evil", bidi, control, broken, " ", "   ", "a<b", "٣٤"}),
		settings("CodeLength", func(p *P, v int) { p.CodeLength = v }, []int{0, 4, 6, 10}, []int{-1, 1, 3, 11}),
		settings("SkipSmsToLandlines", func(p *P, lookup bool) { p.SkipSMSToLandlines, p.LookupEnabled = true, lookup }, []bool{true}, []bool{false}),
		settings("TtsName", func(p *P, v string) { p.TTSName = v }, []string{"", strings.Repeat("x", 64)}, []string{strings.Repeat("x", 65), bidi, control, broken}),
		settings("Push.ApnCredentialSid", func(p *P, v string) { p.Push.APNCredentialSID = v }, cr, notCR),
		settings("Push.FcmCredentialSid", func(p *P, v string) { p.Push.FCMCredentialSID = v }, cr, notCR),
		settings("DefaultTemplateSid", func(p *P, v string) { p.DefaultTemplateSID = v }, hj, notHJ),
		settings("Whatsapp.MsgServiceSid", func(p *P, v string) { p.WhatsApp.MsgServiceSID = v }, mg, notMG),
		settings("Whatsapp.From", func(p *P, v string) { p.WhatsApp.From = v },
			[]string{"", "+1234567", "+123456789012345", "whatsapp:+15017122661"},
			[]string{"+123456", "+1234567890123456", "15017122661", "+05017122661", "+1501712266a", "+1 501 712 2661", "whatsapp:", "whatsapp:whatsapp:+15017122661", "tel:+15017122661"}),
		settings("Totp.Issuer", func(p *P, v string) { p.TOTP.Issuer = v },
			[]string{"", "a", strings.Repeat("ü", 64), "a:b&c=d"}, []string{strings.Repeat("x", 65), bidi, control, broken}),
		settings("Totp.TimeStep", func(p *P, v int) { p.TOTP.TimeStep = v }, []int{0, 20, 30, 60}, []int{-1, 1, 19, 61}),
		settings("Totp.CodeLength", func(p *P, v int) { p.TOTP.CodeLength = v }, []int{0, 3, 8}, []int{-1, 1, 2, 9}),
		settings("Totp.Skew", func(p *P, v int) { p.TOTP.Skew = &v }, []int{0, 1, 2}, []int{-1, 3}),
		settings("Passkeys.RelyingParty.Name", func(p *P, v string) { p.Passkeys.RelyingPartyName = v },
			[]string{"", strings.Repeat("x", 64)}, []string{strings.Repeat("x", 65), bidi, control, broken}),
		settings("Passkeys.RelyingParty.Id", func(p *P, v string) { p.Passkeys.RelyingPartyID = v },
			[]string{"", "example.com", "localhost", "a-1.b", strings.Repeat("a", 63) + ".com"},
			[]string{"https://example.com", "Example.com", "example.com.", ".com", "a..b", "-a.com", "a-.com", "ä.com", "a b", "example.com:443", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 127) + "aa"}),
		settings("Passkeys.RelyingParty.Origins", func(p *P, v []string) { p.Passkeys.RelyingPartyOrigins = v },
			[][]string{nil, {"https://example.com"}, {"https://a.example.com:8443", "http://localhost:3000", "http://localhost"}, {"android:apk-key-hash:abcABC012-_"}, origins},
			[][]string{{""}, {"http://example.com"}, {"https://example.com/"}, {"https://example.com/x"}, {"https://u@example.com"}, {"https://example.com?q"}, {"https://example.com#f"},
				{"example.com"}, {"HTTPS://example.com"}, {"https://Example.com"}, {"https://"}, {"ftp://example.com"}, {"null"}, {"android:apk-key-hash:"}, {"android:apk-key-hash:a=b"}, tooMany}),
		settings("Passkeys.AuthenticatorAttachment", func(p *P, v string) { p.Passkeys.AuthenticatorAttachment = v },
			[]string{"", "platform", "cross-platform", "any"}, []string{"Platform", "usb"}),
		settings("Passkeys.DiscoverableCredentials", func(p *P, v string) { p.Passkeys.DiscoverableCredentials = v }, wishes, noWishes),
		settings("Passkeys.UserVerification", func(p *P, v string) { p.Passkeys.UserVerification = v }, wishes, noWishes),
	)
}

func slicesOf[T any](parts ...[]T) (all []T) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// TestServiceSettings tries the ends of every setting's range, and what lies
// beyond them, at creation and update.
func TestServiceSettings(t *testing.T) {
	t.Parallel()
	e := verifytest.NewEngine(t)
	fixed := enginetest.Must(e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"}))(t)
	made := 1
	for _, c := range settingCases() {
		p := verify.ServiceParams{FriendlyName: "Acme"}
		c.set(&p)
		svc, err := e.CreateService(t.Context(), p)
		if c.refused == "" {
			made++
			if err != nil {
				t.Errorf("%s: %+v: %v", c.name, p, err)
			} else if got := enginetest.Must(e.GetService(t.Context(), svc.SID))(t); !reflect.DeepEqual(got, svc) {
				t.Errorf("%s: made\n%+v\ngot\n%+v", c.name, svc, got)
			}
			continue
		}
		refusedFor(t, err, c.refused)
		if !reflect.DeepEqual(svc, verify.Service{}) {
			t.Errorf("%s: an error and %+v", c.name, svc)
		}
		_, err = e.UpdateService(t.Context(), fixed.SID, updateTo(p))
		refusedFor(t, err, c.refused)
	}
	n := 0
	for range e.Services(t.Context()) {
		n++
	}
	if n != made {
		t.Errorf("%d services are there, %d were made", n, made)
	}
	if got := enginetest.Must(e.GetService(t.Context(), fixed.SID))(t); !reflect.DeepEqual(got, fixed) {
		t.Errorf("refused updates changed\n%+v\nto\n%+v", fixed, got)
	}
}

// refusedFor wants 60200 for one parameter.
func refusedFor(t *testing.T, err error, param string) {
	t.Helper()
	if got := enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeInvalidParameter); got.Param != param {
		t.Errorf("the error is about %q, want %q: %v", got.Param, param, err)
	}
}

// updateTo is the update that sets everything.
func updateTo(p verify.ServiceParams) verify.ServiceUpdate {
	u := verify.ServiceUpdate{
		FriendlyName: &p.FriendlyName, LookupEnabled: &p.LookupEnabled, SkipSMSToLandlines: &p.SkipSMSToLandlines, TTSName: &p.TTSName,
		PushAPNCredentialSID: &p.Push.APNCredentialSID, PushFCMCredentialSID: &p.Push.FCMCredentialSID,
		TOTPIssuer: &p.TOTP.Issuer, TOTPTimeStep: &p.TOTP.TimeStep, TOTPCodeLength: &p.TOTP.CodeLength, TOTPSkew: p.TOTP.Skew,
		DefaultTemplateSID: &p.DefaultTemplateSID, WhatsAppMsgServiceSID: &p.WhatsApp.MsgServiceSID, WhatsAppFrom: &p.WhatsApp.From,
		RelyingPartyID: &p.Passkeys.RelyingPartyID, RelyingPartyName: &p.Passkeys.RelyingPartyName, RelyingPartyOrigins: &p.Passkeys.RelyingPartyOrigins,
		AuthenticatorAttachment: &p.Passkeys.AuthenticatorAttachment, DiscoverableCredentials: &p.Passkeys.DiscoverableCredentials,
		UserVerification: &p.Passkeys.UserVerification, CodeLength: &p.CodeLength,
	}
	return u
}

func TestServiceNeedsAName(t *testing.T) {
	t.Parallel()
	_, err := verifytest.NewEngine(t).CreateService(t.Context(), verify.ServiceParams{CodeLength: 99})
	if got := enginetest.Refused(t, err, verify.ErrInvalid, verify.CodeMissingParameter); got.Param != "FriendlyName" {
		t.Errorf("the error is about %q", got.Param)
	}
}

func TestServiceDefaults(t *testing.T) {
	t.Parallel()
	svc := enginetest.Must(verifytest.NewEngine(t).CreateService(t.Context(), verify.ServiceParams{
		FriendlyName: "Acme", WhatsApp: verify.WhatsAppSettings{From: "+15017122661"},
	}))(t)
	want := verify.ServiceParams{FriendlyName: "Acme", CodeLength: 6, WhatsApp: verify.WhatsAppSettings{From: "whatsapp:+15017122661"}}
	if !reflect.DeepEqual(svc.ServiceParams, want) {
		t.Errorf("got\n%+v\nwant\n%+v", svc.ServiceParams, want)
	}
}

// What the caller keeps is the caller's: the engine holds on to nothing of it.
func TestServiceParamsAreCopied(t *testing.T) {
	t.Parallel()
	e := verifytest.NewEngine(t)
	skew, origins := 2, []string{"https://example.com"}
	p := verify.ServiceParams{FriendlyName: "Acme", TOTP: verify.TOTPSettings{Skew: &skew}, Passkeys: verify.PasskeySettings{RelyingPartyOrigins: origins}}
	svc := enginetest.Must(e.CreateService(t.Context(), p))(t)
	skew, origins[0] = 0, "x"
	if *svc.TOTP.Skew != 2 || svc.Passkeys.RelyingPartyOrigins[0] != "https://example.com" {
		t.Errorf("the answer changed with the parameters: %+v", svc)
	}
	*svc.TOTP.Skew = 1
	if got := enginetest.Must(e.GetService(t.Context(), svc.SID))(t); *got.TOTP.Skew != 2 {
		t.Errorf("the record changed with the answer: %+v", got)
	}
}

// Configurations that cannot work, and paths that name nothing.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	m := newMFAFile(t)
	for _, c := range []struct {
		name, path string
		change     func(*verify.Config)
		param      string
	}{
		{"no keys", m.path, func(c *verify.Config) { c.Keys = verify.Keys{} }, "Config.Keys"},
		{"account of another kind", m.path, func(c *verify.Config) { c.AccountSID = "VA00000000000000000000000000000000" }, "Config.AccountSID"},
		{"account too short", m.path, func(c *verify.Config) { c.AccountSID = "AC" }, "Config.AccountSID"},
		{"limit below off", m.path, func(c *verify.Config) { c.Limits.FactorFailures = -2 }, "Config.Limits"},
		{"retention below for ever", m.path, func(c *verify.Config) { c.Retention.Challenges = -2 }, "Config.Retention"},
		{"no path", "", func(*verify.Config) {}, "path"},
	} {
		cfg := m.config()
		c.change(&cfg)
		e, err := verify.Open(t.Context(), c.path, cfg)
		var got *verify.Error
		if !errors.Is(err, verify.ErrInvalid) || !errors.As(err, &got) || got.Param != c.param || e != nil {
			t.Errorf("%s: %v, want ErrInvalid for %s", c.name, err, c.param)
		}
	}
}

func TestCloseTwice(t *testing.T) {
	t.Parallel()
	e := newMFAFile(t).open()
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := e.CreateService(t.Context(), verify.ServiceParams{FriendlyName: "Acme"})
	enginetest.Refused(t, err, verify.ErrClosed, verify.CodeInternal)
	_, err = e.ListServices(t.Context(), verify.PageParams{})
	enginetest.Refused(t, err, verify.ErrClosed, verify.CodeInternal)
	if err := e.Run(t.Context()); !errors.Is(err, verify.ErrClosed) {
		t.Errorf("Run: %v", err)
	}
}
