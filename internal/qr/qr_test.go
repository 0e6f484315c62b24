package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

const sample = "otpauth://totp/test-issuer:John%E2%80%99s%20Account%20Name?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=test-issuer&algorithm=SHA1&digits=6&period=30"

// texts of several versions, from the smallest code to the largest.
func texts() []string {
	out := []string{"a", "0123456789", "HELLO", "grüße 😀", "\x00\xff", sample}
	for _, n := range []int{100, 200, 500, 2331} {
		out = append(out, strings.Repeat("x", n))
	}
	return out
}

// reference is the library's own matrix, by rows: true is dark.
func reference(t *testing.T, text string) [][]bool {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]bool, code.Bounds().Dy())
	for y := range rows {
		rows[y] = make([]bool, code.Bounds().Dx())
		for x := range rows[y] {
			r, _, _, _ := code.At(x, y).RGBA()
			rows[y][x] = r == 0
		}
	}
	return rows
}

// framed is a matrix with a light frame.
func framed(rows [][]bool, quiet int) [][]bool {
	width := len(rows) + 2*quiet
	out := make([][]bool, width)
	for y := range out {
		out[y] = make([]bool, width)
		if in := y - quiet; in >= 0 && in < len(rows) {
			copy(out[y][quiet:], rows[in])
		}
	}
	return out
}

// difference compares an image, pixel by pixel, with what a matrix of whole
// modules centred on white must be, and describes the first difference. It
// finds the module size by itself, as the largest that fits.
func difference(img image.Image, rows [][]bool, size int) string {
	if img.Bounds() != image.Rect(0, 0, size, size) {
		return fmt.Sprintf("bounds %v", img.Bounds())
	}
	want := framed(rows, 4)
	scale := 0
	for (scale+1)*len(want) <= size {
		scale++
	}
	left := (size - scale*len(want)) / 2
	for y := range size {
		for x := range size {
			dark := false
			if mx, my := (x-left)/scale, (y-left)/scale; x >= left && y >= left && mx < len(want) && my < len(want) {
				dark = want[my][mx]
			}
			expect := uint32(0xffff)
			if dark {
				expect = 0
			}
			if r, g, b, a := img.At(x, y).RGBA(); r != expect || g != expect || b != expect || a != 0xffff {
				return fmt.Sprintf("pixel %d,%d is %v, want %#x", x, y, img.At(x, y), expect)
			}
		}
	}
	return ""
}

func TestImage(t *testing.T) {
	t.Parallel()
	for _, text := range texts() {
		rows := reference(t, text)
		least := len(rows) + 8
		for _, size := range []int{least, 2*least - 1, 2*least + 1} {
			img, err := Image(text, size)
			if err != nil {
				t.Fatalf("%d bytes, size %d: %v", len(text), size, err)
			}
			if d := difference(img, rows, size); d != "" {
				t.Errorf("%d bytes, size %d: %s", len(text), size, d)
			}
			if p, ok := img.(*image.Paletted); !ok || len(p.Palette) != 2 {
				t.Errorf("%T, want a palette of two colours", img)
			}
			if size == least {
				continue // once through a file is enough
			}
			file, err := PNG(text, size)
			if err != nil {
				t.Fatal(err)
			}
			back, err := png.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(back, rows, size); d != "" {
				t.Errorf("PNG of %d bytes, size %d: %s", len(text), size, d)
			}
		}
	}
}

