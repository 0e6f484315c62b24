package verify

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/seed4eca3270/verify/internal/totp"
)

// TOTPParams say how a TOTP factor (RFC 6238) shall be. All may be left at zero.
type TOTPParams struct {
	// Secret is Base32 (RFC 4648, upper case) of 16 to 64 bytes, for a factor
	// that an authenticator app has already. Empty: generated, as long as the
	// hash is wide (20, 32 or 64 bytes).
	Secret string
	// Alg is sha1, sha256 or sha512. Empty: sha1, the only one that every
	// authenticator app knows.
	Alg string
	// TimeStep is how long a code lasts: 20 to 60 seconds. Zero: the service's,
	// else 30.
	TimeStep int
	// CodeLength is 3 to 8 digits. Zero: the service's, else 6. Fewer than 6
	// digits can be guessed; the factor then locks after fewer wrong codes.
	CodeLength int
	// Skew is how many steps to each side of the current one are accepted, 0 to
	// 2. Nil: the service's, else 1.
	Skew *int
}

// Format masks the value under every verb.
func (p TOTPParams) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue masks the secret in logs.
func (p TOTPParams) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText masks the secret in JSON and other encodings.
func (p TOTPParams) MarshalText() ([]byte, error) { return []byte(mask), nil }

// TOTPConfig is how a TOTP factor is.
type TOTPConfig struct {
	Alg        string // sha1, sha256 or sha512
	TimeStep   int    // seconds
	CodeLength int    // digits
	Skew       int    // steps to each side
}

// config fills what the parameters leave to the service and checks the result.
func (p TOTPParams) config(service TOTPSettings) (TOTPConfig, error) {
	c := TOTPConfig{Alg: p.Alg, TimeStep: p.TimeStep, CodeLength: p.CodeLength, Skew: 1}
	if c.Alg == "" {
		c.Alg = string(totp.SHA1)
	}
	if c.TimeStep == 0 {
		c.TimeStep = service.TimeStep
	}
	if c.TimeStep == 0 {
		c.TimeStep = 30
	}
	if c.CodeLength == 0 {
		c.CodeLength = service.CodeLength
	}
	if c.CodeLength == 0 {
		c.CodeLength = 6
	}
	change(&c.Skew, service.Skew)
	change(&c.Skew, p.Skew)
	return c, c.check()
}

func (c TOTPConfig) check() error {
	switch totp.Algorithm(c.Alg) {
	case totp.SHA1, totp.SHA256, totp.SHA512:
	default:
		return invalid(CodeInvalidRequest, "Config.Alg", "want sha1, sha256 or sha512")
	}
	if c.TimeStep < 20 || c.TimeStep > 60 {
		return invalid(CodeInvalidRequest, "Config.TimeStep", "want 20 to 60 seconds")
	}
	if c.CodeLength < 3 || c.CodeLength > 8 {
		return invalid(CodeInvalidRequest, "Config.CodeLength", "want 3 to 8")
	}
	if c.Skew < 0 || c.Skew > maxSkew {
		return invalid(CodeInvalidRequest, "Config.Skew", "want 0 to 2")
	}
	return nil
}

func (c TOTPConfig) totp() totp.Config {
	return totp.Config{Alg: totp.Algorithm(c.Alg), Digits: c.CodeLength, Period: c.TimeStep, Skew: c.Skew}
}

// seed reads the given secret or makes one.
func (e *Engine) seed(p TOTPParams, alg string) ([]byte, error) {
	if p.Secret == "" {
		seed, err := totp.NewSeed(e.cfg.Rand, totp.Algorithm(alg))
		if err != nil {
			return nil, internal(ErrUnavailable, err)
		}
		return seed, nil
	}
	seed, err := totp.ParseSecret(p.Secret)
	if err != nil {
		return nil, invalid(CodeBindingInvalid, "Binding.Secret", "want Base32 in upper case, 16 to 64 bytes")
	}
	return seed, nil
}
