package interop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// An answer is what was said to a request for an operation, or for none (nil).
type answer struct {
	operation *operation
	request   *http.Request
	status    int
	header    http.Header
	body      []byte
}

// check returns what is wrong with an answer: by Twilio's file, and where the
// file is silent by the rules of this package.
func (c *contract) check(a answer) (violations []string) {
	name := "no operation"
	if a.operation != nil {
		name = a.operation.id
	}
	var found []string
	switch {
	case a.status >= 400:
		found = checkError(a)
	case a.operation == nil:
		found = []string{"/: success where Twilio has nothing"}
	default:
		found = append(c.checkFile(a), c.checkKeys(a)...)
	}
	for _, what := range found {
		violations = append(violations, fmt.Sprintf("%s, status %d, %s", name, a.status, what))
	}
	return violations
}

// checkFile holds an answer against the file.
func (c *contract) checkFile(a answer) []string {
	if a.status == http.StatusNoContent && len(a.body) > 0 {
		return []string{"/: a body where there is no content"}
	}
	err := openapi3filter.ValidateResponse(a.request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: a.request,
			Route: &routers.Route{
				Spec: c.doc, Path: a.operation.path, PathItem: a.operation.item,
				Method: a.operation.method, Operation: a.operation.Operation,
			},
		},
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{
				openapi3.EnableFormatValidation(),
				openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(checkURL)),
				openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(checkDate)),
			},
		},
	})
	return explain(err)
}

// explain makes one line of each thing that the validator found, led by the path
// to it.
func explain(err error) []string {
	if err == nil {
		return nil
	}
	if many, ok := errors.AsType[openapi3.MultiError](err); ok {
		var lines []string
		for _, one := range many {
			lines = append(lines, explain(one)...)
		}
		return lines
	}
	if schema, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return []string{"/" + strings.Join(schema.JSONPointer(), "/") + ": " + schema.Reason}
	}
	return []string{"/: " + err.Error()}
}

// checkURL: absolute, for clients follow URLs as they are.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("not an absolute URL")
	}
	return nil
}

// checkDate: whole seconds of UTC. The file would take fractions and offsets, on
// which the mobile SDKs choke.
func checkDate(text string) error {
	const layout = "2006-01-02T15:04:05Z"
	// Parsing alone would take fractions.
	if at, err := time.Parse(layout, text); err != nil || at.Format(layout) != text {
		return errors.New("not a date such as " + layout)
	}
	return nil
}

// The four keys of an error, all that Twilio sends unless it has details.
var errorKeys = []string{"code", "message", "more_info", "status"}

var requestID = regexp.MustCompile(`^RQ[0-9a-f]{32}$`)

// checkError holds a refusal against the one shape that they all have. The file
// knows refusals of a single operation only.
func checkError(a answer) (found []string) {
	report := func(at, format string, args ...any) {
		found = append(found, "/"+at+": "+fmt.Sprintf(format, args...))
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		report("", "Content-Type is %q", kind)
	}
	if id := a.header.Get("Twilio-Request-Id"); !requestID.MatchString(id) {
		report("", "Twilio-Request-Id is %q", id)
	}
	var keys map[string]any
	if err := json.Unmarshal(a.body, &keys); err != nil {
		report("", "no JSON object: %v", err)
		return found
	}
	if got := sortedKeys(keys); !slices.Equal(got, errorKeys) {
		report("", "keys are %v, want %v", got, errorKeys)
	}
	if keys["status"] != float64(a.status) {
		report("status", "%v, want the number %d", keys["status"], a.status)
	}
	code, ok := keys["code"].(float64)
	if !ok || code < 20001 || code > 69999 {
		report("code", "%v, want one of Twilio's numbers", keys["code"])
	}
	if text, ok := keys["message"].(string); !ok || text == "" {
		report("message", "%v, want a text", keys["message"])
	}
	if want := "https://www.twilio.com/docs/errors/" + strconv.Itoa(int(code)); keys["more_info"] != want {
		report("more_info", "%v, want %s", keys["more_info"], want)
	}
	return found
}
