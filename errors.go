package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed4eca3270/verify/store"
)

// Every error of this package belongs to one of these classes, or is the error
// of a context that ended. Test with [errors.Is].
var (
	// ErrNotFound: the record does not exist, or not under this service and
	// entity. The two are never told apart.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the record exists already, or others kept changing it.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: a parameter is malformed or out of range; Error.Param names it.
	ErrInvalid = errors.New("invalid")
	// ErrForbidden: the record's state does not allow it.
	ErrForbidden = errors.New("forbidden")
	// ErrRateLimited: a limit is reached; Error.RetryAfter tells when to come
	// back, if time helps.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: the database cannot be used now, or randomness could not be
	// read. The same call may succeed later. No code was found right or wrong as
	// far as anyone is told; only if the disk failed in the middle of a commit may
	// the call's effect be there, and then a right code is spent.
	ErrUnavailable = errors.New("unavailable")
	// ErrCorrupt: the database is damaged or was tampered with.
	ErrCorrupt = errors.New("corrupt")
	// ErrLocked: the factor is locked by wrong codes, and only UnlockFactor or,
	// for an enrolment, DeleteFactor helps. It is also ErrRateLimited.
	ErrLocked = fmt.Errorf("%w: factor locked", ErrRateLimited)
	// ErrClosed: the engine was closed. It is also ErrUnavailable.
	ErrClosed = fmt.Errorf("%w: engine closed", ErrUnavailable)
)

// Codes of [Error]: Twilio's numbers, the field's vocabulary.
const (
	CodeMissingParameter    = 20001 // a required parameter is empty
	CodeNotFound            = 20404
	CodeChangedMeanwhile    = 20409 // an update lost against others ten times over
	CodeInternal            = 20500 // the database is unavailable or damaged
	CodeInvalidParameter    = 60200 // of a service
	CodeEntityExists        = 60301
	CodeInvalidRequest      = 60306 // of an entity, factor, challenge or list
	CodeChallengeAttempts   = 60308 // too many wrong codes for the challenge, or the factor is locked
	CodeFactorAttempts      = 60310 // too many wrong codes for the enrolment
	CodeChallengesCreated   = 60312 // too many challenges for the factor
	CodeBindingInvalid      = 60314 // the secret is malformed or too short
	CodeFactorsPerEntity    = 60315
	CodeFactorExists        = 60317 // the entity has a factor with this secret
	CodeFactorUnverified    = 60318
	CodeChallengeResponded  = 60322
	CodeChallengeExpired    = 60323
	CodeFactorsCreatedToday = 60326
)

// An Error says what was refused and why. Message is fit for an API's caller: it
// holds no secret, no code and no other caller's data.
type Error struct {
	Code       int           // one of the Code constants; 0 where Twilio has no number
	Message    string        // in English, for developers
	Param      string        // the parameter at fault, by Twilio's name; empty if none is
	RetryAfter time.Duration // when to try again; 0: not known, or time does not help
	Err        error         // the class, and the cause if there is one
}

// Error implements error.
func (e *Error) Error() string {
	text := "verify: " + e.Message
	if e.Code != 0 {
		text = fmt.Sprintf("verify: %s (%d)", e.Message, e.Code)
	}
	var c *caused // a class alone adds nothing to the message
	if errors.As(e.Err, &c) {
		text += ": " + c.cause.Error()
	}
	return text
}

// Unwrap gives the class, and through it the cause.
func (e *Error) Unwrap() error { return e.Err }

// A caused error is of a class because of another error.
type caused struct{ class, cause error }

func (c *caused) Error() string   { return c.class.Error() + ": " + c.cause.Error() }
func (c *caused) Unwrap() []error { return []error{c.class, c.cause} }

func refuse(class error, code int, message string) *Error {
	return &Error{Code: code, Message: message, Err: class}
}

// invalid names the parameter at fault and the rule it breaks.
func invalid(code int, param, rule string, args ...any) *Error {
	return &Error{
		Code: code, Param: param, Err: ErrInvalid,
		Message: "Invalid parameter: " + param + ": " + fmt.Sprintf(rule, args...),
	}
}

func missing(param string) *Error {
	return &Error{
		Code: CodeMissingParameter, Param: param, Err: ErrInvalid,
		Message: "Missing required parameter " + param,
	}
}

func errNotFound() *Error {
	return refuse(ErrNotFound, CodeNotFound, "The requested resource was not found")
}

// outward turns the store's errors into ours. Our own and a context's pass.
func outward(err error) error {
	var ours *Error
	switch {
	case err == nil, errors.As(err, &ours):
		return err
	case errors.Is(err, store.ErrNotFound):
		return errNotFound()
	case errors.Is(err, store.ErrConflict):
		return &Error{Code: CodeChangedMeanwhile, Message: "The record was changed meanwhile", Err: &caused{ErrConflict, err}}
	case errors.Is(err, store.ErrSchema):
		return &Error{Param: "path", Message: "The file cannot be used", Err: &caused{ErrInvalid, err}}
	case errors.Is(err, store.ErrCorrupt):
		return internal(ErrCorrupt, err)
	case errors.Is(err, store.ErrClosed):
		return &Error{Code: CodeInternal, Message: "The engine is closed", Err: ErrClosed}
	case errors.Is(err, store.ErrUnavailable):
		return internal(ErrUnavailable, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("verify: %w", err)
	}
	return internal(ErrUnavailable, err)
}

func internal(class, cause error) *Error {
	message := "The database is unavailable"
	if errors.Is(class, ErrCorrupt) {
		message = "The database is damaged"
	}
	return &Error{Code: CodeInternal, Message: message, Err: &caused{class, cause}}
}
