package totp

import (
	"net/url"
	"strconv"
	"strings"
)

// URI returns the key URI that an authenticator app reads from a QR code:
//
//	otpauth://totp/issuer:account?secret=…&issuer=…&algorithm=SHA1&digits=6&period=30
//
// It contains the seed: show it once, and keep it out of logs. The parameters
// always come in this order. issuer and account may hold any bytes; neither
// should be empty. c must pass Check.
func URI(issuer, account string, seed []byte, c Config) string {
	var b strings.Builder
	b.WriteString("otpauth://totp/")
	b.WriteString(escape(issuer))
	b.WriteByte(':')
	b.WriteString(escape(account))
	b.WriteString("?secret=")
	b.WriteString(FormatSecret(seed))
	b.WriteString("&issuer=")
	b.WriteString(escape(issuer))
	b.WriteString("&algorithm=")
	b.WriteString(strings.ToUpper(string(c.Alg)))
	b.WriteString("&digits=")
	b.WriteString(strconv.Itoa(c.Digits))
	b.WriteString("&period=")
	b.WriteString(strconv.Itoa(c.Period))
	return b.String()
}

// escape percent-encodes every byte that RFC 3986 section 2.3 does not call
// unreserved. A friendly name is chosen by the user, and with "&secret=" in it
// would otherwise name the key itself; the colon is encoded because a raw one
// ends the issuer.
//
// url.QueryEscape does that but for the space, which it writes as a plus that
// apps show as a plus; a plus in s itself it has already made %2B. (PathEscape
// leaves ":", "&" and "=" alone.)
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