// The comparison above must be able to fail: one module flipped, one in the
// quiet zone, and the text's transpose are all seen.
func TestDifferenceSees(t *testing.T) {
	t.Parallel()
	rows := reference(t, sample)
	for name, spoil := range map[string]func(*image.Paletted){
		"a module":       func(p *image.Paletted) { p.Pix[p.PixOffset(128, 128)] ^= 1 },
		"the quiet zone": func(p *image.Paletted) { p.Pix[p.PixOffset(1, 1)] = 1 },
		"transposed": func(p *image.Paletted) {
			old := slices.Clone(p.Pix)
			for y := range 256 {
				for x := range 256 {
					p.Pix[p.PixOffset(x, y)] = old[p.PixOffset(y, x)]
				}
			}
		},
	} {
		img, err := paletted(sample, 256)
		if err != nil {
			t.Fatal(err)
		}
		spoil(img)
		if difference(img, rows, 256) == "" {
			t.Errorf("%s: not seen", name)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	halves := map[rune][2]bool{'█': {true, true}, '▀': {true, false}, '▄': {false, true}, ' ': {false, false}}
	for _, text := range texts() {
		got, err := Text(text)
		if err != nil {
			t.Fatal(err)
		}
		want := framed(reference(t, text), 2)
		lines := strings.SplitAfter(got, "\n")
		if lines[len(lines)-1] != "" {
			t.Fatalf("the last line has no end")
		}
		lines = lines[:len(lines)-1]
		if len(lines) != (len(want)+1)/2 {
			t.Fatalf("%d lines for %d rows", len(lines), len(want))
		}
		for i, line := range lines {
			runes := []rune(strings.TrimSuffix(line, "\n"))
			if len(runes) != len(want) {
				t.Fatalf("line %d: %d characters, want %d", i, len(runes), len(want))
			}
			for x, r := range runes {
				lit, ok := halves[r]
				if !ok {
					t.Fatalf("line %d: unexpected %q", i, r)
				}
				for half := range 2 {
					y := 2*i + half
					if light := y < len(want) && !want[y][x]; lit[half] != light {
						t.Fatalf("%d bytes: module %d,%d light %v, want %v", len(text), x, y, lit[half], light)
					}
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	least := len(reference(t, sample)) + 8
	for _, tt := range []struct {
		text string
		size int
		want error
		says string
	}{
		{sample, least - 1, ErrSize, fmt.Sprint("at least ", least)},
		{sample, 0, ErrSize, fmt.Sprint("at least ", least)},
		{sample, -1, ErrSize, fmt.Sprint("at least ", least)},
		{sample, 4097, ErrSize, "at most 4096"},
		{sample, math.MaxInt, ErrSize, "at most 4096"},
		{"", 256, ErrText, "empty"},
		{strings.Repeat("x", 2954), 4096, ErrText, "2954 bytes"},
		{strings.Repeat("7", 5000), 4096, ErrText, "5000 bytes"},
	} {
		img, err := Image(tt.text, tt.size)
		file, pngErr := PNG(tt.text, tt.size)
		if !errors.Is(err, tt.want) || !errors.Is(pngErr, tt.want) || img != nil || file != nil {
			t.Errorf("%d bytes, size %d: %v, %v, %v", len(tt.text), tt.size, img, err, pngErr)
			continue
		}
		if !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%d bytes, size %d: %q does not say %q", len(tt.text), tt.size, err, tt.says)
		}
		if tt.want == ErrText {
			if s, err := Text(tt.text); !errors.Is(err, ErrText) || s != "" {
				t.Errorf("Text: %q, %v", s, err)
			}
		}
	}
	// The largest image is allowed.
	if _, err := Image(sample, MaxSize); err != nil {
		t.Error(err)
	}
}

// A text that does not fit is still a secret.
func TestErrorsDoNotQuote(t *testing.T) {
	t.Parallel()
	text := sample + strings.Repeat("&x=GEZDGNBVGY3TQOJQ", 200)
	_, imageErr := Image(text, 4096)
	_, textErr := Text(text)
	_, sizeErr := Image(sample, 10)
	for _, err := range []error{imageErr, textErr, sizeErr} {
		if err == nil || strings.Contains(err.Error(), "GEZD") {
			t.Errorf("%v", err)
		}
	}
	// What the library does when left to choose the mode.
	if _, err := qr.Encode(text, qr.M, qr.Auto); err == nil || !strings.Contains(err.Error(), "GEZD") {
		t.Errorf("the library no longer quotes the text: %v", err)
	}
}

func BenchmarkPNG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PNG(sample, 256); err != nil {
			b.Fatal(err)
		}
	}
}
