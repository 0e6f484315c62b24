package verifyhttp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"
)

// MaxBody and MaxParameters are what a request may have.
const (
	MaxBody       = maxBody
	MaxParameters = maxParameters
)

// Parameters are a request's parameters as an operation gets them.
func Parameters(r *http.Request) (url.Values, error) {
	c := &call{w: httptest.NewRecorder(), r: r}
	err := c.readParameters()
	return c.form, err
}

// A Form is a body that was read, with the ways that operations read it in.
type Form struct{ c call }

// ReadForm reads a body.
func ReadForm(text string) (*Form, error) {
	f := &Form{}
	return f, f.c.parse(text)
}

// Values are the parameters themselves.
func (f *Form) Values() url.Values { return f.c.form }

// Text reads a scalar.
func (f *Form) Text(key string) *string { return f.c.text(key) }

// Number reads a number.
func (f *Form) Number(key string) *int { return f.c.number(key) }

// Boolean reads a boolean.
func (f *Form) Boolean(key string) *bool { return f.c.boolean(key) }

// Date reads a date.
func (f *Form) Date(key string) time.Time { return f.c.date(key) }

// List reads a list.
func (f *Form) List(key string) *[]string { return f.c.list(key) }

// Object reads a JSON object of strings.
func (f *Form) Object(key string) map[string]string { return f.c.object(key) }

// Refused is what was wrong with what was read since it was last asked.
func (f *Form) Refused() error {
	err := f.c.broken
	f.c.broken = nil
	return err
}

// Wrap is the writer that operations get in place of the host's.
func Wrap(w http.ResponseWriter) http.ResponseWriter { return &answerWriter{ResponseWriter: w} }
