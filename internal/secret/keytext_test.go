package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseKeyring(t *testing.T) {
	t.Parallel()
	one, two := FormatKey(1, material(1)), FormatKey(4294967295, material(2))
	if want := "verify-key-1 1 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="; one != want {
		t.Fatalf("FormatKey: %q, want %q", one, want)
	}
	for text, ids := range map[string][]uint32{
		one: {1}, one + "\n": {1}, "# c\n\n \t\r\n" + one + "\n#\n" + two + "\n\n": {1, 4294967295}, two + "\n" + one: {4294967295, 1},
		"#" + one + "\n" + two: {4294967295},
	} {
		r, err := ParseKeyring(text)
		if err != nil || !slices.Equal(r.IDs(), ids) {
			t.Errorf("%q: %v, %v; want %v", text, r, err, ids)
			continue
		}
		// The bytes are those of the line.
		k := testRing(t, testKey(t, 1, 1))
		if ids[0] == 1 {
			if _, err := r.Open(here, k.Seal(here, nil)); err != nil {
				t.Error(err)
			}
		}
	}

	b64 := base64.StdEncoding.EncodeToString(material(1))
	bad := map[string]string{
		"empty": "", "comments only": "# x\n\n", "blank": "  \n", "no id": "verify-key-1 " + b64, "no word": "1 " + b64, "key alone": b64,
		"other version": "verify-key-2 1 " + b64, "id 0": "verify-key-1 0 " + b64, "leading zero": "verify-key-1 01 " + b64, "plus": "verify-key-1 +1 " + b64,
		"negative": "verify-key-1 -1 " + b64, "id too large": "verify-key-1 4294967296 " + b64, "hex id": "verify-key-1 0x1 " + b64, "underscore": "verify-key-1 1_0 " + b64,
		"two spaces": "verify-key-1  1 " + b64, "tab": "verify-key-1\t1 " + b64, "leading space": " " + one, "trailing space": one + " ", "CRLF": one + "\r\n",
		"comment behind": one + " # mine", "indented comment": one + "\n # c", "BOM": "\ufeff" + one, "NUL": one + "\x00",
		"no padding": strings.TrimRight(one, "="), "more padding": one + "=", "URL alphabet": "verify-key-1 1 " + strings.Repeat("_", 42) + "8=",
		"spare bits": one[:len(one)-2] + "B=", "31 bytes": FormatKey(1, material(1)[:31]), "33 bytes": FormatKey(1, append(material(1), 0)), "no bytes": FormatKey(1, nil),
		"carriage return inside": one[:30] + "\r" + one[30:], "cut": one[:len(one)-8], "second line bad": one + "\nx",
		"same id": one + "\n" + FormatKey(1, material(2)), "same key": one + "\n" + FormatKey(2, material(1)), "same line": one + "\n" + one,
	}
	if len(bad) != 36 {
		t.Fatalf("%d texts", len(bad))
	}
	for name, text := range bad {
		r, err := ParseKeyring(text)
		if !errors.Is(err, ErrKey) || r != nil {
			t.Errorf("%s: %v, %v; want ErrKey", name, r, err)
			continue
		}
		// Neither whole nor in part: 8 characters of base64 are 6 bytes.
		for i := range len(b64) - 8 {
			if strings.Contains(err.Error(), b64[i:i+8]) {
				t.Errorf("%s: the error quotes the key: %v", name, err)
				break
			}
		}
	}
	if _, err := ParseKeyring("# c\n\n" + one + "\noops\n"); err == nil || !strings.Contains(err.Error(), "line 4") {
		t.Errorf("%v does not name line 4", err)
	}
}

func FuzzParseKeyring(f *testing.F) {
	one := FormatKey(1, material(1))
	for _, text := range []string{"", one, "# c\n" + one + "\n\n" + FormatKey(9, material(9)) + "\n", one + "\r\n", one[:len(one)-2] + "B=", one + "\n" + one} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseKeyring(text)
		if err != nil {
			if r != nil || !errors.Is(err, ErrKey) {
				t.Fatalf("%q: %v, %v", text, r, err)
			}
			return
		}
		// Accepted: the keys are written as the very lines they were read from.
		lines, err := parseLines(text)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for line := range strings.SplitSeq(text, "\n") {
			if len(bytes.TrimSpace([]byte(line))) > 0 && line[0] != '#' {
				want = append(want, line)
			}
		}
		var ids []uint32
		for _, line := range lines {
			got = append(got, FormatKey(line.id, line.material))
			ids = append(ids, line.id)
		}
		if !slices.Equal(got, want) || !slices.Equal(ids, r.IDs()) {
			t.Fatalf("%q: read as %q with ids %d", text, got, r.IDs())
		}
	})
}
