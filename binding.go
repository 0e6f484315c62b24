package verify

import (
	"fmt"
	"image"
	"io"
	"log/slog"

	"github.com/seed4eca3270/verify/internal/qr"
)

// A Binding is what an authenticator app must learn to produce codes. It is
// returned once, when the factor is created, and cannot be had again. It prints
// and marshals as a mask: take Secret or URI explicitly.
type Binding struct {
	Secret string // Base32 without padding
	URI    string // otpauth://totp/…, what the QR code says
}

const mask = "[redacted]"

// QR draws the URI as a QR code of size × size pixels with a quiet zone around
// it; 256 suits a web page. It fails with ErrInvalid if size leaves less than a
// pixel for a module, or is above 4096.
func (b Binding) QR(size int) (image.Image, error) {
	img, err := qr.Image(b.URI, size)
	if err != nil {
		return nil, invalid(0, "size", "%v", err)
	}
	return img, nil
}

// PNG is QR as the bytes of a PNG file.
func (b Binding) PNG(size int) ([]byte, error) {
	data, err := qr.PNG(b.URI, size)
	if err != nil {
		return nil, invalid(0, "size", "%v", err)
	}
	return data, nil
}

// Text is the QR code for a terminal with light text on a dark ground, two
// modules to a character.
func (b Binding) Text() (string, error) {
	text, err := qr.Text(b.URI)
	if err != nil {
		return "", invalid(0, "URI", "%v", err)
	}
	return text, nil
}

// Format masks the value under every verb.
func (b Binding) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue masks the binding in logs.
func (b Binding) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText masks the binding in JSON and other encodings.
func (b Binding) MarshalText() ([]byte, error) { return []byte(mask), nil }
