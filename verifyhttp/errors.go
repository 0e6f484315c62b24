package verifyhttp

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/seed4eca3270/verify"
)

// Codes that only the wire knows.
const (
	codeUnauthorized     = 20003
	codeMethodNotAllowed = 20004
	codeTooManyRequests  = 20429
	codeTooLarge         = 20413
	codeMediaType        = 20415
	codeBadRequest       = 20400
	codeEntitiesCreated  = 60328
)

// statusOf is the one table from error codes to HTTP status.
func statusOf(code int) int {
	switch code {
	case codeUnauthorized:
		return http.StatusUnauthorized
	case codeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeMediaType:
		return http.StatusUnsupportedMediaType
	case verify.CodeNotFound:
		return http.StatusNotFound
	case verify.CodeChangedMeanwhile, verify.CodeEntityExists, verify.CodeFactorExists:
		return http.StatusConflict
	case verify.CodeFactorUnverified, verify.CodeChallengeResponded, verify.CodeChallengeExpired:
		return http.StatusForbidden
	case codeTooManyRequests, codeEntitiesCreated, verify.CodeChallengeAttempts, verify.CodeFactorAttempts,
		verify.CodeChallengesCreated, verify.CodeFactorsCreatedToday:
		return http.StatusTooManyRequests
	case codeBadRequest, verify.CodeMissingParameter, verify.CodeInvalidParameter, verify.CodeInvalidRequest,
		verify.CodeBindingInvalid, verify.CodeFactorsPerEntity:
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// errorBody is Twilio's, with just these four keys.
type errorBody struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

// errPanic is all that anyone is told of a panic.
var errPanic = errors.New("panic")

func refuse(code int, message string) error {
	return &verify.Error{Code: code, Message: message, Err: verify.ErrInvalid}
}

func tooMany(code int, message string, wait time.Duration) error {
	return &verify.Error{Code: code, Message: message, RetryAfter: wait, Err: verify.ErrRateLimited}
}

// notFound names the path, as Twilio does. It reads the same for what is absent,
// foreign or misspelt.
func notFound(r *http.Request) error {
	return &verify.Error{Code: verify.CodeNotFound, Err: verify.ErrNotFound,
		Message: "The requested resource " + r.URL.EscapedPath() + " was not found"}
}

// fail answers with an error. What only the operator may know goes to the log.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *verify.Error
	if !errors.As(err, &refused) {
		// A panic, a context that ended, or what nobody foresaw.
		refused = &verify.Error{Code: verify.CodeInternal, Message: "Internal server error"}
	}
	if errors.Is(err, verify.ErrNotFound) && refused.Code == verify.CodeNotFound && refused.Param == "" {
		_ = errors.As(notFound(r), &refused)
	}
	status, message := statusOf(refused.Code), refused.Message
	if refused.Code == verify.CodeMissingParameter {
		message += " in the post body" // Twilio's words, which programs have been seen to match
	}
	if status >= http.StatusInternalServerError && err != errPanic {
		h.cfg.Logger.ErrorContext(r.Context(), "verifyhttp: failed", "request", w.Header().Get("Twilio-Request-Id"), "error", err)
	}
	if answer, ok := w.(*answerWriter); ok && !answer.read && r.ContentLength != 0 && r.ProtoMajor == 1 {
		// The server would first read a body that nobody wants, however slowly
		// it comes, to be able to use the connection again.
		w.Header().Set("Connection", "close")
	}
	if refused.RetryAfter > 0 {
		seconds := int64(math.Ceil(refused.RetryAfter.Seconds()))
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	render(w, status, errorBody{
		Code: refused.Code, Message: message, Status: status,
		MoreInfo: "https://www.twilio.com/docs/errors/" + strconv.Itoa(refused.Code),
	})
}
