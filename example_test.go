package verify_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifytest"
)

// The examples' user.
const ann = "0b53e5c4-91d8-4a7c-8d65-c1c5ba3f5a0e"

// exampleConfig has a clock that stands still until it is moved, and chance that
// is always the same. A program leaves both out.
func exampleConfig() (*verifytest.Clock, verify.Config) {
	clock := verifytest.NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	return clock, verify.Config{Clock: clock.Now, Rand: verifytest.Rand("examples")}
}

// shown is what the user's authenticator app shows.
func shown(secret string, at time.Time) string {
	code, err := totp.GenerateCode(secret, at)
	check(err)
	return code
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// enrolled gives ann a verified authenticator app in a new service. A program does
// what Example_enrol shows.
func enrolled(ctx context.Context, engine *verify.Engine, clock *verifytest.Clock) (serviceSID, factorSID, secret string) {
	svc, err := engine.CreateService(ctx, verify.ServiceParams{FriendlyName: "Acme"})
	check(err)
	factor, err := engine.CreateFactor(ctx, svc.SID, ann, verify.FactorParams{FriendlyName: "ann@example.com", TOTP: &verify.TOTPParams{}})
	check(err)
	secret = factor.Binding.Secret
	_, err = engine.VerifyFactor(ctx, svc.SID, ann, factor.SID, shown(secret, clock.Now()))
	check(err)
	clock.Advance(30 * time.Second) // the code of the enrolment is spent
	return svc.SID, factor.SID, secret
}

// Enrol an authenticator app: show its QR code once, and have the user enter a
// code of it.
func Example_enrol() {
	ctx := context.Background()
	clock, cfg := exampleConfig()
	engine, err := verify.Open(ctx, ":memory:", cfg)
	check(err)
	defer engine.Close()
	svc, err := engine.CreateService(ctx, verify.ServiceParams{FriendlyName: "Acme"})
	check(err)

	factor, err := engine.CreateFactor(ctx, svc.SID, ann, verify.FactorParams{
		FriendlyName: "ann@example.com", TOTP: &verify.TOTPParams{},
	})
	check(err)
	png, err := factor.Binding.PNG(256)
	check(err)
	fmt.Println("a QR code as a PNG file:", strings.Contains(string(png[:8]), "PNG"))
	secret := factor.Binding.Secret // for users who cannot scan

	factor, err = engine.VerifyFactor(ctx, svc.SID, ann, factor.SID, "000000")
	check(err)
	fmt.Println("after a wrong code:", factor.Status)
	factor, err = engine.VerifyFactor(ctx, svc.SID, ann, factor.SID, shown(secret, clock.Now()))
	check(err)
	fmt.Println("after the right one:", factor.Status)
	// Output:
	// a QR code as a PNG file: true
	// after a wrong code: unverified
	// after the right one: verified
}

// Check a code at login. It works once.
func ExampleEngine_CheckCode() {
	ctx := context.Background()
	clock, cfg := exampleConfig()
	engine, err := verify.Open(ctx, ":memory:", cfg)
	check(err)
	defer engine.Close()
	service, _, secret := enrolled(ctx, engine, clock)

	code := shown(secret, clock.Now())
	for range 2 {
		login, err := engine.CheckCode(ctx, service, ann, code)
		check(err)
		fmt.Println("approved:", login.Approved)
	}
	_, err = engine.CheckCode(ctx, service, ann, code[:3]+" "+code[3:])
	fmt.Println("with a space:", errors.Is(err, verify.ErrInvalid))
	// Output:
	// approved: true
	// approved: false
	// with a space: true
}

// Ask for a code to confirm something, as Twilio's API does: create a challenge
// that says what it is about, then answer it.
func ExampleEngine_RespondChallenge() {
	ctx := context.Background()
	clock, cfg := exampleConfig()
	engine, err := verify.Open(ctx, ":memory:", cfg)
	check(err)
	defer engine.Close()
	service, factor, secret := enrolled(ctx, engine, clock)

	challenge, err := engine.CreateChallenge(ctx, service, ann, verify.ChallengeParams{
		FactorSID:      factor,
		ExpirationDate: clock.Now().Add(10 * time.Minute),
		Details: verify.Details{
			Message: "Pay 250 € to Bob?",
			Fields:  []verify.Field{{Label: "Account", Value: "DE89 3704 0044 0532 0130 00"}},
		},
		HiddenDetails: map[string]string{"payment": "4711"},
	})
	check(err)
	fmt.Println(challenge.Status, challenge.Details.Message)

	clock.Advance(time.Minute)
	challenge, err = engine.RespondChallenge(ctx, service, ann, challenge.SID, verify.ChallengeResponse{
		AuthPayload: shown(secret, clock.Now()),
	})
	check(err)
	fmt.Println(challenge.Status, "payment", challenge.HiddenDetails["payment"])

	_, err = engine.RespondChallenge(ctx, service, ann, challenge.SID, verify.ChallengeResponse{AuthPayload: "123456"})
	var refused *verify.Error
	fmt.Println(errors.As(err, &refused) && refused.Code == verify.CodeChallengeResponded)
	// Output:
	// pending Pay 250 € to Bob?
	// approved payment 4711
	// true
}

// Go through a user's challenges, newest first, without thinking of pages.
func ExampleEngine_Challenges() {
	ctx := context.Background()
	clock, cfg := exampleConfig()
	engine, err := verify.Open(ctx, ":memory:", cfg)
	check(err)
	defer engine.Close()
	service, factor, secret := enrolled(ctx, engine, clock)
	for _, message := range []string{"Sign in?", "Change your address?", "Pay?"} {
		_, err := engine.CreateChallenge(ctx, service, ann, verify.ChallengeParams{
			FactorSID: factor, AuthPayload: shown(secret, clock.Now()), Details: verify.Details{Message: message},
		})
		check(err)
		clock.Advance(30 * time.Second)
	}

	for challenge, err := range engine.Challenges(ctx, service, ann, verify.ChallengeFilter{Status: verify.Approved, NewestFirst: true}) {
		check(err)
		fmt.Println(challenge.DateResponded.Format(time.TimeOnly), challenge.Details.Message)
	}
	// Output:
	// 12:01:30 Pay?
	// 12:01:00 Change your address?
	// 12:00:30 Sign in?
}

// Lift the lock of a factor, when the user has shown in another way who they are.
func ExampleEngine_UnlockFactor() {
	ctx := context.Background()
	clock, cfg := exampleConfig()
	cfg.Limits.FactorFailures = 3
	engine, err := verify.Open(ctx, ":memory:", cfg)
	check(err)
	defer engine.Close()
	service, factor, secret := enrolled(ctx, engine, clock)

	for guess := 0; ; guess++ {
		_, err := engine.CheckCode(ctx, service, ann, fmt.Sprintf("%06d", guess))
		if errors.Is(err, verify.ErrLocked) {
			fmt.Println("locked after", guess, "wrong codes")
			break
		}
		check(err)
	}
	for f, err := range engine.Factors(ctx, service, ann) {
		check(err)
		fmt.Println(f.FriendlyName, "locked:", f.Locked)
	}
	_, err = engine.UnlockFactor(ctx, service, ann, factor)
	check(err)
	login, err := engine.CheckCode(ctx, service, ann, shown(secret, clock.Now()))
	check(err)
	fmt.Println("approved:", login.Approved)
	// Output:
	// locked after 3 wrong codes
	// ann@example.com locked: true
	// approved: true
}

// Change the key that a database is sealed with, while programs have it open.
func ExampleEngine_Rekey() {
	ctx := context.Background()
	clock, cfg := exampleConfig()
	dir, err := os.MkdirTemp("", "verify")
	check(err)
	defer os.RemoveAll(dir)
	keyFile, database := filepath.Join(dir, "mfa.key"), filepath.Join(dir, "mfa.db")

	cfg.Keys, err = verify.KeyFile(keyFile) // makes the file
	check(err)
	engine, err := verify.Open(ctx, database, cfg)
	check(err)
	service, _, secret := enrolled(ctx, engine, clock)
	check(engine.Close())

	// First every program learns of the new key, then one of them moves to it.
	check(verify.AddKey(keyFile))
	cfg.Keys, err = verify.KeyFile(keyFile)
	check(err)
	engine, err = verify.Open(ctx, database, cfg)
	check(err)
	moved, err := engine.Rekey(ctx)
	check(err)
	fmt.Println("moved:", moved)
	check(engine.Close())

	// From now on the older lines of the key file are not needed.
	text, err := os.ReadFile(keyFile)
	check(err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	cfg.Keys, err = verify.ParseKeys(lines[len(lines)-1])
	check(err)
	engine, err = verify.Open(ctx, database, cfg)
	check(err)
	defer engine.Close()
	login, err := engine.CheckCode(ctx, service, ann, shown(secret, clock.Now()))
	check(err)
	fmt.Println("approved:", login.Approved)
	// Output:
	// moved: 2
	// approved: true
}
