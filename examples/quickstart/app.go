package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// code asks for a code of the app, or plays the app with a clock that is ahead by
// the given time: the engine accepts one step ahead, so the demonstration need
// not wait half a minute for the app's next code.
func (d *demo) code(prompt string, ahead time.Duration) (string, error) {
	if d.codes == nil {
		return appCode(d.factor.Binding.URI, time.Now().Add(ahead))
	}
	fmt.Fprint(d.out, prompt)
	if !d.codes.Scan() {
		return "", errors.Join(io.ErrUnexpectedEOF, d.codes.Err())
	}
	return strings.ReplaceAll(d.codes.Text(), " ", ""), nil // apps show codes in groups
}

// appCode is all that an authenticator app does.
func appCode(uri string, at time.Time) (string, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return "", err
	}
	return totp.GenerateCode(key.Secret(), at)
}
