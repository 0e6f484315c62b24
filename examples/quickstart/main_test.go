package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// steps are the lines of a run, in order.
var steps = []string{
	"Opened ", "Enrolled ", "No camera? ", " is verified.", " is approved.",
	"Refused: the same code again.", "Closed and opened", "Refused: the same code after the restart.", " is still verified.",
}

func checkSteps(t *testing.T, said string) {
	t.Helper()
	rest := said
	for _, step := range steps {
		_, after, ok := strings.Cut(rest, step)
		if !ok {
			t.Fatalf("no %q in its place in:\n%s", step, said)
		}
		rest = after
	}
}

func TestQuickstartPlaysTheApp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 { // the second run finds the folder of the first
		var out strings.Builder
		d := &demo{dir: dir, out: &out}
		if err := d.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkSteps(t, out.String())
	}
}

// A person at a terminal: reads what is printed and types codes when asked, the
// first one wrong.
type person struct {
	strings.Builder
	types  io.Writer
	asked  int
	t      *testing.T
	secret string
}

func (p *person) Write(text []byte) (int, error) {
	if _, secret, ok := strings.Cut(string(text), "Type in "); ok {
		p.secret = strings.TrimSpace(secret)
	}
	if strings.HasSuffix(string(text), ": ") && !strings.Contains(string(text), "\n") {
		p.asked++
		line := "12345"
		if p.asked > 1 {
			at := time.Now().Add(time.Duration(p.asked-2) * 30 * time.Second)
			code, err := totp.GenerateCode(p.secret, at)
			if err != nil {
				p.t.Error(err)
			}
			line = code[:3] + " " + code[3:]
		}
		go fmt.Fprintln(p.types, line) // the program reads it after this prompt
	}
	return p.Builder.Write(text)
}

func TestQuickstartAsksAPerson(t *testing.T) {
	t.Parallel()
	in, types := io.Pipe()
	out := &person{types: types, t: t}
	d := &demo{dir: t.TempDir(), out: out, codes: bufio.NewScanner(in)}
	if err := d.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkSteps(t, out.String())
	if out.asked != 3 || !strings.Contains(out.String(), "That was not the code") {
		t.Errorf("asked %d times, want a refusal and two codes:\n%s", out.asked, out.String())
	}
}
