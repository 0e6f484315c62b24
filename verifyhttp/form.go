package verifyhttp

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed4eca3270/verify"
)

// A call is one request on its way through an operation.
type call struct {
	*handler
	w      http.ResponseWriter
	r      *http.Request
	form   url.Values // the body of a POST, the query of others
	code   int        // of a parameter at fault; zero: 60306
	broken error      // the first parameter that could not be read
}

// maxParameters is how many parameters a request may have.
const maxParameters = 500

// readParameters reads the body of a POST, and the query of anything else: what a
// POST has in its query is ignored, for queries end up in logs.
func (c *call) readParameters() error {
	if c.r.Method != http.MethodPost {
		// twilio-go writes a backslash before the dots of keys in queries.
		return c.parse(strings.ReplaceAll(c.r.URL.RawQuery, "%5C.", "."))
	}
	if media := c.r.Header.Get("Content-Type"); media != "" {
		kind, _, err := mime.ParseMediaType(media)
		if err != nil || kind != "application/x-www-form-urlencoded" {
			return refuse(codeMediaType, "Content-Type: want application/x-www-form-urlencoded")
		}
	}
	if encoding := c.r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return refuse(codeMediaType, "Content-Encoding: want none")
	}
	text, err := io.ReadAll(http.MaxBytesReader(unwrapped(c.w), c.r.Body, maxBody))
	if answer, ok := c.w.(*answerWriter); ok {
		answer.read = true
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return refuse(codeTooLarge, "Request body too large")
	}
	if err != nil {
		return refuse(codeBadRequest, "Request body could not be read")
	}
	return c.parse(string(text))
}

// parse reads form-encoded parameters. Raw semicolons, which the iOS SDK sends,
// are part of a value.
func (c *call) parse(text string) error {
	if strings.Count(text, "&") >= maxParameters {
		return refuse(codeBadRequest, "Too many parameters")
	}
	form, err := url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
	if err != nil {
		return refuse(codeBadRequest, "Malformed parameters")
	}
	for key, values := range form {
		for _, value := range values {
			if !utf8.ValidString(key) || !utf8.ValidString(value) || strings.ContainsRune(key+value, 0) {
				return refuse(codeBadRequest, "Parameters are not valid UTF-8 text")
			}
		}
	}
	c.form = form
	return nil
}

// fault keeps the first parameter at fault.
func (c *call) fault(key, rule string) {
	if c.broken == nil {
		c.broken = &verify.Error{
			Code: cmp.Or(c.code, verify.CodeInvalidRequest), Param: key, Err: verify.ErrInvalid,
			Message: "Invalid parameter: " + key + ": " + rule,
		}
	}
}

// text is a parameter that may occur once; nil if it does not.
func (c *call) text(key string) *string {
	values := c.form[key]
	switch len(values) {
	case 0:
		return nil
	case 1:
		return &values[0]
	}
	c.fault(key, "given more than once")
	return nil
}

// value is a parameter's text, empty if it is absent.
func (c *call) value(key string) string { return or(c.text(key)) }

// or is what a pointer points to, or the zero value.
func or[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// number is a decimal parameter; nil if it is absent.
func (c *call) number(key string) *int {
	text := c.text(key)
	if text == nil {
		return nil
	}
	n, err := strconv.Atoi(*text)
	if err != nil || strconv.Itoa(n) != *text { // one spelling: no +, no leading zeros
		c.fault(key, "want a number")
		return nil
	}
	return &n
}

// positive is a number for which zero is no way to say "the default".
func (c *call) positive(key string) *int {
	n := c.number(key)
	if n != nil && *n <= 0 {
		c.fault(key, "out of range")
	}
	return n
}

// boolean is true or false in any case; nil if it is absent.
func (c *call) boolean(key string) *bool {
	text := c.text(key)
	if text == nil {
		return nil
	}
	switch strings.ToLower(*text) {
	case "true":
		return new(true)
	case "false":
		return new(false)
	}
	c.fault(key, "want true or false")
	return nil
}

// list is a comma-separated parameter; nil if it is absent, empty if it is empty.
func (c *call) list(key string) *[]string {
	text := c.text(key)
	if text == nil {
		return nil
	}
	items := []string{}
	for item := range strings.SplitSeq(*text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return &items
}

// date is a time with any offset; zero if it is absent.
func (c *call) date(key string) time.Time {
	text := c.text(key)
	if text == nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil || at.IsZero() { // the zero time would count as absent
		c.fault(key, "want a date such as 2030-01-02T03:04:05Z")
	}
	return at.UTC()
}

// object is a JSON object of strings; nil if it is absent.
func (c *call) object(key string) (m map[string]string) {
	if text := c.text(key); text != nil {
		c.json(key, *text, &m)
		if m == nil {
			m = map[string]string{}
		}
	}
	return m
}

// json reads a parameter that is JSON, or a JSON string of JSON, which is what
// becomes of a string in twilio-go.
func (c *call) json(key, text string, into any) {
	var inner string
	if json.Unmarshal([]byte(text), &inner) == nil {
		text = inner
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		c.fault(key, "want a JSON object with text values")
	}
}
