// Package qr draws QR codes (ISO/IEC 18004) for screens and terminals.
//
// The code itself is github.com/boombuler/barcode's. What this package adds is
// what a scanner needs around it: the quiet zone, and modules of one whole
// number of pixels. Error correction is level M, which survives the loss of
// 15 % of a code.
//
// The texts drawn here are key URIs and contain secrets, so no error quotes
// one. All functions are safe for concurrent use.
package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// MaxSize is the largest width and height of an image in pixels. It bounds the
// memory that a caller's number can ask for, to 16 MiB.
const MaxSize = 4096

// Widths of the quiet zone in modules. Four is what the standard asks for
// (section 6.3.8); a terminal has few lines, and two are enough for phones.
const (
	imageQuiet = 4
	textQuiet  = 2
)

// ErrSize is matched by the error about a size that is out of range; its text
// names the bound.
var ErrSize = errors.New("qr: invalid size")

// ErrText is matched by the error about a text that is empty or too long for a
// QR code: over 2953 bytes.
var ErrText = errors.New("qr: invalid text")

// Image draws text as a square of size by size pixels, black on white, with two
// colours in its palette. The modules are as large as a whole number of pixels
// allows, and the rest is white margin around a quiet zone of at least four
// modules. Errors match ErrText or ErrSize; the latter's text names the least
// size this text needs, at one pixel a module.
func Image(text string, size int) (image.Image, error) {
	// Returned as nil explicitly: a nil *image.Paletted would not equal nil.
	img, err := paletted(text, size)
	if err != nil {
		return nil, err
	}
	return img, nil
}

// PNG is Image as a PNG file, with its errors.
func PNG(text string, size int) ([]byte, error) {
	img, err := paletted(text, size)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("qr: encoding PNG: %w", err)
	}
	return b.Bytes(), nil
}

func paletted(text string, size int) (*image.Paletted, error) {
	if size > MaxSize {
		return nil, fmt.Errorf("%w: %d pixels, want at most %d", ErrSize, size, MaxSize)
	}
	m, err := encode(text)
	if err != nil {
		return nil, err
	}
	modules := m.width() + 2*imageQuiet
	if size < modules {
		return nil, fmt.Errorf("%w: %d pixels, this text needs at least %d", ErrSize, size, modules)
	}
	const black = 1 // index into the palette; white is 0, what a new image is
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	scale := size / modules
	margin := (size - m.width()*scale) / 2
	for y := range m.width() * scale {
		for x := range m.width() * scale {
			if m.dark(x/scale, y/scale) {
				img.SetColorIndex(margin+x, margin+y, black)
			}
		}
	}
	return img, nil
}

// Text draws text for a terminal in a fixed-width font: each character is two
// modules high, and each line ends with "\n". The light modules are the ones
// printed, so it reads right on a dark background; on a light one it is
// inverted, which many scanners accept. The quiet zone is two modules. Errors
// match ErrText.
func Text(text string) (string, error) {
	m, err := encode(text)
	if err != nil {
		return "", err
	}
	light := func(x, y int) bool { return !m.dark(x, y) }
	var b strings.Builder
	end := m.width() + textQuiet
	for y := -textQuiet; y < end; y += 2 {
		for x := -textQuiet; x < end; x++ {
			// The number of rows is odd: below the last one is nothing to print.
			upper, lower := light(x, y), y+1 < end && light(x, y+1)
			switch {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// matrix is the modules of one code.
type matrix struct{ code barcode.Barcode }

// encode makes the code. It asks for byte mode rather than the library's choice
// of mode: key URIs have lower-case letters, which no denser mode can hold, and
// the error of the library's choice quotes the whole text.
func encode(text string) (matrix, error) {
	if text == "" {
		return matrix{}, fmt.Errorf("%w: empty", ErrText)
	}
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		// Level L holds a quarter more: enough for the longest names there are, in
		// the widest script.
		code, err = qr.Encode(text, qr.L, qr.Unicode)
	}
	if err != nil {
		return matrix{}, fmt.Errorf("%w: %d bytes do not fit", ErrText, len(text))
	}
	return matrix{code}, nil
}

func (m matrix) width() int { return m.code.Bounds().Dx() }

// dark reports whether a module is dark. Outside the code all are light: that
// is the quiet zone.
func (m matrix) dark(x, y int) bool {
	if x < 0 || y < 0 || x >= m.width() || y >= m.width() {
		return false
	}
	return m.code.At(x, y) == color.Black
}
