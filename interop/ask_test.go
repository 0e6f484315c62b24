package interop

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	twilio "github.com/twilio/twilio-go/client"
)

// is compares a decoded field; twilio-go makes pointers of all.
func is[T comparable](t *testing.T, what string, got *T, want T) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: got nil, want %v", what, want)
	} else if *got != want {
		t.Errorf("%s: got %v, want %v", what, *got, want)
	}
}

// isTime compares instants: those of the SDK are in a zone of its choice.
func isTime(t *testing.T, what string, got *time.Time, want time.Time) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: got nil, want %v", what, want)
	} else if !got.Equal(want) {
		t.Errorf("%s: got %v, want %v", what, *got, want)
	}
}

// isNull is for fields that were sent as null.
func isNull[T any](t *testing.T, what string, got *T) {
	t.Helper()
	if got != nil {
		t.Errorf("%s: got %v, want null", what, *got)
	}
}

// isJSON compares a field that the SDK leaves untyped, keys in alphabetical order.
func isJSON(t *testing.T, what string, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != want {
		t.Errorf("%s: got %s, want %s", what, text, want)
	}
}

// refused checks that a call failed as Twilio would fail it.
func refused(t *testing.T, err error, status, code int) {
	t.Helper()
	got, ok := errors.AsType[*twilio.TwilioRestError](err)
	if !ok {
		t.Errorf("got error %v, want %d with code %d", err, status, code)
		return
	}
	if got.Status != status || got.Code != code {
		t.Errorf("got %d with code %d (%s), want %d with code %d", got.Status, got.Code, got.Message, status, code)
	}
	if got.Message == "" || got.MoreInfo == "" || got.Details != nil {
		t.Errorf("error is not whole: %+v", got)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// text is a resource as the SDK would write it: what two calls must agree on.
func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	ok(t, err)
	return string(raw)
}
