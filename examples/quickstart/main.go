// Quickstart enrols a user, shows the QR code, and checks codes of an
// authenticator app: the whole life of a TOTP factor in one run.
//
//	go run ./examples/quickstart
//
// In a terminal it waits for the codes of a real app. With -code-from-secret, or
// when standard input is no terminal, it plays the app itself.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/seed4eca3270/verify"
)

func main() {
	dir := flag.String("dir", "quickstart-data", "folder for mfa.db and mfa.key")
	play := flag.Bool("code-from-secret", false, "play the authenticator app instead of asking for its codes")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	demo := &demo{dir: *dir, out: os.Stdout}
	switch {
	case *play:
	case isatty.IsTerminal(os.Stdin.Fd()):
		demo.codes = bufio.NewScanner(os.Stdin)
	default:
		demo.say("Standard input is no terminal: playing the authenticator app.")
	}
	if err := demo.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

type demo struct {
	dir   string
	out   io.Writer
	codes *bufio.Scanner // nil: play the app

	service, user string
	factor        verify.Factor
}

func (d *demo) run(ctx context.Context) (err error) {
	engine, err := d.open(ctx)
	if err != nil {
		return err
	}
	// The engine is closed and opened again on the way.
	defer func() { err = errors.Join(err, engine.Close()) }()
	if err := d.enrol(ctx, engine); err != nil {
		return err
	}
	code, err := d.logIn(ctx, engine)
	if err != nil {
		return err
	}
	if err := d.refused(ctx, engine, code, "the same code again"); err != nil {
		return err
	}
	if err := engine.Close(); err != nil {
		return err
	}
	if engine, err = d.open(ctx); err != nil {
		return err
	}
	d.say("Closed and opened the file again.")
	if err := d.refused(ctx, engine, code, "the same code after the restart"); err != nil {
		return err
	}
	factor, err := engine.GetFactor(ctx, d.service, d.user, d.factor.SID)
	if err != nil {
		return err
	}
	d.say("Factor %s is still %s.", factor.SID, factor.Status)
	return nil
}

func (d *demo) open(ctx context.Context) (*verify.Engine, error) {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, err
	}
	keys, err := verify.KeyFile(filepath.Join(d.dir, "mfa.key"))
	if err != nil {
		return nil, err
	}
	engine, err := verify.Open(ctx, filepath.Join(d.dir, "mfa.db"), verify.Config{Keys: keys})
	if err == nil {
		d.say("Opened %s, sealed with the keys in %s.", filepath.Join(d.dir, "mfa.db"), filepath.Join(d.dir, "mfa.key"))
	}
	return engine, err
}

// enrol makes a service and a user, shows the QR code and verifies the factor.
func (d *demo) enrol(ctx context.Context, engine *verify.Engine) error {
	svc, err := engine.CreateService(ctx, verify.ServiceParams{FriendlyName: "Quickstart"})
	if err != nil {
		return err
	}
	d.service, d.user = svc.SID, "user-"+rand.Text()
	d.factor, err = engine.CreateFactor(ctx, d.service, d.user, verify.FactorParams{
		FriendlyName: "ann@example.com",
		TOTP:         &verify.TOTPParams{},
	})
	if err != nil {
		return err
	}
	qr, err := d.factor.Binding.Text()
	if err != nil {
		return err
	}
	d.say("Enrolled %s: scan this with an authenticator app.\n%s", d.factor.SID, qr)
	d.say("No camera? Type in %s", d.factor.Binding.Secret)
	for {
		code, err := d.code("Code shown by the app: ", 0)
		if err != nil {
			return err
		}
		verified, err := engine.VerifyFactor(ctx, d.service, d.user, d.factor.SID, code)
		switch {
		case errors.Is(err, verify.ErrInvalid), err == nil && verified.Status != verify.Verified:
			d.say("That was not the code: type the 6 digits that the app shows now.")
		case err != nil:
			return err
		default:
			d.say("Factor %s is %s.", verified.SID, verified.Status)
			return nil
		}
	}
}

// logIn approves a challenge and returns the code that did it. The code of the
// enrolment is spent, so it takes the app's next one.
func (d *demo) logIn(ctx context.Context, engine *verify.Engine) (string, error) {
	for {
		code, err := d.code("The next code, when the app shows it: ", 30*time.Second)
		if err != nil {
			return "", err
		}
		challenge, err := engine.CreateChallenge(ctx, d.service, d.user, verify.ChallengeParams{
			FactorSID: d.factor.SID, AuthPayload: code,
		})
		switch {
		case errors.Is(err, verify.ErrInvalid), err == nil && challenge.Status != verify.Approved:
			d.say("That was not the next code: one that was used is spent.")
		case err != nil:
			return "", err
		default:
			d.say("Challenge %s is %s.", challenge.SID, challenge.Status)
			return code, nil
		}
	}
}

// refused shows that a spent code is worth nothing.
func (d *demo) refused(ctx context.Context, engine *verify.Engine, code, what string) error {
	check, err := engine.CheckCode(ctx, d.service, d.user, code)
	if err != nil {
		return err
	}
	if check.Approved {
		return fmt.Errorf("%s was accepted", what)
	}
	d.say("Refused: %s.", what)
	return nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }
